#pragma once
// lib/pipeline -- the second half: settles what did not meet at once, absorbs cuts into cells and windows,
// writes all of it to the store, and turns it into snapshots. One thread owns it. A crash of arithmetic here
// is a bug and an assert: everything was checked in ingest.
//
// Everything it holds is what the store's last commit holds plus what is put there since, so a restart at any
// moment goes on from the last commit as if nothing had happened.
//
// Laws: ATotalIsTheSumOfItsCuts, AWindowEqualsAFromScratchEvaluationOfItsFrames, UnchangedClassesAreShared,
//   ARestartAtAnyCheckpointChangesNothing, ACorrectionIsAsIfItHadBeenRightFromTheStart.
// Cost: Absorb O(touched bins), Take O(changed classes x windows). No I/O but the store's, no clock, no
// threads. Errors: Restore; a store that cannot be read later throws.

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/key_value.h"
#include "lib/join/ledger.h"
#include "lib/pipeline/class_registry.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/judge.h"
#include "lib/pipeline/restored.h"
#include "lib/snapshot/snapshot.h"
#include "lib/window/cell_window.h"
#include "lib/window/frame_window.h"
#include "lib/wire/decode.h"

namespace detwatch::pipeline {

class State {
 public:
  // Null `store`: one in memory. `on_disk`: what is in the store costs no memory. Requires: `store` outlives
  // the state.
  explicit State(const PipelineConfig& config, KeyValue* store = nullptr, bool on_disk = false);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Reads what the store holds. Groups that count by other rules than configured start again at zero; waiting
  // frames stay. Requires: nothing was absorbed.
  [[nodiscard]] Result<Restored> Restore(TimePoint now);
  // Settles the cut's arrivals (their outcome becomes part of the cut), absorbs it and puts it into the
  // store; the commit is the caller's. Requires: cuts arrive in the order of their numbers.
  void Absorb(Cut& cut);
  // The numbers of this moment; windows let go of what has left by `now`.
  [[nodiscard]] std::shared_ptr<const snapshot::Snapshot> Take(TimePoint now);
  [[nodiscard]] std::size_t cell_bytes() const { return cell_bytes_; }
  // Of reliable publishers whose labels were settled since the last call: of their run `epoch`.
  struct Tally {
    std::string publisher;
    std::uint64_t epoch = 0;
    LabelTally labels;
  };
  [[nodiscard]] std::vector<Tally> TakeTallies();

 private:
  struct Cell;
  struct Group;
  struct Model;
  struct Evaluation;
  // A publisher's row as it is stored.
  struct Publisher {
    delivery::Sequences::Mark mark;
    TimePoint last_seen;
    std::uint64_t labels_epoch = 0;  // the run that `labels` are of
    LabelTally labels;
    bool labels_changed = false;
  };

  Group& GroupOf(GroupId id);
  [[nodiscard]] Group* FindGroup(GroupId id);
  void AddGroup(GroupId id, std::size_t view, std::vector<std::pair<std::string, std::string>> labels,
                std::string model, std::shared_ptr<const EvaluationParams> params);
  void DropGroup(GroupId id);
  Cell& CellOf(Group& group, ClassId class_id);
  void Define(const Cut& cut);
  void Absorb(Group& group, GroupDelta& delta, std::int64_t quantum);
  void Account(Cell& cell);
  [[nodiscard]] std::int64_t PaneAt(const WindowSpec& window, std::int64_t quantum) const;
  [[nodiscard]] snapshot::Group Describe(Group& group, const ViewSpec& view, TimePoint now);

  // settle.cc
  struct Settling;
  void Settle(Cut& cut);
  void Settle(PredictionArrival& arrival, Settling& now);
  void Settle(LabelArrival& arrival, Settling& now);
  void Settle(KeptArrival& arrival, Settling& now);
  void JudgeLate(const Predictions& predictions, const Labels& labels, const FrameHash& frame,
                 std::uint32_t model, const std::vector<GroupId>& groups, TimePoint since, Settling& now);
  void CorrectFrame(const join::HeldPredictions& held, const Labels& before, const Labels& after,
                    Settling& now);
  [[nodiscard]] Evaluation* EvaluationOf(const std::vector<GroupId>& groups);
  template <class T>
  [[nodiscard]] T Decode(std::string_view payload);

  // persist.cc and restore.cc
  void Persist(Cut& cut);
  void PersistDefinitions(const Cut& cut);
  void PersistPublishers(const Cut& cut);
  void PersistDedup(char which, const join::Seen::Changes& changes, std::uint64_t cut);
  void PersistGroup(Group& group);
  void PersistCell(Group& group, Cell& cell);
  [[nodiscard]] Result<void> RestoreDefinitions(Restored& restored);
  [[nodiscard]] Result<void> RestoreGroup(GroupId id, std::string_view value, Restored& restored);
  [[nodiscard]] Result<void> RestoreCells(Group& group);
  [[nodiscard]] Result<void> RestoreCell(Group& group, ClassId class_id, std::string_view base);

  PipelineConfig config_;
  Duration quantum_;
  std::unique_ptr<KeyValue> own_store_;
  bool on_disk_;
  KeyValue& store_;
  join::Ledger ledger_;
  ClassRegistry classes_;
  wire::Decoder decoder_;
  Judge judge_;
  std::vector<wire::Item> items_;
  std::vector<std::unique_ptr<Evaluation>> evaluations_;
  std::vector<std::vector<std::size_t>> view_windows_;  // per view: indices into config_.windows
  std::vector<std::string> class_names_;
  std::vector<std::vector<ClassId>> sets_;
  std::vector<std::unique_ptr<Group>> groups_;             // by group index; null once retired
  std::vector<std::unique_ptr<Model>> models_;             // by model index; null once retired
  std::unordered_map<std::string, Publisher> publishers_;  // by transport and name
  std::uint32_t class_lists_ = 0;                          // stored
  std::uint32_t next_group_ = 0;
  std::uint32_t next_model_ = 0;
  std::uint64_t seen_oldest_[2] = {0, 0};  // generations below are deleted
  IngestCounters counters_;
  snapshot::Gauges gauges_;
  std::uint64_t cuts_ = 0;
  std::size_t cell_bytes_ = 0;
  std::size_t cells_ = 0;
  std::vector<accumulate::RingRecord> records_;  // kept for its capacity
};

}  // namespace detwatch::pipeline
