#pragma once
// lib/cells -- one class in one group: the histogram since the beginning, its windows, and the ring they
// share; how a change applies to it, live and at a start, how it is stored, and the numbers it gives.
//
// Laws (tests of the same name): ReadingWhatWasWrittenGivesTheSame, LookingChangesNothing.
// Cost: Apply O(touched bins), Write what was added or, now and then, all of it; Summarise is kept until the
// counts change. Threads: one owner. Errors: Read; a pane that cannot be read later throws.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/accumulate/summary.h"
#include "lib/cells/contribution.h"
#include "lib/cells/rows.h"
#include "lib/core/key_value.h"
#include "lib/snapshot/snapshot.h"
#include "lib/window/cell_window.h"

namespace detwatch::cells {

// What all groups of a view have in common.
struct GroupLayout {
  std::vector<WindowSpec> windows;
  Duration quantum{};  // divides every pane
  std::size_t ring_capacity = accumulate::Ring::kDefaultCapacity;

  // The pane of window `w` that holds a quantum.
  [[nodiscard]] std::int64_t PaneOf(std::size_t w, std::int64_t quantum) const;
};

class Cell {
 public:
  Cell(GroupId group, ClassId class_id, const EvaluationParams& params, const GroupLayout& layout);

  // The panes of a quantum, by window. A window that the quantum is no part of has kNoPane.
  using Panes = std::span<const std::int64_t>;
  static constexpr std::int64_t kNoPane = window::CellWindow::kNoPane;
  // `start`: of the quantum.
  void Apply(const CellChange& change, TimePoint start, Panes panes, KeyValue& store);
  // Closes panes and lets go of those that are outside when these are the current ones. True when there were
  // any, so that its values or what it takes may have changed.
  bool Advance(Panes current, KeyValue& store);

  // Writes what changed since the last time.
  void Write(const GroupLayout& layout, KeyValue& store);
  // What a store held of it. Requires: a new cell.
  struct Stored {
    std::string base;
    std::vector<std::string> additions;                      // rows, in order
    std::vector<std::pair<std::string, std::string>> panes;  // key behind PanesKey(group), value
  };
  // `from`: by window, the first quantum it holds.
  [[nodiscard]] Result<void> Read(const Stored& stored, const GroupLayout& layout,
                                  std::span<const TimePoint> from, KeyValue& store);

  // The values of window `w`, 0 being the total; null: nothing was counted. `first`: no frame inside has a
  // lower ordinal; `any`: there are frames.
  [[nodiscard]] std::shared_ptr<const accumulate::ClassSummary> Summarise(const EvaluationParams& params,
                                                                          std::size_t w, bool any,
                                                                          accumulate::Ordinal first) const;
  // What was added, and what was retracted of it; the latter null when nothing was.
  struct Counters {
    std::shared_ptr<const snapshot::ClassCounters> added;
    std::shared_ptr<const snapshot::ClassCounters> retracted;
  };
  [[nodiscard]] const Counters& Count(const EvaluationParams& params,
                                      const std::vector<double>& fleet_ious) const;
  // How well boxes fit, since the beginning.
  [[nodiscard]] snapshot::IouQuantiles ShowIou() const { return {iou_.Quantile(0.1), iou_.Quantile(0.5)}; }
  // The thresholds of the fleet bins have changed.
  void ForgetCounters() { counters_ = {}; }

  [[nodiscard]] ClassId class_id() const { return class_id_; }
  [[nodiscard]] bool changed() const { return changed_; }  // since Write
  // Closed panes only where the store is in memory.
  [[nodiscard]] std::size_t Bytes(bool with_closed) const;
  std::size_t accounted_bytes = 0;  // the owner's note

 private:
  struct Summary {
    bool fresh = false;
    bool exact = false;
    std::shared_ptr<const accumulate::ClassSummary> values;
  };
  void ApplyToTotal(const CellChange& change);
  void Touch();
  void WriteBase(const GroupLayout& layout, KeyValue& store);
  // Adds them to the total.
  [[nodiscard]] Result<std::vector<Addition>> ReadAdditions(const std::vector<std::string>& rows);
  [[nodiscard]] Result<void> ReadWindow(std::size_t w, const StoredCell::Window& stored,
                                        const std::vector<Addition>& additions, const WindowSpec& spec,
                                        TimePoint from);

  ClassId class_id_;
  std::string key_;
  std::size_t ring_capacity_;
  accumulate::Shape coarse_;
  accumulate::Histogram total_;                       // what is counted now
  std::unique_ptr<accumulate::Histogram> retracted_;  // what corrections took out; null: nothing
  IouCounts iou_;
  std::vector<window::CellWindow> windows_;
  accumulate::Ring ring_;
  mutable std::vector<Summary> summaries_;  // [0] of the total, then of the windows
  mutable Counters counters_;               // null: out of date

  // How it stands in the store.
  std::string unsaved_;          // additions since the last checkpoint
  bool changed_ = false;         // there are some
  bool rewrite_ = true;          // the base is missing or of another shape of windows
  std::uint32_t additions_ = 0;  // rows behind the base
  std::size_t base_bytes_ = 0;
  std::size_t addition_bytes_ = 0;
};

// What a change does to a ring.
void ApplyToRing(const CellChange& change, accumulate::Ring& ring);

}  // namespace detwatch::cells
