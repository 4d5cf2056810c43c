#pragma once
// lib/match -- one frame's detections and ground truths, sorted into classes. Internal to this room.
//
// Why not one sort: a frame of a hundred detections has dozens of classes, so after a counting pass over the
// classes most groups hold one or two detections and need next to no sorting.
//
// Classes ascend; inside one, detections descend by score, ties by index, and ground truths keep their order.
// Cost: O(n + m + classes / 64), and O(k log k) for the k detections of each class; class ids
// from kDirectClasses on cost O((n + m) log(n + m)) more. Allocation-free once warm. Threads: none.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/core/outcome.h"

namespace detwatch::match {

// Sorts ascending by (score descending, index); -0 and 0 are equal scores.
using ScoreKey = std::uint64_t;
[[nodiscard]] inline std::uint32_t IndexOf(ScoreKey key) {
  return static_cast<std::uint32_t>(key);
}

struct ClassGroup {
  ClassId class_id{};
  std::span<const ScoreKey> detections;
  std::span<const std::uint32_t> ground_truths;  // indices
};

class Grouping {
 public:
  // Frames whose ids are all below this are counted in arrays indexed by class.
  static constexpr std::size_t kDirectClasses = 4096;

  // Replaces what was there. Requires: columns agree in length.
  void Build(const FrameColumns& frame);

  // Classes with a detection or a ground truth; valid until the next Build.
  [[nodiscard]] std::span<const ClassGroup> groups() const { return groups_; }

 private:
  // While counting, how many; while scattering, where the next one goes. Zero between calls.
  struct Slot {
    std::uint32_t detections = 0;
    std::uint32_t ground_truths = 0;
  };

  // `slot_of` maps the frame's classes to [0, slots) and keeps their order; `class_of` is its inverse.
  template <class SlotOf, class ClassOf>
  void Scatter(const FrameColumns& frame, std::size_t slots, SlotOf slot_of, ClassOf class_of);

  std::vector<Slot> slots_;
  std::vector<std::uint64_t> present_;  // one bit per slot
  std::vector<ClassId> ids_;            // ascending; used when an id is too large
  std::vector<ScoreKey> detections_;
  std::vector<std::uint32_t> ground_truths_;
  std::vector<ClassGroup> groups_;
};

}  // namespace detwatch::match
