#pragma once
// lib/cells -- what judged frames contribute: signed changes, of a group and of each class in it.
//
// There is one way from a judged frame to counts, whoever judged it and when: Contribute(). A frame that is
// judged at once or late enters with sign 1. A frame that must not have been judged, because the labels are
// refused, is taken back with sign -1 before anybody has seen it. A correction takes the outcome by the old
// labels out and puts the new one in; what it takes out of the counts is also summed as retracted, so that
// exported counters never fall.
//
// A new accumulator is a member of CellChange (by class) or GroupChange (by group) and of Cell or Group,
// which apply it: ARCHITECTURE.md says how, step by step.
//
// Laws (tests of the same name): WhatIsTakenBackLeavesNothing, ACorrectionIsTheDifference.
// Cost: O(detections); a class that the frame does not touch costs nothing. Threads: one owner at a time.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/cells/iou_counts.h"
#include "lib/core/outcome.h"
#include "lib/core/time.h"
#include "lib/judge/judge.h"
#include "lib/window/frame_window.h"

namespace detwatch::cells {

// A group of a view, interned by ingest; dense from 0, never reused.
enum class GroupId : std::uint32_t {};
[[nodiscard]] constexpr std::uint32_t Index(GroupId id) {
  return static_cast<std::uint32_t>(id);
}

// Parameters of a group with the shape made from them.
struct Counting {
  const EvaluationParams& params;
  const accumulate::Shape& shape;  // fine
  std::size_t ring_capacity = accumulate::Ring::kDefaultCapacity;
};

// How a judged frame enters.
struct Entry {
  accumulate::Ordinal ordinal = 0;
  TimePoint capture;
  bool correction = false;  // of a frame that was counted before and stays counted
};

// Signed changes of one class in one group.
struct CellChange {
  ClassId class_id{};
  accumulate::Histogram counts;                 // fine layout
  std::vector<accumulate::RingRecord> records;  // ascending ordinal, at most twice the ring's capacity
  accumulate::Ordinal dropped_through = 0;      // records up to here did not fit
  bool dropped = false;
  // After the above: what leaves the ring, and what comes at its place.
  std::vector<accumulate::Ordinal> removed;
  std::vector<accumulate::RingRecord> inserted;      // ascending ordinal
  std::unique_ptr<accumulate::Histogram> retracted;  // what corrections took out of counts
  IouCounts iou;

  void Add(const Counting& how, const ClassOutcome& outcome, std::span<const DetectionOutcome> detections,
           int sign, const Entry& entry);
  // Frames in which the class was judged, where they are not counted by set.
  void AddJudged(const Counting& how, int sign, bool correction);

 private:
  accumulate::Histogram& Retracted(const accumulate::Shape& shape);
  void Append(const Counting& how, std::span<const DetectionOutcome> detections, accumulate::Ordinal ordinal);
  void Insert(std::span<const DetectionOutcome> detections, accumulate::Ordinal ordinal);
};

// Changes of one group in one quantum.
struct GroupChange {
  window::FrameStats frames;
  window::SetCounts retracted_sets;                // what corrections took out of frames.by_set
  std::vector<std::unique_ptr<CellChange>> cells;  // in order of first touch

  // The cell of a class, created on first touch.
  CellChange& Cell(ClassId class_id, const accumulate::Shape& shape);

 private:
  std::vector<std::uint32_t> cell_of_class_;  // by class index: 1 + index into cells, 0 none
};

// Changes of all groups in one quantum: frames of one quantum lie in one pane of every window.
class QuantumChange {
 public:
  struct OfGroup {
    GroupId group{};
    GroupChange change;
  };
  GroupChange& Group(GroupId group);
  [[nodiscard]] const std::vector<std::unique_ptr<OfGroup>>& groups() const { return groups_; }

 private:
  std::vector<std::unique_ptr<OfGroup>> groups_;  // in order of first touch
  std::vector<std::uint32_t> slot_of_group_;      // by group index: 1 + index into groups_, 0 none
};

// By quantum, ascending.
using Changes = std::map<std::int64_t, QuantumChange>;

// Turns one judged frame, signed, into the changes of one group.
void Contribute(const judge::JudgedFrame& judged, int sign, const Entry& entry, const Counting& how,
                GroupChange& change);

// The quantum that holds `at`; rounds down, also before 1970.
[[nodiscard]] std::int64_t QuantumAt(TimePoint at, Duration quantum);

}  // namespace detwatch::cells
