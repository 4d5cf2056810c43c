#include "lib/accumulate/summary.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace detwatch::accumulate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kIouUnit = 4294967296.0;  // 2^32
constexpr std::size_t kCalibrationBins = 16;

double Ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : kNaN;
}

// Score descending, then ordinal, then index, as two integers.
struct SortKey {
  std::uint32_t score = 0;  // bits of a float in [0, 1] order as integers; inverted: best first
  std::uint32_t position = 0;
  std::uint64_t tie = 0;
};

void Sort(std::vector<RingRecord>& records) {
  std::vector<SortKey> keys(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    keys[i] = {~std::bit_cast<std::uint32_t>(records[i].score + 0.0F), static_cast<std::uint32_t>(i),
               records[i].ordinal() << 16 | records[i].index};
  }
  std::sort(keys.begin(), keys.end(), [](const SortKey& a, const SortKey& b) {
    return a.score != b.score ? a.score < b.score : a.tie != b.tie ? a.tie < b.tie : a.position < b.position;
  });
  std::vector<RingRecord> sorted(records.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    sorted[i] = records[keys[i].position];
  }
  records = std::move(sorted);
}

// The curve of each threshold from single detections; `records` are sorted.
void ExactAp(const EvaluationParams& params, const std::vector<RingRecord>& records, std::size_t area,
             ClassSummary& out) {
  std::vector<std::uint8_t> ranked(records.size());
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    std::size_t n = 0;
    for (const RingRecord& record : records) {
      // An ignored one is written and then overwritten: no branch that only chance could predict.
      ranked[n] = static_cast<std::uint8_t>(record.true_positive[area] >> t & 1);
      n += (record.ignored[area] >> t & 1) == 0 ? 1 : 0;
    }
    const double ap =
        AveragePrecision(std::span(ranked).first(n), out.ground_truths[area], params.interpolation);
    out.ap[area][t] = {ap, ap, ap};
  }
}

// Of one area range, the bins that were touched, best first, threshold by threshold.
class TouchedBins {
 public:
  void Collect(const CountTable& table, std::size_t thresholds) {
    const auto untouched = std::count_if(table.detections.begin(), table.detections.end(),
                                         [](const BinDetections& bin) { return bin.count == 0; });
    bins_ = table.detections.size() - static_cast<std::size_t>(untouched);
    counts_.resize(bins_ * thresholds);
    std::size_t i = 0;
    for (int bin = table.bins() - 1; bin >= 0; --bin) {
      const std::int64_t detections = table.Detections(bin);
      if (detections == 0) {
        continue;
      }
      const auto tp = table.true_positives.Find(bin);
      const auto ignored = table.ignored.Find(bin);
      const bool tied = table.Tied(bin);
      for (std::size_t t = 0; t < thresholds; ++t) {
        const std::int64_t hits = tp.empty() ? 0 : tp[t];
        counts_[t * bins_ + i] = {hits, detections - hits - (ignored.empty() ? 0 : ignored[t]), tied};
      }
      ++i;
    }
  }
  [[nodiscard]] std::span<const BinCounts> At(std::size_t threshold) const {
    return std::span(counts_).subspan(threshold * bins_, bins_);
  }

 private:
  std::size_t bins_ = 0;
  std::vector<BinCounts> counts_;  // [threshold][bin]
};

// The confidence, of all bin edges, above which F1 is best. Of equals the highest.
void BestF1(const Histogram& counts, ClassSummary& out) {
  out.best_f1_confidence = kNaN;
  out.best_f1 = out.ground_truths[0] > 0 ? 0 : kNaN;
  if (out.ground_truths[0] <= 0) {
    return;
  }
  const CountTable& table = counts.table(0);
  const auto edges = counts.shape().layout(0).edges();
  const std::size_t t = counts.shape().headline_iou;
  OperatingCounts above;
  for (int bin = table.bins() - 1; bin >= 0; --bin) {
    above.true_positives += table.TruePositives(bin, t);
    above.false_positives += table.FalsePositives(bin, t);
    above.false_negatives = out.ground_truths[0] - above.true_positives;
    if (above.F1() > out.best_f1) {
      out.best_f1 = above.F1();
      out.best_f1_confidence = edges[static_cast<std::size_t>(bin)];
    }
  }
}

