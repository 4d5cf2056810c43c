#pragma once
// lib/cells -- the counts of one group of a view: its frames, its classes, and how they are stored and shown.
//
// A class gets a cell when something of it is detected or labelled. Classes that a model's list names are
// known before: their counters are there, at 0, and cost no cell. In how many frames a class was judged is
// counted once for all classes of a set (judge::ClassSet), so a frame costs what it touches.
//
// Order of a checkpoint: Apply what came, Advance to the time of the cut, Write. Show is for any time
// between; it changes no count.
//
// Laws (tests of the same name): AFrameCostsWhatItTouches, LookingChangesNothing,
//   KnownClassesHaveCountersAndNoCells, WhatWasShownBeforeDoesNotMatter,
//   ReadingWhatWasWrittenGivesTheSame.
// Threads: one owner. Errors: Read; a pane that cannot be read later throws.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/accumulate/mean_sums.h"
#include "lib/cells/cell.h"
#include "lib/cells/contribution.h"
#include "lib/cells/rows.h"
#include "lib/core/counters.h"
#include "lib/core/key_value.h"
#include "lib/core/view.h"
#include "lib/snapshot/snapshot.h"
#include "lib/window/frame_window.h"

namespace detwatch::cells {

// What class ids and sets mean; the owner's, for all groups.
struct Dictionary {
  std::vector<std::string> class_names;  // by class index
  std::unordered_map<std::uint64_t, std::vector<ClassId>> sets;
};

struct GroupSpec {
  GroupId id{};
  std::string view;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
  std::shared_ptr<const EvaluationParams> params;
};

class Group {
 public:
  // Requires: `layout` and `dictionary` outlive it.
  Group(GroupSpec spec, const GroupLayout& layout, const Dictionary& dictionary);

  void Apply(const GroupChange& change, std::int64_t quantum, KeyValue& store);
  void AddPredictions(const PredictionStats& stats);
  // Classes that a model of the group announced.
  void Know(const std::vector<ClassId>& classes);
  // Some of its frames may be corrected from now on.
  void SetCorrectable() {
    touched_ = touched_ || !correctable_;
    correctable_ = true;
  }
  // Closes panes and lets go of those that left by `now`.
  void Advance(TimePoint now, KeyValue& store);

  // Writes what changed since the last time.
  void Write(KeyValue& store);
  // Deletes all its rows.
  static void Erase(GroupId id, KeyValue& store);
  static void EraseCounts(GroupId id, KeyValue& store);
  // As the store holds it. Windows that are new begin with the quantum after `taken`. Requires: a new group.
  [[nodiscard]] Result<void> Read(const GroupRow& row, TimePoint taken, KeyValue& store);
  // Its counts start again: frames below `first` were counted by other rules.
  void StartAgain(accumulate::Ordinal first) { first_ordinal_ = first; }

  // The numbers as of the last Advance.
  [[nodiscard]] snapshot::Group Show(const ViewSpec& view, const std::vector<double>& fleet_ious) const;
  void ForgetCounters();

  [[nodiscard]] const GroupSpec& spec() const { return spec_; }
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] accumulate::Ordinal first_ordinal() const { return first_ordinal_; }
  [[nodiscard]] std::size_t cells() const { return cell_count_; }
  [[nodiscard]] std::size_t cell_bytes() const { return cell_bytes_; }
  // Calls visit(ClassId) for every class it speaks of, and visit_set(id) for every set.
  template <class Visit, class VisitSet>
  void ForEachReference(Visit visit, VisitSet visit_set) const;

 private:
  // A class by first appearance; without a cell while nothing of it was counted.
  struct Class {
    ClassId class_id{};
    std::unique_ptr<Cell> cell;
    bool touched = false;          // in touched_cells_
    mutable bool unshown = false;  // in unshown_
  };
  // The values of one window as they were shown last. Only what may have changed is asked for again: a look
  // at every one of thousands of classes would cost more than the frames.
  struct Shown {
    std::vector<std::shared_ptr<const accumulate::ClassSummary>> classes;  // parallel to classes_
    // Of so many classes each; empty while the group has few, whose mean is made anew.
    std::vector<accumulate::MeanSums> parts;
    accumulate::MeanSummary mean;  // without the frames counted by set
    bool any = false;              // frames inside, and the first of them
    accumulate::Ordinal first = 0;
    bool fresh = false;
  };
  Class& ClassOf(ClassId class_id);
  // Its counts may have changed since they were written, or shown.
  void Touch(std::uint32_t slot);
  void AdvanceCell(std::uint32_t slot, const std::vector<std::int64_t>& panes, KeyValue& store);
  Cell& CellOf(ClassId class_id, bool in_memory);
  void Account(Cell& cell, bool in_memory);
  [[nodiscard]] std::vector<std::int64_t> PanesOf(std::int64_t quantum) const;
  [[nodiscard]] snapshot::Window ShowWindow(std::size_t w) const;
  void ShowClasses(std::size_t w, const window::FrameStats& frames) const;
  void ShowMean(Shown& shown, const std::vector<std::uint32_t>& changed) const;
  void ShowCounters(const std::vector<double>& fleet_ious, snapshot::Group& out) const;
  // Frames by class, parallel to classes_; empty when there are none.
  [[nodiscard]] std::vector<std::int64_t> JudgedFrames(const window::SetCounts& sets) const;
  [[nodiscard]] Result<void> ReadCells(KeyValue& store);

  GroupSpec spec_;
  const GroupLayout& layout_;
  const Dictionary& dictionary_;
  std::uint64_t fingerprint_;
  accumulate::Shape fine_;
  accumulate::Ordinal first_ordinal_ = 0;
  bool correctable_ = false;
  std::vector<Class> classes_;                // known or counted
  std::vector<std::uint32_t> slot_of_class_;  // by class index: 1 + index into classes_
  std::size_t cell_count_ = 0;
  std::size_t cell_bytes_ = 0;
  window::FrameStats frames_;
  window::SetCounts retracted_sets_;
  std::vector<window::FrameWindow> windows_;
  // By window: it holds frames of the quanta from here on. Not those from before it was configured, so that
  // their corrections take nothing out of it.
  std::vector<TimePoint> windows_from_;
  PredictionStats predictions_;
  std::vector<std::int64_t> panes_;  // as of the last Advance
  // Slots of classes_: whose cells changed since Write, and since Show.
  std::vector<std::uint32_t> touched_cells_;
  mutable std::vector<std::uint32_t> unshown_;
  mutable std::vector<Shown> shown_;  // [0] of the total, then of the windows
  mutable std::vector<snapshot::IouQuantiles> shown_iou_;
  mutable std::shared_ptr<const PredictionStats> shown_predictions_;
  bool touched_ = true;        // since Write
  bool known_touched_ = true;  // classes_ has grown since
};

template <class Visit, class VisitSet>
void Group::ForEachReference(Visit visit, VisitSet visit_set) const {
  for (const Class& known : classes_) {
    visit(known.class_id);
  }
  const auto visit_all = [&](const window::SetCounts& sets) {
    for (const auto& [set, frames] : sets.counts()) {
      visit_set(set);
    }
  };
  visit_all(frames_.by_set);
  visit_all(retracted_sets_);
  for (const window::FrameWindow& window : windows_) {
    visit_all(window.Sum().by_set);
  }
}

}  // namespace detwatch::cells
