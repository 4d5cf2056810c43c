#pragma once
// The rules about halves of frames, as plainly as they can be written: what is to become of every message,
// frame by frame, with nothing shared with lib/. Everything is kept, nothing is incremental, and what is to
// be counted is counted anew at each look, from the frames that are judged.
//
// Read it as the rules: one function a rule. It is slow, and copied as a whole where the pipeline commits.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/snapshot/snapshot.h"
#include "tests/pipeline/history_support.h"

namespace detwatch::test {

// By name, those that are zero left out: "total yolo car true positives at 0.5".
using Numbers = std::map<std::string, std::int64_t>;

class PlainModel {
 public:
  explicit PlainModel(const pipeline::PipelineConfig& config) : config_(config) {}

  void Say(const Said& said, TimePoint now);
  // Everything that was said has been settled; now time counts.
  void Cut(TimePoint now);
  // What becomes of it depends on how long dedup keys remember beyond their horizon: not a rule.
  [[nodiscard]] bool IsUncertain(const Said& said, TimePoint now) const;
  // What becomes of it depends on where the cuts fall, where it should not: ingest joins both halves in one
  // cut, of a frame whose labels are the first only as far as dedup keys know.
  [[nodiscard]] bool DependsOnTheCut(const Said& said) const;

  [[nodiscard]] Numbers Expected(TimePoint now) const;

 private:
  struct TimedLabels {
    SaidLabels labels;
    TimePoint since;
  };
  struct TimedPredictions {
    SaidPredictions predictions;
    TimePoint since;
  };
  struct Judgement {
    SaidPredictions predictions;
    SaidLabels labels;  // by which it is judged now
    TimePoint at;       // when it was first
    bool kept = false;  // for a correction
  };
  struct Frame {
    std::map<std::string, TimedPredictions> seen;  // by model: the first content, for dedup
    std::map<std::string, TimedPredictions> waiting;
    std::map<std::string, Judgement> judged;
    std::optional<TimedLabels> waiting_labels;
    std::optional<TimedLabels> lingering;
    std::optional<TimedLabels> kept;
    std::optional<TimedLabels> known;  // the last that were accepted, for dedup
    std::optional<TimePoint> gone;     // since when it is known to have been here
    // In this cut, of what dedup keys may not know: labels came alone; predictions met held labels.
    bool labels_alone = false;
    bool met_held = false;

    [[nodiscard]] bool KeepsJudged() const;
  };
  struct Parked {
    Said said;
    TimePoint since;
  };
  enum class Against : std::uint8_t { kFirst, kSame, kOther, kLower, kHigher };

  void Process(const Said& said, TimePoint now);
  void OnList(int list, TimePoint now);
  void OnPredictions(const Said& said, TimePoint now);
  void OnLabels(const Said& said, bool with_predictions, TimePoint now);
  void OnHigherRevision(const Said& said, bool meets, TimePoint now);
  void Judge(Frame& frame, const SaidPredictions& predictions, const SaidLabels& labels, TimePoint now);
  // The labels are used from now on, and judge what waits.
  void UseLabels(Frame& frame, const SaidLabels& labels, TimePoint since, TimePoint now);
  void JudgeWaiting(Frame& frame, const SaidLabels& labels, TimePoint now);
  void Correct(Frame& frame, const SaidLabels& labels, bool meets, TimePoint now);
  // Nothing that was judged can be corrected any more.
  static void LetGo(Frame& frame, TimePoint now);
  void Expire(Frame& frame, TimePoint now);

  [[nodiscard]] const TimedLabels* Lingering(const Frame& frame, TimePoint now) const;
  [[nodiscard]] const TimedLabels* Held(const Frame& frame, TimePoint now) const;
  [[nodiscard]] static Against Compare(const SaidLabels& labels, const SaidLabels* known);
  [[nodiscard]] bool ListsKnown(const Said& said) const;
  [[nodiscard]] bool Keeps(const SaidLabels& labels) const;
  [[nodiscard]] bool Forgets() const;
  [[nodiscard]] bool Filtered(const SaidLabels& labels) const;

  void Count(const std::string& name) { ++counters_[name]; }
  void Reject(const std::string& reason) { Count("rejected " + reason); }
  void Tally(const Said& said, const std::string& field) { Count(said.publisher + " labels " + field); }

  pipeline::PipelineConfig config_;
  std::map<std::pair<std::string, std::string>, Frame> frames_;  // by stream and frame_id
  std::map<int, bool> lists_;                                    // announced
  bool quiet_ = false;                                           // kQuietModel is announced
  std::vector<Parked> parked_;
  Numbers counters_;
};

// What a snapshot says of the same, by the same names; label tallies are the caller's to add.
[[nodiscard]] Numbers Observed(const snapshot::Snapshot& snapshot);
// The differences in words; empty: none.
[[nodiscard]] std::string Differences(const Numbers& expected, const Numbers& observed);

// One judged frame counted by hand.
struct Judged {
  SaidPredictions predictions;
  SaidLabels labels;
};
// Adds the counts of all classes to those whose names begin with `prefix`.
void CountFrame(const std::string& prefix, const Judged& judged, const std::vector<double>& ious,
                Numbers& numbers);
// Detections of classes that the labels did not look for, and ground truths of classes the model does not
// know.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> Unjudged(const Judged& judged);

}  // namespace detwatch::test
