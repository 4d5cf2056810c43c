#pragma once
// lib/settle -- settles what ingest could not: each half that travelled in a cut, in the order of arrival, is
// judged, waits, corrects, or is refused. Arrivals in, a separate value out; the numbers it changes are the
// owner's to apply.
//
// It owns what joining takes: the ledger of halves, the class lists, a decoder and a judge. What decides
// about labels is the table in lib/join/revision.h, and nothing else.
//
// Laws (tests of the same name): RefusedLabelsJudgeNothing, ARefusalStaysOne,
//   EachLabelMessageIsInOneFieldOfTheTally, ItDoesNotMatterWhereACutFalls.
// Cost: microseconds a half. Threads: one owner. Errors: Restore; a store that cannot be read later throws.

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/cells/contribution.h"
#include "lib/cells/evaluation.h"
#include "lib/core/counters.h"
#include "lib/core/key_value.h"
#include "lib/join/ledger.h"
#include "lib/judge/class_lists.h"
#include "lib/judge/judge.h"
#include "lib/settle/arrivals.h"
#include "lib/wire/decode.h"

namespace detwatch::settle {

// What a cut brings, beside its arrivals.
struct Moment {
  std::uint64_t cut = 0;
  TimePoint taken;
  accumulate::Ordinal first_ordinal = 0;  // ordinals from here on are free
  accumulate::Ordinal end_ordinal = 0;
  std::uint64_t refusals_known = 0;  // ingest has put back the keys refused up to this cut
};

// What settling the arrivals of a cut came to.
struct Settled {
  cells::Changes changes;
  std::vector<judge::ClassSet> new_sets;
  std::vector<cells::GroupId> correctable;  // groups that hold frames which may be corrected; may repeat
  IngestCounters counters;
  std::unordered_map<std::uint32_t, ModelCounts> models;
  LabelTallies tallies;
  std::vector<LateReject> rejects;
  std::vector<RefusedKey> refused_keys;
};

class Settler {
 public:
  // Requires: `store` outlives it. `quantum` divides every pane.
  Settler(const join::JoinLimits& limits, Duration quantum, std::size_t ring_capacity, std::size_t max_sets,
          KeyValue& store);

  // Reads what the store holds of the join.
  [[nodiscard]] Result<void> Restore(TimePoint now) { return ledger_.Restore(now); }
  [[nodiscard]] judge::ClassLists& lists() { return lists_; }
  // Frames of the group before `first_ordinal` were counted by other rules.
  void AddGroup(cells::GroupId id, std::shared_ptr<const EvaluationParams> params,
                accumulate::Ordinal first_ordinal);
  void DropGroup(cells::GroupId id) { groups_.erase(Index(id)); }
  void SetLimits(const join::JoinLimits& limits, std::size_t max_sets) {
    ledger_.SetLimits(limits);
    lists_.SetMaxSets(max_sets);
  }

  // Requires: moments in the order of their cuts.
  [[nodiscard]] Settled Settle(const Arrivals& arrivals, const Moment& moment);
  // Writes what lives in memory. Call before the store's commit.
  void Checkpoint(std::uint64_t cut) { ledger_.Checkpoint(cut); }
  [[nodiscard]] const join::Ledger& ledger() const { return ledger_; }

 private:
  struct Group {
    cells::Evaluation* evaluation = nullptr;
    accumulate::Ordinal first_ordinal = 0;
  };
  struct Work;  // of one call of Settle

  void Settle(const PredictionArrival& arrival, Work& work);
  void Settle(const LabelArrival& arrival, Work& work);
  void Settle(const JudgedArrival& arrival, Work& work);
  void CountVerdict(const LabelArrival& arrival, const join::LabelFate& fate, Work& work);
  void JudgeLate(const Predictions& predictions, const Labels& labels, const FrameHash& frame,
                 std::uint32_t model, const std::vector<cells::GroupId>& groups, TimePoint since, Work& work);
  void Correct(const join::HeldPredictions& held, const Labels& before, const Labels& after, Work& work);
  void TakeBack(const JudgedArrival& arrival, const Labels& labels, Work& work);
  void Keep(const Predictions& predictions, const FrameHash& frame, std::uint32_t model,
            const std::vector<cells::GroupId>& groups, accumulate::Ordinal ordinal, TimePoint judged,
            Work& work);
  void Expire(Work& work);
  // The labels that were accepted last, as far as dedup keys reach.
  [[nodiscard]] std::optional<std::uint64_t> Remembered(const LabelArrival& arrival) const;
  void NoteRefusal(const LabelArrival& arrival, bool accepted, const Work& work);
  void CountJudged(std::uint32_t model, TimePoint at, Duration delay, std::uint64_t unjudged_detections,
                   std::uint64_t unjudged_ground_truths, Work& work);
  // False when a list has left: then the frame cannot be judged any more.
  [[nodiscard]] bool Run(const Predictions& predictions, const Labels& labels, cells::Evaluation& evaluation,
                         judge::JudgedFrame& out);
  // The first that is still there; null: none.
  [[nodiscard]] cells::Evaluation* EvaluationOf(const std::vector<cells::GroupId>& groups);
  [[nodiscard]] const Group* FindGroup(cells::GroupId id) const;
  template <class T>
  [[nodiscard]] T Decode(std::string_view payload);

  Duration quantum_;
  std::size_t ring_capacity_;
  join::Ledger ledger_;
  judge::ClassLists lists_;
  wire::Decoder decoder_;
  judge::Judge judge_;
  std::vector<wire::Item> items_;
  std::unordered_map<std::uint64_t, std::unique_ptr<cells::Evaluation>> evaluations_;  // by fingerprint
  std::unordered_map<std::uint32_t, Group> groups_;                                    // by group index
  // Ingest remembers labels before it is known whether they stand. Of a frame of which some were refused,
  // what stands is known here until ingest has heard of it and nothing is on its way that came before that.
  struct Refusal {
    std::uint64_t cut = 0;                // of the last labels
    std::optional<std::uint64_t> ingest;  // what ingest remembers, once it has heard of all earlier cuts
    std::optional<std::uint64_t> stands;
  };
  std::unordered_map<std::uint64_t, Refusal> refusals_;  // by label key
};

}  // namespace detwatch::settle
