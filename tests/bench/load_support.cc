#include "tests/bench/load_support.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <numeric>

namespace detwatch::bench {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 480;
constexpr int kDetections = 100;

// SplitMix64; the standard library's distributions differ between implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  double Uniform() {  // [0, 1)
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }
  double Normal(double mean, double deviation) {  // Box-Muller
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return mean + deviation * radius * std::cos(2 * std::numbers::pi * Uniform());
  }
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(Uniform() * static_cast<double>(n)); }
  bool Chance(double probability) { return Uniform() < probability; }

 private:
  std::uint64_t state_;
};

struct Scored {
  double latent;
  Box box;
  ClassId class_id;
};

class Scene {
 public:
  Scene(std::uint32_t classes, std::uint64_t seed) : random_(seed), cumulative_(classes) {
    double sum = 0;
    for (std::uint32_t c = 0; c < classes; ++c) {
      sum += c == 0 ? 0.3
                    : std::exp(-static_cast<double>(c) / 28) / (c + 4.0) * 0.35 +
                          2.5e-4;  // people, and a long tail
      cumulative_[c] = sum;
    }
  }

  Frame Next() {
    Frame frame;
    std::vector<ClassId> pool(1 + random_.Below(4));  // classes that occur together
    std::generate(pool.begin(), pool.end(), [&] { return AnyClass(); });
    std::vector<Scored> found;
    const auto truths = static_cast<int>(std::min(80.0, -7.3 * std::log(1 - random_.Uniform())));
    for (int i = 0; i < truths; ++i) {
      AddTruth(pool, frame, found);
    }
    const auto all = static_cast<std::size_t>(std::max(10.0, random_.Normal(1.05 * kDetections, 10)));
    while (found.size() < all) {
      const ClassId id = random_.Chance(0.6) ? pool[random_.Below(pool.size())] : AnyClass();
      found.push_back({random_.Normal(-3.6, 0.9), AnyBox(50), id});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Scored& a, const Scored& b) { return a.latent > b.latent; });
    found.resize(std::min<std::size_t>(found.size(), kDetections));
    for (const Scored& detection : found) {
      frame.detection_boxes.push_back(detection.box);
      frame.detection_classes.push_back(detection.class_id);
      frame.scores.push_back(static_cast<float>(1 / (1 + std::exp(2.2 - 1.15 * detection.latent))));
    }
    return frame;
  }

 private:
  ClassId AnyClass() {
    const double at = random_.Uniform() * cumulative_.back();
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, at);
    return static_cast<ClassId>(found - cumulative_.begin());
  }

  Box AnyBox(double typical_side) {
    const double side = std::clamp(typical_side * std::exp(random_.Normal(0, 1.05)), 4.0, 440.0);
    const double aspect = std::exp(random_.Normal(0, 0.22));
    Box box{0, 0, std::min(side * aspect, kWidth - 1), std::min(side / aspect, kHeight - 1)};
    box.x = random_.Uniform() * (kWidth - box.w);
    box.y = random_.Uniform() * (kHeight - box.h);
    return box;
  }

  Box Jittered(const Box& box, double by) {
    return {box.x + box.w * random_.Normal(0, by), box.y + box.h * random_.Normal(0, by),
            box.w * std::exp(random_.Normal(0, by)), box.h * std::exp(random_.Normal(0, by))};
  }

  // A ground truth and what the detector makes of it.
  void AddTruth(const std::vector<ClassId>& pool, Frame& frame, std::vector<Scored>& found) {
    const ClassId id = random_.Chance(0.75) ? pool[random_.Below(pool.size())] : AnyClass();
    const bool crowd = random_.Chance(0.01);
    const Box box = AnyBox(crowd ? 200 : 48);
    frame.ground_truth_boxes.push_back(box);
    frame.ground_truth_areas.push_back(box.Area() * (0.45 + 0.4 * random_.Uniform()));
    frame.ground_truth_classes.push_back(id);
    frame.crowd.push_back(crowd ? 1 : 0);
    if (crowd) {
      for (std::size_t n = 2 + random_.Below(7); n > 0; --n) {
        const Box inside{box.x + random_.Uniform() * box.w * 0.7, box.y + random_.Uniform() * box.h * 0.7,
                         box.w / 4, box.h / 4};
        found.push_back({random_.Normal(-0.2, 1.2), inside, id});
      }
    } else if (random_.Chance(0.8)) {
      found.push_back({random_.Normal(1.4, 1.5), Jittered(box, 0.03 + 0.1 * random_.Uniform()), id});
      if (random_.Chance(0.35)) {
        found.push_back({random_.Normal(-1.6, 1), Jittered(box, 0.15), id});
      }
    }
    if (random_.Chance(0.3)) {  // called something else
      found.push_back({random_.Normal(-1.6, 1.2), Jittered(box, 0.08), AnyClass()});
    }
  }

  Random random_;
  std::vector<double> cumulative_;  // probability of classes up to this one, not normalised
};

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "bench: %s\n", message.c_str());
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): benchmarks load on one thread
}

}  // namespace

FrameView Frame::view() const {
  return {{scores, detection_classes, ground_truth_areas, ground_truth_classes, crowd, {}},
          detection_boxes,
          ground_truth_boxes};
}

Load MakeLoad(std::uint32_t frames, std::uint32_t classes, std::uint64_t seed) {
  Load load;
  load.classes = classes;
  Scene scene(classes, seed);
  for (std::uint32_t i = 0; i < frames; ++i) {
    load.frames.push_back(scene.Next());
    load.detections += static_cast<std::int64_t>(load.frames.back().scores.size());
  }
  return load;
}

Load ReadDump(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto read = [&](auto& into) {
    file.read(reinterpret_cast<char*>(into.data()), sizeof(into));
    if (!file) {
      Die(path + " is missing or cut short");
    }
  };
  std::array<std::int64_t, 4> header{};
  read(header);
  const auto [images, classes, truths, detections] = header;
  if (images < 0 || classes < 0 || images > 100'000'000 || classes > 0xffffffff) {
    Die(path + " is not a dump");
  }
  Load load;
  load.classes = static_cast<std::uint32_t>(classes);
  load.frames.resize(static_cast<std::size_t>(images));
  load.detections = detections;
  std::array<double, 8> row{};
  for (std::int64_t i = 0; i < truths + detections; ++i) {
    read(row);
    if (!(row[0] >= 0 && row[0] < static_cast<double>(images) && row[1] >= 0 &&
          row[1] < static_cast<double>(classes))) {
      Die(path + " has a row out of range");
    }
    Frame& frame = load.frames[static_cast<std::size_t>(row[0])];
    const auto id = static_cast<ClassId>(static_cast<std::uint32_t>(row[1]));
    const Box box{row[2], row[3], row[4], row[5]};
    if (i < truths) {
      frame.ground_truth_boxes.push_back(box);
      frame.ground_truth_classes.push_back(id);
      frame.ground_truth_areas.push_back(row[6]);
      frame.crowd.push_back(row[7] != 0 ? 1 : 0);
    } else {
      frame.detection_boxes.push_back(box);
      frame.detection_classes.push_back(id);
      frame.scores.push_back(static_cast<float>(row[6]));
    }
  }
  return load;
}

const Load& ReferenceLoad() {
  static const Load load = [] {
    const char* const dump =
        std::getenv("DETWATCH_BENCH_DUMP");  // NOLINT(concurrency-mt-unsafe): nobody sets it meanwhile
    return dump != nullptr ? ReadDump(dump) : MakeLoad(5000, 80, 42);
  }();
  return load;
}

}  // namespace detwatch::bench