// How far confidence is from the share of TPs: |mean confidence - precision| in 16 equal bins, weighted by
// detections (Guo et al. 2017, expected calibration error). Confidence is read as the middle of a bin.
void Calibration(const Histogram& counts, ClassSummary& out) {
  const CountTable& table = counts.table(0);
  const auto edges = counts.shape().layout(0).edges();
  const std::size_t t = counts.shape().headline_iou;
  std::array<double, kCalibrationBins> gap{};  // sum of confidence - TPs
  for (int bin = 0; bin < table.bins(); ++bin) {
    const std::int64_t tp = table.TruePositives(bin, t);
    const std::int64_t n = tp + table.FalsePositives(bin, t);
    if (n == 0) {
      continue;
    }
    const auto b = static_cast<std::size_t>(bin);
    const double middle = (edges[b] + edges[b + 1]) / 2;
    gap[static_cast<std::size_t>(middle * static_cast<double>(kCalibrationBins))] +=
        static_cast<double>(n) * middle - static_cast<double>(tp);
    out.detections += n;
  }
  double sum = 0;
  for (const double g : gap) {
    sum += std::abs(g);
  }
  out.calibration_error = out.detections > 0 ? sum / static_cast<double>(out.detections) : kNaN;
}

void OperatingPoints(const Histogram& counts, ClassSummary& out) {
  const Shape& shape = counts.shape();
  for (std::size_t c = 0; c < shape.operating_points; ++c) {
    for (std::size_t t = 0; t < shape.thresholds; ++t) {
      const std::int64_t tp = counts.Tally(shape.TruePositives(c, t));
      out.operating[c][t] = {tp, counts.Tally(shape.FalsePositives(c, t)), out.ground_truths[0] - tp};
    }
    const std::int64_t tp = counts.Tally(shape.FrameOutcomes(c, 0));
    const std::int64_t fp = counts.Tally(shape.FrameOutcomes(c, 1));
    const std::int64_t fn = counts.Tally(shape.FrameOutcomes(c, 2));
    const std::int64_t judged = counts.Tally(shape.Frames()) - counts.Tally(shape.FramesIgnored());
    out.frames[c] = {tp, fp, fn, judged - tp - fp - fn};
  }
}

}  // namespace

double OperatingCounts::Precision() const {
  return Ratio(true_positives, true_positives + false_positives);
}
double OperatingCounts::Recall() const {
  return Ratio(true_positives, true_positives + false_negatives);
}
double OperatingCounts::F1() const {
  return true_positives + false_negatives > 0
             ? Ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives)
             : kNaN;
}

double FrameCounts::Accuracy() const {
  return Ratio(tp + tn, tp + fp + fn + tn);
}
double FrameCounts::Specificity() const {
  return Ratio(tn, tn + fp);
}

ClassSummary Summarise(const EvaluationParams& params, const Histogram& counts,
                       std::vector<RingRecord>* records) {
  const Shape& shape = counts.shape();
  ClassSummary out;
  out.exact = records != nullptr;
  if (records != nullptr) {
    Sort(*records);
  }
  TouchedBins bins;
  for (std::size_t area = 0; area < shape.areas; ++area) {
    const std::int64_t ground_truths = counts.Tally(shape.GroundTruths(area));
    out.ground_truths[area] = ground_truths;
    bins.Collect(counts.table(area), shape.thresholds);
    for (std::size_t t = 0; t < shape.thresholds; ++t) {
      std::int64_t tp = 0;
      for (const BinCounts& bin : bins.At(t)) {
        tp += bin.true_positives;
      }
      out.recall[area][t] = Ratio(tp, ground_truths);
      if (records == nullptr) {
        out.ap[area][t] = BinnedAveragePrecision(bins.At(t), ground_truths, params.interpolation);
      }
    }
    if (records != nullptr) {
      ExactAp(params, *records, area, out);
    }
  }
  for (std::size_t k = 0; k < shape.max_dets; ++k) {
    for (std::size_t t = 0; t < shape.thresholds; ++t) {
      out.recall_by_max_dets[k][t] =
          Ratio(counts.Tally(shape.TruePositivesByMaxDets(k, t)), out.ground_truths[0]);
    }
  }
  OperatingPoints(counts, out);
  if (shape.areas > 0) {
    BestF1(counts, out);
    Calibration(counts, out);
  }
  const std::int64_t tp = out.operating[0][shape.headline_iou].true_positives;
  out.iou_mean =
      tp > 0 ? static_cast<double>(counts.Tally(shape.IouSum())) / kIouUnit / static_cast<double>(tp) : kNaN;
  return out;
}

}  // namespace detwatch::accumulate
