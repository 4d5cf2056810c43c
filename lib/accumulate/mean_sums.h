#pragma once
// lib/accumulate -- what means over classes are made of, in sums: those of a few classes can be kept and
// added to those of others, so that a mean over thousands of classes costs what has changed.
//
// Values of a class that are undefined (NaN) leave it out of that mean. Which sums are added in which order
// moves a mean by rounding only, some 1e-16.
// Laws (tests of the same name): MeansOfPartsAreTheMean. Cost: 12 kB; Add O(areas x thresholds +
// operating points x thresholds). Threads: none.

#include <array>
#include <cstdint>

#include "lib/accumulate/summary.h"

namespace detwatch::accumulate {

class MeanSums {
 public:
  void Add(const EvaluationParams& params, const ClassSummary& one);
  void Add(const MeanSums& other);
  [[nodiscard]] MeanSummary Mean(const EvaluationParams& params) const;

 private:
  // Of the values that are defined.
  struct Defined {
    double sum = 0;
    std::int64_t n = 0;
    void Add(double value);
    void Add(const Defined& other);
    [[nodiscard]] double Mean() const;  // NaN without any
  };
  struct Ap {
    Defined value, lower, upper;
    void Add(const ApValue& ap);
    void Add(const Ap& other);
    [[nodiscard]] ApValue Mean() const;
  };
  struct Macro {
    Defined precision, recall, f1;
  };
  void AddArea(const EvaluationParams& params, const ClassSummary& one, std::size_t area);
  void AddPoint(const EvaluationParams& params, const ClassSummary& one, std::size_t point);

  bool exact_ = true;
  std::int64_t classes_ = 0;
  std::array<std::int64_t, kMaxAreaRanges> ground_truths_{};
  std::array<std::array<Ap, kMaxIouThresholds>, kMaxAreaRanges> ap_{};
  std::array<Defined, kMaxAreaRanges> recall_{};
  std::array<Defined, kMaxMaxDets> recall_by_max_dets_{};
  std::array<std::array<OperatingCounts, kMaxIouThresholds>, kMaxOperatingPoints> micro_{};
  std::array<std::array<Macro, kMaxIouThresholds>, kMaxOperatingPoints> macro_{};
  std::array<FrameCounts, kMaxOperatingPoints> frames_{};
  Defined iou_;  // weighted by true positives
};

}  // namespace detwatch::accumulate
