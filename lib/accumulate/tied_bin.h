#pragma once
// lib/accumulate -- the envelope of precision in a bin whose detections all have one score. There the order
// is that of arrival, which says nothing about which of them are true positives, so every order is as likely.
//
// What is expected is not the envelope of the expected order. In a class of 200 detections with one score an
// even interleaving is 0.03 below the AP that random orders have on average, with 5 000 still 0.008:
// precision fluctuates, and its envelope keeps the peaks.
//
// With h TPs and M FPs in the bin, the FPs before the i-th TP have the mean M i / (h + 1) and the variance
// s^2 i (h + 1 - i) / (h + 1), s^2 = M (h + M + 1) / ((h + 1) (h + 2)) (negative hypergeometric). Take Y(j),
// the FPs before the j-th TP per TP: precision is 1 / (1 + Y), its envelope at j is given by the least Y from
// j to the last TP of the bin. Over v = 1/j - 1/last, Y is a Brownian bridge with variance s^2 a unit. The
// least value of a path that ends at x after v is (x - sqrt(x^2 + 2 s^2 v E)) / 2 with E exponential, which
// is two of the three squares under the root; x, normal, is the third. So what is expected is half the mean
// length of a normal vector in three dimensions (noncentral Maxwell), taking all three variances for their
// mean. Fluctuations of the envelope behind the bin are independent and add as squares.
//
// Measured against the mean over random orders, one and two scores, from 50 TPs on: within 0.006, VOC2007
// within 0.02 (it reads one point in eleven at the first TP). Tested in tied_scores_test.cc.
// Cost: one exponential and one error function a TP that is read. Threads: pure values.

#include <algorithm>
#include <cmath>
#include <numbers>

namespace detwatch::accumulate {

class TiedBin {
 public:
  // Of precision behind the bin, 0 when nothing is: `envelope` as it is estimated, `plain` from the last TP
  // of each bin only, so without the peaks of a random order. Requires: tp >= 1; fp >= 1.
  TiedBin(double tp_before, double fp_before, double tp, double fp, double envelope, double plain)
      : tp_before_(tp_before),
        fp_before_(fp_before),
        tp_(tp),
        last_(tp_before + tp),
        rate_(fp / (tp + 1)),
        variance_(fp * (tp + fp + 1) / ((tp + 1) * (tp + 2))),
        last_ratio_(Ratio(last_)) {
    plain_ = Below(plain);
    behind_ = std::max(0.0, Below(envelope) - plain_);
  }

  // FPs before the j-th TP, if precision there shall be what its envelope is expected to be.
  // Requires: tp_before < j <= tp_before + tp.
  [[nodiscard]] double FalsePositivesBefore(double j) const {
    const double drift = Ratio(j) - last_ratio_;  // negative where precision falls
    const double v = (last_ - j) / (j * last_);
    const double at_end = v * (j - tp_before_) * last_ / (j * tp_);  // bridged: none is left at the next bin
    const double spread = std::sqrt(variance_ * (at_end + 2 * v) / 3);
    // A path that is read at whole TPs only misses part of its dips.
    const double missed = kMissed * std::sqrt(variance_) / j;
    const double below = std::max({(MeanLength(drift, spread) - drift) / 2 - missed, -drift, 0.0});
    return j * std::max(0.0, last_ratio_ - Larger(std::hypot(below, behind_)));
  }

 private:
  // Fitted for 1 to 1 000 scores and 500 to 20 000 detections; 0.58 for a barrier far away (Siegmund 1985).
  static constexpr double kMissed = 0.3;

  [[nodiscard]] double Ratio(double j) const { return (fp_before_ + rate_ * (j - tp_before_)) / j; }

  // How far an envelope behind the bin is below Y at its last TP.
  [[nodiscard]] double Below(double envelope) const {
    return envelope > 0 ? std::max(0.0, last_ratio_ - (1 / envelope - 1)) : 0;
  }

  // The mean of the larger of plain_ and a depth whose own mean is `depth` (Rayleigh).
  [[nodiscard]] double Larger(double depth) const {
    return depth > 0 ? plain_ + depth * std::erfc(plain_ / depth / (2 * std::numbers::inv_sqrtpi)) : plain_;
  }

  // Of a vector with independent normal components of deviation `spread`, one of them with mean `mean`.
  [[nodiscard]] static double MeanLength(double mean, double spread) {
    constexpr double kRootOfTwoOverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    constexpr double kFar = 6;  // from here on to the 9th digit mean + spread^2 / mean
    constexpr double kNear = 1e-3;
    const double length = std::abs(mean);
    if (length >= kFar * spread) {
      return length > 0 ? length + spread * spread / length : 0;
    }
    const double r = length / spread;
    if (r < kNear) {
      return 2 * kRootOfTwoOverPi * spread;
    }
    return spread *
           (kRootOfTwoOverPi * std::exp(-r * r / 2) + (r + 1 / r) * std::erf(r / std::numbers::sqrt2));
  }

  double tp_before_, fp_before_, tp_;
  double last_;        // the last TP of the bin
  double rate_;        // expected FPs before each TP
  double variance_;    // s^2
  double last_ratio_;  // Y at the last TP
  double plain_;       // how far the envelope of the mean order behind the bin is below that
  double behind_;      // how much further the estimated one is
};

}  // namespace detwatch::accumulate
