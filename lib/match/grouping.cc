#include "lib/match/grouping.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace detwatch::match {
namespace {

constexpr std::size_t kWordBits = 64;

ScoreKey MakeScoreKey(float score, std::uint32_t index) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // turns -0 into 0
  // As integers, the bits of positive floats ascend with the value and those of negative ones descend.
  const std::uint32_t descending = (bits & kSign) != 0 ? bits : ~(bits | kSign);
  return (ScoreKey{descending} << 32) | index;
}

}  // namespace

template <class SlotOf, class ClassOf>
void Grouping::Scatter(const FrameColumns& frame, std::size_t slots, SlotOf slot_of, ClassOf class_of) {
  if (slots_.size() < slots) {
    slots_.resize(slots);
  }
  present_.assign((slots + kWordBits - 1) / kWordBits, 0);
  const auto touch = [&](ClassId id) -> Slot& {
    const std::size_t slot = slot_of(id);
    present_[slot / kWordBits] |= std::uint64_t{1} << (slot % kWordBits);
    return slots_[slot];
  };
  for (const ClassId id : frame.detection_classes) {
    ++touch(id).detections;
  }
  for (const ClassId id : frame.ground_truth_classes) {
    ++touch(id).ground_truths;
  }

  detections_.resize(frame.detection_classes.size());
  ground_truths_.resize(frame.ground_truth_classes.size());
  std::uint32_t next_detection = 0;
  std::uint32_t next_ground_truth = 0;
  const auto for_each_present = [&](auto visit) {
    for (std::size_t word = 0; word < present_.size(); ++word) {
      for (std::uint64_t bits = present_[word]; bits != 0; bits &= bits - 1) {
        visit(word * kWordBits + static_cast<std::size_t>(std::countr_zero(bits)));
      }
    }
  };
  for_each_present([&](std::size_t index) {
    Slot& slot = slots_[index];
    groups_.push_back({class_of(index),
                       {detections_.data() + next_detection, slot.detections},
                       {ground_truths_.data() + next_ground_truth, slot.ground_truths}});
    next_detection += std::exchange(slot.detections, next_detection);
    next_ground_truth += std::exchange(slot.ground_truths, next_ground_truth);
  });

  for (std::uint32_t i = 0; i < detections_.size(); ++i) {
    detections_[slots_[slot_of(frame.detection_classes[i])].detections++] = MakeScoreKey(frame.scores[i], i);
  }
  for (std::uint32_t i = 0; i < ground_truths_.size(); ++i) {
    ground_truths_[slots_[slot_of(frame.ground_truth_classes[i])].ground_truths++] = i;
  }
  std::uint32_t first = 0;
  for_each_present([&](std::size_t index) {
    const std::uint32_t last = std::exchange(slots_[index], Slot{}).detections;
    const auto begin = detections_.begin() + first;
    const auto end = detections_.begin() + last;
    if (!std::is_sorted(begin, end)) {  // detectors mostly send them in order
      std::sort(begin, end);
    }
    first = last;
  });
}

void Grouping::Build(const FrameColumns& frame) {
  groups_.clear();
  std::uint32_t largest = 0;
  for (const ClassId id : frame.detection_classes) {
    largest = std::max(largest, Index(id));
  }
  for (const ClassId id : frame.ground_truth_classes) {
    largest = std::max(largest, Index(id));
  }
  if (largest < kDirectClasses) {
    Scatter(
        frame, largest + std::size_t{1}, [](ClassId id) { return std::size_t{Index(id)}; },
        [](std::size_t slot) { return static_cast<ClassId>(slot); });
    return;
  }
  ids_.assign(frame.detection_classes.begin(), frame.detection_classes.end());
  ids_.insert(ids_.end(), frame.ground_truth_classes.begin(), frame.ground_truth_classes.end());
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  Scatter(
      frame, ids_.size(),
      [this](ClassId id) {
        return static_cast<std::size_t>(std::lower_bound(ids_.begin(), ids_.end(), id) - ids_.begin());
      },
      [this](std::size_t slot) { return ids_[slot]; });
}

}  // namespace detwatch::match
