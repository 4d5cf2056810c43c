#include "tests/accumulate/accumulate_support.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace detwatch::accumulate {

std::uint64_t Random::Next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

namespace {

// Each draw is a statement of its own: compilers differ in the order of arguments, golden files must not.
float RandomScore(Random& random) {
  const std::uint64_t kind = random.Below(5);
  if (kind == 0) {
    return static_cast<float>(random.Below(11)) / 10.0F;  // ties, and both ends
  }
  if (kind > 2) {
    return static_cast<float>(random.Unit());
  }
  const auto octave = static_cast<int>(random.Below(24));
  const auto small = static_cast<float>(std::ldexp(random.Unit(), -octave));
  return kind == 1 ? small : 1.0F - small;
}

}  // namespace

Judged RandomJudged(Random& random, const EvaluationParams& params) {
  Judged judged;
  const auto all = static_cast<IouMask>((1U << params.thresholds()) - 1);
  judged.outcome.class_id = ClassId{7};
  for (std::size_t area = 0; area < params.areas(); ++area) {
    judged.outcome.ground_truths[area] = static_cast<std::uint32_t>(random.Below(3));
  }
  judged.outcome.ignored_ground_truths = static_cast<std::uint32_t>(random.Below(2));
  const std::size_t n = random.Chance(0.2) ? 0 : random.Below(14);
  for (std::size_t i = 0; i < n; ++i) {
    DetectionOutcome detection;
    detection.score = RandomScore(random);
    for (std::size_t area = 0; area < params.areas(); ++area) {
      if (random.Chance(0.4)) {
        detection.true_positive[area] = static_cast<IouMask>(random.Next() & all);
      }
      if (random.Chance(0.2)) {
        detection.ignored[area] = static_cast<IouMask>(random.Next() & all & ~detection.true_positive[area]);
      } else if (random.Chance(0.2)) {
        detection.true_positive[area] = 0;
        detection.ignored[area] = all;
      }
    }
    if ((detection.true_positive[0] >> params.HeadlineIou() & 1) != 0) {
      detection.iou = static_cast<float>(0.5 + random.Unit() / 2);
    }
    judged.detections.push_back(detection);
  }
  std::stable_sort(judged.detections.begin(), judged.detections.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  for (std::size_t i = 0; i < n; ++i) {
    judged.detections[i].rank = static_cast<std::uint32_t>(i);
    judged.detections[i].index = static_cast<std::uint32_t>(i);
  }
  judged.outcome.count = static_cast<std::uint32_t>(n);
  return judged;
}

EvaluationParams ParamsWithPoints() {
  EvaluationParams params = EvaluationParams::Coco();
  params.max_dets = {1, 3, 10};
  params.operating_points = {0.5F, 0.1F, 0.9F};
  return params;
}

Histogram HistogramOf(const Shape& shape, const EvaluationParams& params, const std::vector<Judged>& frames) {
  Histogram histogram(shape);
  for (const Judged& frame : frames) {
    histogram.Count(params, frame.outcome, frame.detections);
    histogram.AddTally(shape.Frames(), 1);
  }
  return histogram;
}

std::vector<RingRecord> RecordsOf(const std::vector<Judged>& frames, Ordinal first) {
  std::vector<RingRecord> records;
  for (const Judged& frame : frames) {
    for (const DetectionOutcome& detection : frame.detections) {
      records.push_back(RingRecord::From(detection, first));
    }
    ++first;
  }
  return records;
}

double ObviousAveragePrecision(const std::vector<std::uint8_t>& true_positive, std::int64_t ground_truths,
                               Interpolation interpolation) {
  if (ground_truths == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (true_positive.empty()) {
    return 0;
  }
  const double spacing = interpolation == Interpolation::k101Points ? 2.220446049250313e-16 : 0;
  std::vector<double> precision, recall;
  double tp = 0;
  double fp = 0;
  for (const std::uint8_t hit : true_positive) {
    tp += hit != 0 ? 1 : 0;
    fp += hit != 0 ? 0 : 1;
    precision.push_back(tp / (fp + tp + spacing));
    recall.push_back(tp / static_cast<double>(ground_truths));
  }
  for (std::size_t i = precision.size() - 1; i > 0; --i) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  if (interpolation == Interpolation::kAllPoints) {
    double area = 0;
    double before = 0;
    for (std::size_t i = 0; i < recall.size(); ++i) {
      area += (recall[i] - before) * precision[i];
      before = recall[i];
    }
    return area;
  }
  const int points = interpolation == Interpolation::k101Points ? 101 : 11;
  double sum = 0;
  for (int i = 0; i < points; ++i) {
    const double r = i * (interpolation == Interpolation::k101Points ? 0.01 : 0.1);
    const auto at = std::lower_bound(recall.begin(), recall.end(), r) - recall.begin();
    sum += at < static_cast<std::ptrdiff_t>(precision.size()) ? precision[static_cast<std::size_t>(at)] : 0;
  }
  return sum / points;
}

double ObviousFromPrecisions(std::vector<double> precision, std::int64_t ground_truths,
                             Interpolation interpolation) {
  const auto n = static_cast<double>(ground_truths);
  for (std::size_t i = precision.size(); i-- > 1;) {
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  }
  double sum = 0;
  if (interpolation == Interpolation::kAllPoints) {
    for (const double p : precision) {
      sum += p / n;
    }
    return sum;
  }
  const int points = interpolation == Interpolation::k101Points ? 101 : 11;
  std::size_t j = 1;
  for (int i = 0; i < points; ++i) {
    const double r = i * (interpolation == Interpolation::k101Points ? 0.01 : 0.1);
    while (static_cast<double>(j) / n < r) {
      ++j;
    }
    sum += j <= precision.size() ? precision[j - 1] : 0;
  }
  return sum / points;
}

double ObviousEstimate(const std::vector<BinCounts>& bins, std::int64_t ground_truths,
                       Interpolation interpolation) {
  std::vector<double> h, m, start, d;  // of bins with TPs: TPs, FPs, FPs before it, secant
  double before = 0;
  for (const BinCounts& bin : bins) {
    const auto fp = static_cast<double>(bin.false_positives);
    if (bin.true_positives > 0) {
      h.push_back(static_cast<double>(bin.true_positives));
      m.push_back(fp);
      start.push_back(before);
      d.push_back(fp / h.back());
    }
    before += fp;
  }
  const std::size_t n = h.size();
  if (n == 0) {
    return 0;
  }
  std::vector<double> slope(n + 1);
  slope[0] = d[0];
  slope[n] = d[n - 1];
  if (n > 1) {
    for (std::size_t k = 1; k < n; ++k) {
      const double w1 = 2 * h[k] + h[k - 1];
      const double w2 = h[k] + 2 * h[k - 1];
      slope[k] = d[k - 1] > 0 && d[k] > 0 ? (w1 + w2) / (w1 / d[k - 1] + w2 / d[k]) : 0;
    }
    const double first = ((2 * h[0] + h[1]) * d[0] - h[0] * d[1]) / (h[0] + h[1]);
    slope[0] = std::min(std::max(first, 0.0), 3 * d[0]);
    const double last = ((2 * h[n - 1] + h[n - 2]) * d[n - 1] - h[n - 1] * d[n - 2]) / (h[n - 1] + h[n - 2]);
    slope[n] = std::min(std::max(last, 0.0), 3 * d[n - 1]);
  }
  std::vector<double> precision;
  for (std::size_t k = 0; k < n; ++k) {
    for (double i = 1; i <= h[k]; ++i) {
      const double t = (i - 0.5) / h[k];
      const double t2 = t * t;
      const double t3 = t2 * t;
      const double fp = start[k] * (2 * t3 - 3 * t2 + 1) + h[k] * slope[k] * (t3 - 2 * t2 + t) +
                        (start[k] + m[k]) * (-2 * t3 + 3 * t2) + h[k] * slope[k + 1] * (t3 - t2);
      const auto j = static_cast<double>(precision.size() + 1);
      precision.push_back(j / (j + fp));
    }
  }
  return ObviousFromPrecisions(std::move(precision), ground_truths, interpolation);
}

std::string NameOf(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::k101Points:
      return "points101";
    case Interpolation::k11Points:
      return "points11";
    case Interpolation::kAllPoints:
      return "all_points";
  }
  return "unknown";
}

}  // namespace detwatch::accumulate
