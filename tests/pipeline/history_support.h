#pragma once
// Random histories: what publishers say, when cuts are taken, when the process dies and the clock is set; in
// a universe that is small enough for halves to meet, and with limits short enough to be passed. Also in
// words, for a person who has to find out why one of them ended wrong.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/pipeline/config.h"
#include "lib/wire/decode.h"

namespace detwatch::test {

// What is wrong with a message.
enum class Fault : std::uint8_t { kNone, kClassId, kScore };

// Contents, lists and classes are numbers into small tables, see ObjectsOf() and ClassesOf().
struct SaidPredictions {
  std::string model;
  int list = 0;
  int content = 0;
  Fault fault = Fault::kNone;
  friend bool operator==(const SaidPredictions&, const SaidPredictions&) = default;
};

struct SaidLabels {
  int list = 2;
  int content = 0;
  unsigned examined = 0;  // 0: everything; else by bit, of the entries of the list: partial labels
  LabelSource source = LabelSource::kHuman;
  Sampling sampling = Sampling::kUnknown;
  std::uint32_t revision = 0;
  bool final = false;
  Fault fault = Fault::kNone;
};

struct Said {
  enum class Kind : std::uint8_t { kPredictions, kLabels, kFrame, kList, kModel };
  Kind kind = Kind::kPredictions;
  std::string publisher;
  FrameKey frame;
  SaidPredictions predictions;  // of kPredictions and kFrame; of kModel the model and its list
  SaidLabels labels;            // of kLabels and kFrame
  int list = 0;                 // of kList

  [[nodiscard]] bool HasPredictions() const { return kind == Kind::kPredictions || kind == Kind::kFrame; }
  [[nodiscard]] bool HasLabels() const { return kind == Kind::kLabels || kind == Kind::kFrame; }
};

// The model whose publisher expects no labels, once it has been announced.
inline constexpr const char* kQuietModel = "quiet";

struct HistoryEvent {
  enum class Kind : std::uint8_t { kSay, kTime, kCut, kHear, kCrash };
  Kind kind = Kind::kSay;
  std::vector<Said> said;  // more than one: a batch
  int monotonic = 0;       // kTime, seconds that pass
  int wall = 0;            // kTime, kCrash: seconds by which the wall clock is set, beside that
  // Of a cut; also before time passes, because what came is settled within about a second.
  bool commit = true;
  bool answer = true;         // ingest hears of it at once; otherwise at kHear, or with a later cut
  bool look = false;          // what stands is compared
  bool by_publisher = false;  // kCrash: what was lost comes again one publisher after the other
};

struct History {
  std::uint64_t seed = 0;
  pipeline::PipelineConfig config;
  std::vector<HistoryEvent> events;
  [[nodiscard]] bool Forgets() const { return config.join.dedup_horizon < std::chrono::hours(1); }
};

[[nodiscard]] History MakeHistory(std::uint64_t seed);

// One object at one of two places, which do not overlap.
struct SaidObject {
  int entry = 0;  // of the class list
  int place = 0;
  double shift = 0;  // to the right, of a box 40 wide
  float score = 1;
};
[[nodiscard]] const std::vector<SaidObject>& ObjectsOf(const SaidPredictions& predictions);
[[nodiscard]] const std::vector<SaidObject>& ObjectsOf(const SaidLabels& labels);
// Id and name of every entry; lists 0 and 1 are models', 2 and 3 those of label tools.
[[nodiscard]] const std::vector<std::pair<std::uint32_t, std::string>>& ClassesOf(int list);

[[nodiscard]] wire::Message MessageOf(const Said& said);

[[nodiscard]] std::string InWords(const Said& said);
[[nodiscard]] std::string InWords(const History& history);

}  // namespace detwatch::test
