#pragma once
// lib/join -- the frames that did not meet their other half at once: predictions that wait for labels, labels
// that wait for predictions, labels that linger for slower models, and judged frames that may still be
// corrected.
//
// Everything is in a KeyValue: a frame's rows lie side by side under its hash, so one look finds all of them,
// and a second key with the time of arrival in front lets go of the oldest without reading the rest. Only the
// labels that linger are in memory, bounded by bytes; so a million frames that wait cost none. Halves are
// opaque bytes here; the pipeline encodes and judges them.
//
// Whatever labels are held serve every model that comes: those that wait, that linger, and those that are
// kept for corrections. What becomes of labels is decided by the table in revision.h.
//
// Laws (tests of the same name): EveryFrameLeavesOnce, OrderOfHalvesDoesNotMatter,
//   WaitingBytesNeverExceedTheLimit, ExpiryIsByWaitingTimeNotByFrameTime, RestoredItAnswersTheSame,
//   HeldLabelsServeEveryModel.
// Cost: predictions a look-up in memory, one in the store while labels wait, and two writes; labels one range
// read. Expire O(expired). Threads: none, owned by the state. Errors: Restore; a store that cannot be read
// throws.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/key_value.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/join/limits.h"
#include "lib/join/revision.h"

namespace detwatch::join {

// Labels as the ledger knows them.
struct HeldLabels {
  std::uint32_t revision = 0;
  LabelSource source = LabelSource::kUnknown;
  bool final = false;
  std::uint64_t content_hash = 0;
  TimePoint accepted;  // when they came
  std::string bytes;   // of the labels
};

// Predictions of one model that waited, or were judged and kept.
struct HeldPredictions {
  std::uint32_t model = 0;
  TimePoint since;  // arrival, or when they were judged
  std::string bytes;
};

// A half that left alone.
struct Expired {
  bool labels_missing = false;  // else predictions were
  std::uint32_t model = 0;      // when labels_missing
};

// What is known of labels that come, beside themselves.
struct LabelContext {
  // Predictions of the frame came with them, or were judged by them already.
  bool meets = false;
  std::optional<std::uint64_t> remembered;  // what dedup keys know of the frame's labels: a LabelKey
};

struct LabelFate {
  Verdict verdict = Verdict::kJudge;
  std::vector<HeldPredictions> joined;       // to be judged by the new labels
  std::vector<HeldPredictions> corrected;    // were judged by `before`; stay kept
  std::shared_ptr<const HeldLabels> before;  // not null with `corrected`
};

struct TimedLabels {
  std::shared_ptr<const HeldLabels> labels;
  TimePoint since;
};

class Ledger {
 public:
  // Requires: `store` outlives the ledger.
  Ledger(const JoinLimits& limits, KeyValue& store) : limits_(limits), store_(store) {}

  // Reads what the store holds. Requires: nothing else was called before.
  [[nodiscard]] Result<void> Restore(TimePoint now);

  // The labels by which predictions of this frame are to be judged now; null when none are here. They count
  // as used from now on.
  [[nodiscard]] std::shared_ptr<const HeldLabels> UseLabels(const FrameHash& frame, TimePoint now);
  // Predictions wait. False when they alone are more than may wait.
  [[nodiscard]] bool Wait(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now);
  [[nodiscard]] LabelFate OnLabels(const FrameHash& frame, const std::shared_ptr<const HeldLabels>& labels,
                                   const LabelContext& context, TimePoint now);
  // True when frames judged by these labels are to be kept for a correction.
  [[nodiscard]] bool Keeps(bool final) const { return !final && limits_.KeepsJudged(); }
  // Keeps judged predictions. Requires: Keeps() of their labels.
  void Keep(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now);

  // Lets go what waited, lingered or was kept for too long, or is too much.
  void Expire(TimePoint now, std::vector<Expired>& expired);
  // Writes what lives in memory. Call before the store's commit, with a number that rises.
  void Checkpoint(std::uint64_t number);
  void SetLimits(const JoinLimits& limits) { limits_ = limits; }

