#pragma once
// lib/core -- what matching says about one frame of one model: a record per judged detection and a summary
// per class. Matching writes it, accumulation reads it; it lives for one frame and is reused.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/core/evaluation.h"
#include "lib/core/geometry.h"

namespace detwatch {

// A class by name, interned by whoever runs the evaluation; dense from 0.
enum class ClassId : std::uint32_t {};
[[nodiscard]] constexpr std::uint32_t Index(ClassId id) {
  return static_cast<std::uint32_t>(id);
}

// Bit t is IoU threshold t.
using IouMask = std::uint16_t;
static_assert(sizeof(IouMask) * 8 >= kMaxIouThresholds);

// What the matching rules look at, whatever the shapes are: columns of n detections and m ground truths of
// judged classes.
struct FrameColumns {
  std::span<const float> scores;                  // n, in [0, 1]
  std::span<const ClassId> detection_classes;     // n
  std::span<const double> ground_truth_areas;     // m, square pixels
  std::span<const ClassId> ground_truth_classes;  // m
  std::span<const std::uint8_t> crowd;            // m, or empty: none
  std::span<const std::uint8_t> difficult;        // m, or empty: none
};

// One frame of boxes ready to be judged.
struct FrameView : FrameColumns {
  std::span<const Box> detection_boxes;     // n
  std::span<const Box> ground_truth_boxes;  // m
};

struct DetectionOutcome {
  float score = 0;
  std::uint32_t index = 0;  // position among the frame's detections
  std::uint32_t rank = 0;   // position in its class by score, 0 is the best; below the last max_dets
  float iou = 0;  // with the ground truth taken at HeadlineIou in area 0; 0 when not a true positive
  // Per area range. A detection that is neither is a false positive at that threshold.
  std::array<IouMask, kMaxAreaRanges> true_positive{};
  std::array<IouMask, kMaxAreaRanges> ignored{};
};

struct ClassOutcome {
  ClassId class_id{};
  std::uint32_t first = 0;  // its detections are detections[first, first + count), by descending score
  std::uint32_t count = 0;
  std::array<std::uint32_t, kMaxAreaRanges> ground_truths{};  // not ignored, per area range
  std::uint32_t ignored_ground_truths = 0;                    // in area 0 (crowd, difficult, out of range)
};

struct FrameOutcome {
  std::vector<DetectionOutcome> detections;
  std::vector<ClassOutcome> classes;  // ascending class, those with a detection or a ground truth

  void Clear() {
    detections.clear();
    classes.clear();
  }
};

}  // namespace detwatch
