#pragma once
// lib/pipeline -- the second half: what has been counted, and the order in which a cut becomes part of it.
// Settle what did not meet, apply all changes, let time pass, write; then somebody may look. What is counted
// and how is lib/cells', what becomes of a half is lib/settle's. One thread owns it. A crash of arithmetic
// here is a bug and an assert: everything was checked in ingest.
//
// Everything it holds is what the store's last commit holds plus what is put there since, so a restart at any
// moment goes on from the last commit as if nothing had happened.
//
// Laws (tests of the same name): ATotalIsTheSumOfItsCuts, AWindowEqualsAFromScratchEvaluationOfItsFrames,
//   UnchangedClassesAreShared, ARestartAtAnyCheckpointChangesNothing,
//   ACorrectionIsAsIfItHadBeenRightFromTheStart, LookingChangesNothing.
// Cost: Absorb O(touched bins), Take O(changed classes x windows). No I/O but the store's, no clock, no
// threads. Errors: Restore; a store that cannot be read later throws.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/cells/group.h"
#include "lib/core/key_value.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/restored.h"
#include "lib/pipeline/rows.h"
#include "lib/settle/settler.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::pipeline {

class State {
 public:
  // Requires: `store` outlives the state.
  State(const PipelineConfig& config, KeyValue& store);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Reads what the store holds. Groups that count by other rules than configured start again at zero; waiting
  // frames stay. Requires: nothing was absorbed.
  [[nodiscard]] Result<Restored> Restore(TimePoint now);
  // Makes the cut part of the state and puts it into the store; the commit is the caller's. Requires: cuts
  // arrive in the order of their numbers.
  [[nodiscard]] Absorbed Absorb(const Cut& cut);
  // Windows let go of what has left by `now`. Absorb does so for the time of its cut.
  void Advance(TimePoint now);
  // The numbers as of the last Advance or Absorb. Changes none of them.
  [[nodiscard]] std::shared_ptr<const snapshot::Snapshot> Take() const;
  [[nodiscard]] std::size_t cell_bytes() const;
  // Of reliable publishers whose labels were settled since the last call: of their run `epoch`.
  struct Tally {
    std::string publisher;
    std::uint64_t epoch = 0;
    LabelTally labels;
  };
  [[nodiscard]] std::vector<Tally> TakeTallies();

 private:
  struct Publisher {
    PublisherRow row;
    bool labels_changed = false;
  };

  // state.cc: the order.
  void Define(const Cut& cut);
  void DefineModel(const ModelChange& change);
  void AddGroup(const GroupDefinition& definition);
  void DropGroup(GroupId id);
  void Apply(const cells::Changes& changes);
  void Apply(const Cut& cut, const settle::Settled& settled);
  void CountModel(std::uint32_t id, const settle::ModelCounts& counts);
  void CountTallies(const settle::LabelTallies& tallies, std::vector<std::string>& changed);
  // Brings rows of publishers up to date, and says which.
  [[nodiscard]] std::vector<std::string> CountPublishers(const Cut& cut, const settle::Settled& settled);
  void GaugeLedger();
  void Reload(const PipelineConfig& next);

  // state_write.cc
  void Write(const Cut& cut, const settle::Settled& settled, const std::vector<std::string>& publishers);
  void WriteDefinitions(const Cut& cut, const settle::Settled& settled);
  void WriteSeen(std::string_view kind, join::Seen::Changes changes, const settle::Settled& settled,
                 const Cut& cut, std::uint64_t& oldest);

  // state_restore.cc
  [[nodiscard]] Result<void> RestoreClasses(Restored& restored);
  [[nodiscard]] Result<void> RestoreModels(Restored& restored);
  [[nodiscard]] Result<void> RestoreStreams(Restored& restored);
  [[nodiscard]] Result<void> RestorePublishers(Restored& restored);
  [[nodiscard]] Result<void> RestoreSeen(Restored& restored);
  [[nodiscard]] Result<void> RestoreGroups(Restored& restored);
  [[nodiscard]] Result<void> RestoreGroup(GroupId id, const cells::GroupRow& row, Restored& restored);
  void ForgetUnused(Restored& restored);

  PipelineConfig config_;
  KeyValue& store_;
  settle::Settler settler_;
  cells::Dictionary dictionary_;
  std::vector<cells::GroupLayout> layouts_;                // by view
  std::vector<std::unique_ptr<cells::Group>> groups_;      // by group index; null: retired
  std::vector<std::size_t> view_of_group_;                 // parallel
  std::vector<std::unique_ptr<ModelRow>> models_;          // by model index; null: retired
  std::unordered_map<std::string, Publisher> publishers_;  // by the key of their row
  HeadRow head_;
  IngestCounters counters_;
  snapshot::Gauges gauges_;
  TimePoint now_;
  Duration wall_ahead_{};
};

}  // namespace detwatch::pipeline