  struct Totals {
    std::uint64_t waiting_predictions = 0;
    std::uint64_t waiting_labels = 0;
    std::uint64_t waiting_bytes = 0;
    std::uint64_t kept = 0;  // predictions judged by labels that are not final
    std::uint64_t kept_bytes = 0;
    std::uint64_t gone = 0;  // frames known to have been here
  };
  [[nodiscard]] const Totals& totals() const { return totals_; }
  // No labels that are held came before this; max(): none are held. A lower bound.
  [[nodiscard]] TimePoint HoldsLabelsSince(TimePoint now) const;
  [[nodiscard]] std::size_t lingering() const { return lingering_.size(); }
  [[nodiscard]] std::size_t lingering_bytes() const { return lingering_bytes_; }

 private:
  struct Rows;  // everything held of one frame
  using Lingering = TimedLabels;
  // The labels that are known to be held of a frame, and how.
  struct Known {
    std::shared_ptr<const HeldLabels> labels;  // null: none
    Held held = Held::kNothing;
  };
  [[nodiscard]] Rows Read(const FrameHash& frame) const;
  [[nodiscard]] const Lingering* FindLingering(const FrameHash& frame, TimePoint now) const;
  [[nodiscard]] Known FindKnown(const FrameHash& frame, const Rows& rows, TimePoint now) const;
  void Use(const FrameHash& frame, const std::shared_ptr<const HeldLabels>& labels, TimePoint now);
  void Linger(const FrameHash& frame, std::shared_ptr<const HeldLabels> labels, TimePoint since);
  void DropLingering(const FrameHash& frame);
  void PutHalf(const FrameHash& frame, char kind, std::uint32_t model, std::string_view bytes, TimePoint now);
  void PutLabels(const FrameHash& frame, char kind, const HeldLabels& labels, TimePoint since);
  void DropWaitingLabels(const FrameHash& frame, const TimedLabels& labels);
  void TakePlace(const FrameHash& frame, Rows& rows, const Known& known, Against against,
                 const std::shared_ptr<const HeldLabels>& labels, TimePoint now);
  void Correct(const FrameHash& frame, Rows& rows, const std::shared_ptr<const HeldLabels>& labels,
               bool meets, LabelFate& fate, TimePoint now);
  void ReplaceKept(const FrameHash& frame, const TimedLabels& before, const HeldLabels& labels);
  void Join(const FrameHash& frame, Rows& rows, LabelFate& fate);
  // No correction will come any more.
  void DropKept(const FrameHash& frame, const Rows& rows, TimePoint now);
  // Lets go of the oldest of one queue until none is older than `age` and `full` is false.
  void Trim(
      char queue, TimePoint now, Duration age, const std::function<bool()>& full,
      const std::function<void(const FrameHash&, char kind, std::uint32_t model, std::uint64_t bytes)>& drop);
  void DeleteRow(const std::string& key, char kind, TimePoint since);
  void TrimLingering(TimePoint now);
  void MarkGone(const FrameHash& frame, TimePoint now);

  JoinLimits limits_;
  KeyValue& store_;
  Totals totals_;
  std::unordered_map<FrameHash, Lingering, FrameHashHash> lingering_;
  std::deque<std::pair<TimePoint, FrameHash>> linger_order_;
  std::size_t lingering_bytes_ = 0;
  std::string linger_changes_;                                    // since the last checkpoint
  std::deque<std::pair<std::uint64_t, TimePoint>> linger_blobs_;  // number, newest time inside
  TimePoint linger_newest_;
  std::unordered_map<char, TimePoint> queue_from_;  // nothing in the queue is older
  // Labels that were used long after they came are older than their place in a queue says.
  TimePoint late_accepted_ = TimePoint::max();
  TimePoint late_until_;
};

}  // namespace detwatch::join
