#pragma once
// lib/accumulate -- precision-recall curves and AP, exactly from records and with bounds from bins.
//
// Why bounds hold: inside a bin only the order of TPs and FPs is unknown. Precision, its envelope and every
// AP are monotone in the number of FPs ahead of the j-th TP, which lies between "all TPs of its bin first"
// and "all FPs of its bin first". So the exact AP, in any tie order, and every mean of APs lie between the
// two extremes, which are the AP of those two orders themselves. They hold for the rounded numbers too: the
// interpolated APs are sums in the same order of terms that are each rounded monotonically; the area of
// kAllPoints is widened by a few units in the last place.
//
// The estimate between them is a monotone cubic (PCHIP: Fritsch & Carlson 1980, weighted harmonic mean slopes
// after Fritsch & Butland 1984) of cumulated FPs over cumulated TPs, per threshold, best score first. A bin
// of up to 16 TPs is read at each of them, a larger one at samples (within 1e-4 of reading all, tested). In a
// tied bin, where order is arrival, it is the envelope that is expected of a random order (tied_bin.h).
//
// Laws: TheExactApOfAnyOrderInsideTheBinsLiesBetweenThem, TheyAreTheWorstAndTheBestOrderThemselves,
//   FinerBinsNeverWidenThem. Cost: O(records) and O(bins + 101), no memory for bins. Threads: pure functions.

#include <cstdint>
#include <span>

#include "lib/core/evaluation.h"

namespace detwatch::accumulate {

// All in [0, 1], lower <= value <= upper; all three equal when exact. Undefined without ground truths: NaN.
struct ApValue {
  double value = 0;
  double lower = 0;
  double upper = 0;
};

// TPs and FPs of one bin, and whether all of its detections have one score.
struct BinCounts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  bool tied = false;
};

// AP of a ranked list. `true_positive` holds, best first, 1 for a TP and 0 for an FP; ignored detections
// are left out. 101 points: mean over recalls i * 0.01 (not i / 100) of the enveloped precision at the first
// TP that reaches it, precision = j / (j + FP + 2.2e-16) (cocoeval.py accumulate). 11 points: the same
// at i * 0.1, without the 2.2e-16. All points: area under the envelope (VOCap.m). NaN when ground_truths is
// 0.
[[nodiscard]] double AveragePrecision(std::span<const std::uint8_t> true_positive, std::int64_t ground_truths,
                                      Interpolation interpolation);

// AP from bins, best bin first. O(bins + 101), whatever the counts. NaN when ground_truths is 0.
[[nodiscard]] ApValue BinnedAveragePrecision(std::span<const BinCounts> bins, std::int64_t ground_truths,
                                             Interpolation interpolation);

}  // namespace detwatch::accumulate
