#pragma once
// lib/accumulate -- what the exact and the binned curve share, so that their arithmetic is the same to the
// bit: precision at a TP, and the TPs at which interpolated AP reads the envelope.
//
// Threads: pure values.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "lib/core/evaluation.h"

namespace detwatch::accumulate {

// Precision at the j-th TP with `false_positives` before it. With 101 points COCO's code adds
// numpy.spacing(1), which makes the best possible precision 1 - 2.2e-16 and matters for bit equality only;
// the VOC devkit adds nothing.
[[nodiscard]] inline double PrecisionAt(double j, double false_positives, Interpolation interpolation) {
  const double spacing =
      interpolation == Interpolation::k101Points ? std::numeric_limits<double>::epsilon() : 0.0;
  return j / (false_positives + j + spacing);
}

// The first TP (from 1) whose recall j / ground_truths reaches each recall of the interpolation; ascending.
// The comparison is between doubles as numpy.searchsorted makes it; recalls are i * 0.01 or i * 0.1.
class RecallPoints {
 public:
  // Requires: ground_truths > 0. Empty for kAllPoints, which has no recall points.
  RecallPoints(std::int64_t ground_truths, Interpolation interpolation) {
    if (interpolation == Interpolation::kAllPoints) {
      return;
    }
    size_ = interpolation == Interpolation::k101Points ? 101 : 11;
    const double step = interpolation == Interpolation::k101Points ? 0.01 : 0.1;
    const auto n = static_cast<double>(ground_truths);
    for (std::size_t i = 0; i < size_; ++i) {
      const double recall = static_cast<double>(i) * step;
      double j = std::floor(recall * n);
      while (j > 1 && (j - 1) / n >= recall) {
        --j;
      }
      while (j < 1 || j / n < recall) {
        ++j;
      }
      first_[i] = static_cast<std::int64_t>(j);
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::int64_t operator[](std::size_t i) const { return first_[i]; }

 private:
  std::size_t size_ = 0;
  std::array<std::int64_t, 101> first_{};
};

// Neumaier's sum: the error does not grow with the number of terms.
class CompensatedSum {
 public:
  void Add(double term) {
    const double sum = sum_ + term;
    rest_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
    sum_ = sum;
  }
  [[nodiscard]] double value() const { return sum_ + rest_; }

 private:
  double sum_ = 0;
  double rest_ = 0;
};

}  // namespace detwatch::accumulate
