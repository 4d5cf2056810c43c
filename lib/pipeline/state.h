#pragma once
// lib/pipeline -- the second half: absorbs cuts into cells and windows, and turns them into snapshots. One
// thread owns it. A crash of arithmetic here is a bug and an assert: everything was checked in ingest.
//
// Laws: ATotalIsTheSumOfItsCuts, AWindowEqualsAFromScratchEvaluationOfItsFrames, UnchangedClassesAreShared.
// Cost: Absorb O(touched bins), Take O(changed classes x windows). No I/O, no clock, no threads.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/snapshot/snapshot.h"
#include "lib/window/cell_window.h"
#include "lib/window/frame_window.h"

namespace detwatch::pipeline {

class State {
 public:
  explicit State(const PipelineConfig& config);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Requires: cuts arrive in the order of their numbers.
  void Absorb(const Cut& cut);
  // The numbers of this moment; windows let go of what has left by `now`.
  [[nodiscard]] std::shared_ptr<const snapshot::Snapshot> Take(TimePoint now);
  [[nodiscard]] std::size_t cell_bytes() const { return cell_bytes_; }

 private:
  struct Cell;
  struct Group;
  struct Model;

  Group& GroupOf(GroupId id);
  Cell& CellOf(Group& group, ClassId class_id);
  void Absorb(Group& group, const GroupDelta& delta, std::int64_t quantum);
  void Account(Cell& cell);
  [[nodiscard]] std::int64_t PaneAt(const WindowSpec& window, std::int64_t quantum) const;
  [[nodiscard]] snapshot::Group Describe(Group& group, const ViewSpec& view, TimePoint now);

  PipelineConfig config_;
  Duration quantum_;
  std::vector<std::vector<std::size_t>> view_windows_;  // per view: indices into config_.windows
  std::vector<std::string> class_names_;
  std::vector<std::vector<ClassId>> sets_;
  std::vector<std::unique_ptr<Group>> groups_;  // by group index; null once retired
  std::vector<std::unique_ptr<Model>> models_;  // by model index; null once retired
  IngestCounters counters_;
  snapshot::Gauges gauges_;
  std::uint64_t cuts_ = 0;
  std::size_t cell_bytes_ = 0;
  std::size_t cells_ = 0;
  std::vector<accumulate::RingRecord> records_;  // kept for its capacity
};

}  // namespace detwatch::pipeline
