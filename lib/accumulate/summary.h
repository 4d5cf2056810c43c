#pragma once
// lib/accumulate -- the numbers of a class, and of all classes, that people read. Plain values, made from a
// cell once and then shared; NaN means undefined (deploy/METRICS.md says when).

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/accumulate/curve.h"
#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/evaluation.h"

namespace detwatch::accumulate {

// Counts at one operating point and IoU threshold, area 0, and what follows from them.
struct OperatingCounts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;
  [[nodiscard]] double Precision() const;  // NaN without detections
  [[nodiscard]] double Recall() const;     // NaN without ground truths
  [[nodiscard]] double F1() const;         // 2TP / (2TP + FP + FN); NaN without ground truths
};

struct FrameCounts {
  std::int64_t tp = 0, fp = 0, fn = 0, tn = 0;
  [[nodiscard]] double Accuracy() const;     // NaN without frames
  [[nodiscard]] double Specificity() const;  // NaN without negatives
};

struct ClassSummary {
  bool exact = false;  // AP from single detections, not from bins
  std::array<std::int64_t, kMaxAreaRanges> ground_truths{};
  std::array<std::array<ApValue, kMaxIouThresholds>, kMaxAreaRanges> ap{};     // [area][threshold]
  std::array<std::array<double, kMaxIouThresholds>, kMaxAreaRanges> recall{};  // at the last max_dets
  std::array<std::array<double, kMaxIouThresholds>, kMaxMaxDets> recall_by_max_dets{};  // area 0
  std::array<std::array<OperatingCounts, kMaxIouThresholds>, kMaxOperatingPoints> operating{};
  std::array<FrameCounts, kMaxOperatingPoints> frames{};
  std::int64_t detections = 0;    // after max dets, area 0, not ignored at HeadlineIou
  double iou_mean = 0;            // of TPs at HeadlineIou and point 0; NaN without any
  double best_f1_confidence = 0;  // of bin edges, at HeadlineIou, the highest of equals; NaN without a TP
  double best_f1 = 0;             // NaN without ground truths
  // Expected calibration error over 16 equal bins at HeadlineIou, read from bins in both modes; NaN without
  // detections.
  double calibration_error = 0;
};

// `records` are all detections of the class in the window, or null when some have left the ring. Records
// need not be sorted; they are sorted here, score descending, then (ordinal, index). Cost at ten thresholds
// and four areas: 0.4 ms from 1 308 bins with all of them in use, 0.5 ms from 4 096 records.
[[nodiscard]] ClassSummary Summarise(const EvaluationParams& params, const Histogram& counts,
                                     std::vector<RingRecord>* records);

// Means over classes with ground truths in the area range, as COCO has them; NaN where no class has any.
struct MeanSummary {
  bool exact = true;
  std::int64_t classes = 0;  // with ground truths in area 0
  std::array<std::int64_t, kMaxAreaRanges> ground_truths{};
  // [area][threshold]; index thresholds() of the inner array is the mean over thresholds.
  std::array<std::array<ApValue, kMaxIouThresholds + 1>, kMaxAreaRanges> map{};
  std::array<double, kMaxAreaRanges> ar{};           // at the last max_dets, mean over thresholds
  std::array<double, kMaxMaxDets> ar_by_max_dets{};  // area 0
  std::array<std::array<OperatingCounts, kMaxIouThresholds>, kMaxOperatingPoints> micro{};
  struct Macro {
    double precision = 0, recall = 0, f1 = 0;
  };
  std::array<std::array<Macro, kMaxIouThresholds>, kMaxOperatingPoints> macro{};
  std::array<FrameCounts, kMaxOperatingPoints> frames{};  // summed over classes
  double iou_mean = 0;
};

[[nodiscard]] MeanSummary Mean(const EvaluationParams& params, std::span<const ClassSummary* const> classes);

}  // namespace detwatch::accumulate
