#pragma once
// lib/join -- predictions wait here for the labels of their frame, and labels for predictions.
//
// Labels come at once from a simulator, next day from people. The joiner holds what has come, hands out
// a frame as soon as both halves are here, and gives up on what waited too long. It is bounded twice, in
// time and in bytes, because neither alone protects a small machine. Labels belong to the frame: they are
// judged against every model that predicted it, and linger after their first use for slower models.
//
// What was seen before is told apart by content: the same again is a duplicate, anything else a conflict,
// and the first stays. Labels with a higher revision replace labels that were not used yet.
//
// Laws (tests of the same name): EveryFrameLeavesOnce, OrderOfHalvesDoesNotMatter,
//   BytesNeverExceedTheLimit, ExpiryIsByWaitingTimeNotByFrameTime.
// Cost: O(1) per message, O(expired) per Tick. Threads: none; owned by the pipeline.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/join/seen.h"

namespace detwatch::join {

struct JoinLimits {
  Duration retention = std::chrono::hours(24);  // of a half that waits, since its arrival
  Duration linger = std::chrono::minutes(10);   // of labels, since their first use
  std::size_t bytes = 512U << 20;               // of everything held
  Duration dedup_horizon = std::chrono::hours(1);
  std::size_t dedup_frames = 4000000;
};

// Both halves of a frame for one model.
struct Joined {
  Predictions predictions;
  std::shared_ptr<const Labels> labels;
  Duration label_delay{};  // how long the predictions waited; 0 when the labels were first
};

// A half that left alone.
struct Expired {
  bool labels_missing = false;  // else predictions were
  ModelKey model;               // when labels_missing
};

enum class Admission : std::uint8_t {
  kAccepted,
  kDuplicate,
  kConflict,  // seen with other content
  kStale,     // labels: a higher revision was seen
  kTooLate,   // labels: a higher revision of labels that were judged already
  kMemory,    // larger than everything that may be held
};

class Joiner {
 public:
  explicit Joiner(const JoinLimits& limits);
  ~Joiner();
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;

  // Appends to `joined` when the labels are here; else waits if `labels_expected`. What had to leave to make
  // room is appended to `expired`.
  Admission OnPredictions(Predictions predictions, bool labels_expected, TimePoint now,
                          std::vector<Joined>& joined, std::vector<Expired>& expired);
  // Appends one entry per model that waited.
  Admission OnLabels(Labels labels, TimePoint now, std::vector<Joined>& joined,
                     std::vector<Expired>& expired);
  // Both halves in one message. The predictions are always joined: with the labels held for the frame, or,
  // where those have gone already, with the ones given.
  struct PairAdmission {
    Admission predictions = Admission::kAccepted;
    Admission labels = Admission::kAccepted;
  };
  PairAdmission OnPair(Predictions predictions, Labels labels, TimePoint now, std::vector<Joined>& joined,
                       std::vector<Expired>& expired);
  // Lets go what waited for longer than retention, or lingered for longer than linger.
  void Tick(TimePoint now, std::vector<Expired>& expired);
  // New limits hold from the next call on.
  void SetLimits(const JoinLimits& limits) { limits_ = limits; }

  [[nodiscard]] std::size_t pending_predictions() const { return predictions_.size(); }
  [[nodiscard]] std::size_t pending_labels() const { return waiting_labels_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }  // of held halves; dedup keys are apart
  [[nodiscard]] std::size_t dedup_bytes() const { return seen_predictions_.bytes() + seen_labels_.bytes(); }

 private:
  struct Record;
  struct PredictionHalf {
    Predictions predictions;
    TimePoint since;
    std::size_t bytes = 0;
    Record* record = nullptr;
  };
  struct LabelHalf {
    std::shared_ptr<const Labels> labels;
    TimePoint since;  // arrival; first use once lingering
    std::size_t bytes = 0;
    Record* record = nullptr;
    bool used = false;
  };
  using PredictionList = std::list<PredictionHalf>;  // in order of arrival
  using LabelList = std::list<LabelHalf>;
  struct Record {
    const FrameKey* key = nullptr;  // of its map node
    bool has_labels = false;
    LabelList::iterator labels;
    std::vector<PredictionList::iterator> predictions;  // one per waiting model
  };

  Record& RecordOf(const FrameKey& key);
  void DropIfEmpty(Record* record);
  void DropPredictions(PredictionList::iterator half);
  void DropLabels(LabelList::iterator half);
  void MarkUsed(LabelList::iterator half, TimePoint now);
  void MakeRoom(std::vector<Expired>& expired);
  Admission AdmitLabels(std::shared_ptr<const Labels> labels, TimePoint now, std::vector<Joined>& joined,
                        std::vector<Expired>& expired);
  Admission Replace(LabelList::iterator half, std::shared_ptr<const Labels> labels);

  JoinLimits limits_;
  std::unordered_map<FrameKey, Record, FrameKeyHash> records_;
  PredictionList predictions_;
  LabelList waiting_labels_;
  LabelList lingering_labels_;
  std::size_t bytes_ = 0;
  Seen seen_predictions_;
  Seen seen_labels_;
};

}  // namespace detwatch::join
