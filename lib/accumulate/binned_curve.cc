#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/accumulate/curve.h"
#include "lib/accumulate/recall_points.h"
#include "lib/accumulate/tied_bin.h"

namespace detwatch::accumulate {
namespace {

// Up to here every TP of a bin is looked at; a larger bin is sampled in this many steps. The 101
// recall points are read besides; where there are few of them or none, samples must carry more.
constexpr double kSmallBin = 16;
constexpr int kSteps101Points = 9;
constexpr int kStepsOtherwise = 64;

// A bin with TPs, and the slopes of cumulated FPs over cumulated TPs at its ends. FPs of bins without TPs are
// a jump before the next segment.
struct Segment {
  double tp_before = 0;
  double fp_before = 0;
  double tp = 0;
  double fp = 0;
  double slope_left = 0;
  double slope_right = 0;
  bool tied = false;
};

// Hermite's cubic from (tp_before, fp_before) to (tp_before + tp, fp_before + fp), as powers of t in [0, 1].
class Cubic {
 public:
  explicit Cubic(const Segment& segment)
      : tp_before_(segment.tp_before),
        tp_(segment.tp),
        f_(segment.fp_before),
        a_(segment.tp * segment.slope_left),
        b_(3 * segment.fp - 2 * a_ - segment.tp * segment.slope_right),
        c_(a_ + segment.tp * segment.slope_right - 2 * segment.fp) {}

  // FPs before the j-th TP, read at j - 1/2.
  [[nodiscard]] double FalsePositivesBefore(double j) const {
    const double t = (j - 0.5 - tp_before_) / tp_;
    return f_ + t * (a_ + t * (b_ + t * c_));
  }

  // True when precision falls from the first TP of the bin to its last, as it does in most bins. FPs per TP
  // must then rise, so Rise() must not be negative: its least value is at an end, or where the cubic turns
  // from concave to convex.
  [[nodiscard]] bool PrecisionFalls() const {
    const double first = 0.5 / tp_;
    const double last = 1 - first;
    if (Rise(first) < 0 || Rise(last) < 0) {
      return false;
    }
    const double turn = -b_ / (3 * c_);
    return !(c_ > 0 && turn > first && turn < last) || Rise(turn) >= 0;
  }

 private:
  // The sign of the derivative of FPs per TP at t.
  [[nodiscard]] double Rise(double t) const {
    const double j = tp_before_ + tp_ * t + 0.5;
    return (a_ + t * (2 * b_ + 3 * c_ * t)) * j - tp_ * (f_ + t * (a_ + t * (b_ + t * c_)));
  }

  double tp_before_, tp_, f_, a_, b_, c_;
};

// Slope at the outer end of `outer`, three-point, kept in [0, 3 d] so that the cubic stays monotone.
double EndSlope(const Segment& outer, const Segment& inner) {
  const double d = outer.fp / outer.tp;
  const double slope =
      ((2 * outer.tp + inner.tp) * d - outer.tp * (inner.fp / inner.tp)) / (outer.tp + inner.tp);
  return std::clamp(slope, 0.0, 3 * d);
}

// Slope at the knot between two neighbours: weighted harmonic mean of their secants, fp / tp.
double InnerSlope(const Segment& left, const Segment& right) {
  if (left.fp <= 0 || right.fp <= 0) {
    return 0;
  }
  const double weight_left = 2 * right.tp + left.tp;
  const double weight_right = right.tp + 2 * left.tp;
  return (weight_left + weight_right) * left.fp * right.fp /
         (weight_left * left.tp * right.fp + weight_right * right.tp * left.fp);
}

// Walks from the worst bin to the best, because the envelope is a running maximum from that side. All
// three curves are read at the same TPs.
class Walk {
 public:
  Walk(double true_positives, std::int64_t ground_truths, Interpolation interpolation)
      : interpolation_(interpolation),
        points_(ground_truths, interpolation),
        next_(points_.size()),
        previous_(true_positives + 1) {
    while (next_ > 0 && Point() > true_positives) {
      --next_;  // out of reach: 0
    }
  }

  void Visit(const Segment& segment) {
    const double first = segment.tp_before + 1;
    const double last = segment.tp_before + segment.tp;
    // Within a bin of constant FPs precision rises with j, so its last TP decides for all of them.
    const double best = PrecisionAt(last, segment.fp_before, interpolation_);
    lower_ = std::max(lower_, PrecisionAt(last, segment.fp_before + segment.fp, interpolation_));
    upper_ = std::max(upper_, best);
    if (interpolation_ == Interpolation::kAllPoints) {
      lower_area_.Add(segment.tp * lower_);
      upper_area_.Add(segment.tp * upper_);
    }
    if (best <= value_) {
      // Whatever the order inside, worse bins have lifted the envelope above this one.
      value_area_.Add(segment.tp * value_);
      Fill(first);
      return;
    }
    if (segment.tied && segment.fp > 0) {
      VisitTied(segment, first);
      return;
    }
    const Cubic cubic(segment);
    if (interpolation_ != Interpolation::kAllPoints && segment.tp > 2 && cubic.PrecisionFalls()) {
      ReadPointsAbove(cubic, first);  // nothing between them lifts the envelope
      Read(cubic, first);
    } else if (segment.tp <= kSmallBin) {
      for (int i = 0; i < static_cast<int>(segment.tp); ++i) {
        Read(cubic, last - i);
      }
    } else {
      Sample(cubic, first, segment.tp);
    }
  }

