#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/accumulate/curve.h"
#include "lib/accumulate/recall_points.h"

namespace detwatch::accumulate {
namespace {

// Up to here every TP of a bin is looked at; the samples of a larger bin are this many steps apart at most.
constexpr double kSmallBin = 16;
constexpr int kSteps = 9;

// A bin with TPs: cumulated FPs over cumulated TPs is a cubic from (tp_before, fp_before) to (tp_before + tp,
// fp_before + fp) with these slopes at its ends. FPs of bins without TPs are a jump before the next bin.
struct Segment {
  double tp_before = 0;
  double fp_before = 0;
  double tp = 0;
  double fp = 0;
  double slope_left = 0;
  double slope_right = 0;

  // FPs before the j-th TP, read at j - 1/2.
  [[nodiscard]] double FalsePositivesBefore(double j) const {
    const double t = (j - 0.5 - tp_before) / tp;
    // Hermite's cubic, written as powers of t.
    const double a = tp * slope_left;
    const double b = 3 * fp - 2 * a - tp * slope_right;
    const double c = a + tp * slope_right - 2 * fp;
    return fp_before + t * (a + t * (b + t * c));
  }
};

std::vector<Segment> SegmentsOf(std::span<const BinCounts> bins) {
  std::vector<Segment> segments;
  segments.reserve(bins.size());
  double tp_before = 0;
  double fp_before = 0;
  for (const BinCounts& bin : bins) {
    const auto tp = static_cast<double>(std::max<std::int64_t>(0, bin.true_positives));
    const auto fp = static_cast<double>(std::max<std::int64_t>(0, bin.false_positives));
    if (tp > 0) {
      segments.push_back({tp_before, fp_before, tp, fp, 0, 0});
    }
    tp_before += tp;
    fp_before += fp;
  }
  return segments;
}

// Slope at the outer end of `outer`, three-point, kept in [0, 3 d] so that the cubic stays monotone.
double EndSlope(const Segment& outer, const Segment& inner) {
  const double d = outer.fp / outer.tp;
  const double slope =
      ((2 * outer.tp + inner.tp) * d - outer.tp * (inner.fp / inner.tp)) / (outer.tp + inner.tp);
  return std::clamp(slope, 0.0, 3 * d);
}

void SetSlopes(std::vector<Segment>& segments) {
  if (segments.size() == 1) {
    segments[0].slope_left = segments[0].slope_right = segments[0].fp / segments[0].tp;
    return;
  }
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    Segment& left = segments[i];
    Segment& right = segments[i + 1];
    if (left.fp > 0 && right.fp > 0) {
      // Weighted harmonic mean of the two secants, fp / tp of either side.
      const double weight_left = 2 * right.tp + left.tp;
      const double weight_right = right.tp + 2 * left.tp;
      left.slope_right = right.slope_left =
          (weight_left + weight_right) * left.fp * right.fp /
          (weight_left * left.tp * right.fp + weight_right * right.tp * left.fp);
    }
  }
  const std::size_t last = segments.size() - 1;
  segments[0].slope_left = EndSlope(segments[0], segments[1]);
  segments[last].slope_right = EndSlope(segments[last], segments[last - 1]);
}

// Walks from the worst bin to the best, because the envelope is a running maximum from that side. All
// three curves are read at the same TPs.
class Walk {
 public:
  Walk(std::int64_t ground_truths, Protocol protocol)
      : protocol_(protocol), points_(ground_truths, protocol), next_(points_.size()) {}

  void Visit(const Segment& segment) {
    const double last = segment.tp_before + segment.tp;
    // Within a bin of constant FPs precision rises with j, so its last TP decides for all of them.
    lower_ = std::max(lower_, PrecisionAt(last, segment.fp_before + segment.fp, protocol_));
    upper_ = std::max(upper_, PrecisionAt(last, segment.fp_before, protocol_));
    lower_area_.Add(segment.tp * lower_);
    upper_area_.Add(segment.tp * upper_);
    while (next_ > 0 && static_cast<double>(points_[next_ - 1]) > last) {
      --next_;  // out of reach: 0
    }
    if (segment.tp <= kSmallBin) {
      for (double j = last; j > segment.tp_before; --j) {
        Read(segment, j, j == last);
      }
      return;
    }
    // Evenly spaced samples, the first TP and the last among them, and every recall point between them.
    for (int step = 0; step <= kSteps; ++step) {
      const double j = last - std::floor((segment.tp - 1) * step / kSteps);
      while (next_ > 0 && static_cast<double>(points_[next_ - 1]) > j) {
        Read(segment, static_cast<double>(points_[next_ - 1]), false);
      }
      Read(segment, j, step == 0);
    }
  }

  [[nodiscard]] ApValue Result(std::int64_t ground_truths) const {
    if (protocol_ == Protocol::kVoc2012) {
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
    return {std::clamp(value, lower, upper), lower, upper};
  }

  void Read(const Segment& segment, double j, bool is_last_of_bin) {
    const double before = value_;
    value_ = std::max(value_, PrecisionAt(j, segment.FalsePositivesBefore(j), protocol_));
    if (protocol_ == Protocol::kVoc2012) {
      // TPs between two samples take the mean of both; there are none in a small bin.
      const double between = is_last_of_bin ? 0 : previous_ - j - 1;
      value_area_.Add(value_ + between * (value_ + before) / 2);
      previous_ = j;
    }
    while (next_ > 0 && static_cast<double>(points_[next_ - 1]) == j) {
      --next_;
      read_[next_] = {value_, lower_, upper_};
    }
  }

  Protocol protocol_;
  RecallPoints points_;
  std::size_t next_;  // recall points from here on were read
  double value_ = 0;
  double lower_ = 0;
  double upper_ = 0;
  double previous_ = 0;  // the TP read last
  std::array<ApValue, 101> read_{};
  CompensatedSum value_area_, lower_area_, upper_area_;
};

}  // namespace

ApValue BinnedAveragePrecision(std::span<const BinCounts> bins, std::int64_t ground_truths,
                               Protocol protocol) {
  if (ground_truths <= 0) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan};
  }
  std::vector<Segment> segments = SegmentsOf(bins);
  if (segments.empty()) {
    return {0, 0, 0};
  }
  SetSlopes(segments);
  Walk walk(ground_truths, protocol);
  for (std::size_t i = segments.size(); i-- > 0;) {
    walk.Visit(segments[i]);
  }
  return walk.Result(ground_truths);
}

}  // namespace detwatch::accumulate
