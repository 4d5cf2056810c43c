#pragma once
// daemon/tools -- a made-up scene: objects that move through a picture, and a detector that watches them and
// degrades on cue. For demonstrations, load and tests of drift; the same seed gives the same frames.
//
// The detector is a model of one, not noise: an object has a hardness of its own that lasts (so neighbouring
// frames are alike, as in real video), small objects are harder, quality decides both how well a box fits
// and how high it scores, and clutter scores low. So precision-recall curves look like real ones.
//
// Laws: TheSameSeedGivesTheSameFrames, DriftLowersAccuracyFromItsFrameOn. Threads: none.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

enum class DriftKind : std::uint8_t {
  kSmallMisses,     // objects below 32 x 32 pixels are missed with probability `amount`
  kBoxShift,        // boxes are off by `amount` of their size
  kOverConfidence,  // scores move towards 1: 1 - (1 - score)^(1 + amount)
  kClutter,         // `amount` confident detections of nothing in each frame, always at the same places
};

struct Drift {
  DriftKind kind = DriftKind::kClutter;
  std::uint64_t from = 0;  // first frame, counted from 0
  double amount = 0;
};

// "small-misses@600:0.8", "box-shift@600:0.2", "over-confidence@600:3", "clutter@600:5"; the amount may be
// left out.
[[nodiscard]] Result<Drift> ParseDrift(std::string_view text);

struct SceneOptions {
  std::uint64_t seed = 1;
  std::uint32_t width = 1280;
  std::uint32_t height = 720;
  double objects = 8;  // on average in the picture
  std::vector<Drift> drifts;
};

class Scene {
 public:
  explicit Scene(const SceneOptions& options);

  [[nodiscard]] static std::vector<dataset::ClassEntry> Classes();
  // Frame ids count from 1; boxes are float32 values, so that any wire carries them exactly.
  [[nodiscard]] dataset::Frame Next();

 private:
  struct Object {
    std::uint32_t class_id = 0;
    Box box;
    double vx = 0, vy = 0;  // pixels a frame
    double hardness = 0;    // standard normal; high is hard
  };
  double Uniform();  // [0, 1)
  double Normal();
  std::uint32_t Poisson(double mean);
  Object Spawn(bool anywhere);
  void Move();
  [[nodiscard]] double Amount(DriftKind kind) const;  // 0 before its frame
  void Detect(const Object& object, Predictions& out);
  void AddClutter(Predictions& out);
  void Add(const Box& box, double score, std::uint32_t class_id, Predictions& out) const;

  SceneOptions options_;
  std::mt19937_64 random_;  // its sequence is fixed by the standard; distributions are not, so ours are own
  std::uint64_t frame_ = 0;
  std::vector<Object> objects_;
  std::vector<Object> fixtures_;  // what new clutter looks like, and where
};

}  // namespace detwatch::tools