  [[nodiscard]] ApValue Result(std::int64_t ground_truths) const {
    if (interpolation_ == Interpolation::kAllPoints) {
      // The sums are right to a few ulp; widened by more than that, the bounds stay bounds.
      constexpr double kRounding = 2e-15;
      const auto n = static_cast<double>(ground_truths);
      return Ordered(value_area_.value() / n, lower_area_.value() / n * (1 - kRounding),
                     std::min(1.0, upper_area_.value() / n * (1 + kRounding)));
    }
    // Summed in the order of the exact curve: rounded addition is monotone, so the bounds hold to the bit.
    ApValue sum;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      sum.value += read_[i].value;
      sum.lower += read_[i].lower;
      sum.upper += read_[i].upper;
    }
    const auto n = static_cast<double>(points_.size());
    return Ordered(sum.value / n, sum.lower / n, sum.upper / n);
  }

 private:
  static ApValue Ordered(double value, double lower, double upper) {
    lower = std::min(lower, upper);
    return {std::clamp(value, lower, upper), lower, upper};
  }

  [[nodiscard]] double Point() const { return static_cast<double>(points_[next_ - 1]); }

  // The expected envelope never rises with j, so what is between two points that are read does not matter.
  void VisitTied(const Segment& segment, double first) {
    const TiedBin bin(segment.tp_before, segment.fp_before, segment.tp, segment.fp, value_, lower_);
    if (interpolation_ == Interpolation::kAllPoints) {
      Sample(bin, first, segment.tp);
    } else {
      ReadPointsAbove(bin, first);
      Read(bin, first);
    }
  }

  // The first TP, the last, some between them, and every recall point. Samples are denser to the left, where
  // precision of a first bin is steep: it falls with the logarithm of j.
  template <class Curve>
  void Sample(const Curve& curve, double first, double tp) {
    const int steps = interpolation_ == Interpolation::k101Points ? kSteps101Points : kStepsOtherwise;
    for (int step = steps; step >= 0; --step) {
      const double part = static_cast<double>(step) / steps;
      const double j = first + std::floor((tp - 1) * part * part);
      ReadPointsAbove(curve, j);
      if (j < previous_) {  // else there are more steps than TPs
        Read(curve, j);
      }
    }
  }

  template <class Curve>
  void ReadPointsAbove(const Curve& curve, double j) {
    while (next_ > 0 && Point() > j) {
      Read(curve, Point());
    }
  }

  // Moves on to the j-th TP.
  template <class Curve>
  void Read(const Curve& curve, double j) {
    const double before = value_;
    const double precision = PrecisionAt(j, curve.FalsePositivesBefore(j), interpolation_);
    value_ = std::max(value_, std::min(precision, upper_));
    if (interpolation_ == Interpolation::kAllPoints) {
      // TPs between this one and the one read before take the mean of both.
      value_area_.Add((previous_ - j - 1) * (value_ + before) / 2);
      value_area_.Add(value_);
    }
    Fill(j);
  }

  // From the TP read before down to the j-th, the envelope is what it is now.
  void Fill(double j) {
    previous_ = j;
    for (; next_ > 0 && Point() >= j; --next_) {
      read_[next_ - 1] = {value_, lower_, upper_};
    }
  }

  Interpolation interpolation_;
  RecallPoints points_;
  std::size_t next_;  // recall points from here on were read
  double value_ = 0;
  double lower_ = 0;
  double upper_ = 0;
  double previous_;  // the TP read last
  std::array<ApValue, 101> read_{};
  CompensatedSum value_area_, lower_area_, upper_area_;
};

}  // namespace

ApValue BinnedAveragePrecision(std::span<const BinCounts> bins, std::int64_t ground_truths,
                               Interpolation interpolation) {
  if (ground_truths <= 0) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
  const auto positive = [](std::int64_t n) { return static_cast<double>(std::max<std::int64_t>(0, n)); };
  double tp_before = 0;
  double fp_before = 0;
  for (const BinCounts& bin : bins) {
    tp_before += positive(bin.true_positives);
    fp_before += positive(bin.false_positives);
  }
  Walk walk(tp_before, ground_truths, interpolation);
  // A segment is complete once its left neighbour is known.
  Segment right;
  bool right_is_last = true;
  for (std::size_t i = bins.size(); i-- > 0;) {
    Segment left{.tp = positive(bins[i].true_positives),
                 .fp = positive(bins[i].false_positives),
                 .tied = bins[i].tied};
    left.tp_before = tp_before -= left.tp;
    left.fp_before = fp_before -= left.fp;
    if (left.tp == 0) {
      continue;
    }
    if (right.tp > 0) {
      if (right_is_last) {
        right.slope_right = EndSlope(right, left);
        right_is_last = false;
      }
      right.slope_left = left.slope_right = InnerSlope(left, right);
      walk.Visit(right);
      if (tp_before == 0) {
        left.slope_left = EndSlope(left, right);
      }
    } else if (tp_before == 0) {
      left.slope_left = left.slope_right = left.fp / left.tp;  // the only one
    }
    right = left;
  }
  if (right.tp > 0) {
    walk.Visit(right);
  }
  return walk.Result(ground_truths);
}

}  // namespace detwatch::accumulate
