#include <limits>

#include "lib/accumulate/summary.h"

namespace detwatch::accumulate {
namespace {

// Mean of the values that are defined; NaN without any.
class DefinedMean {
 public:
  void Add(double value) {
    if (value == value) {
      sum_ += value;
      ++n_;
    }
  }
  [[nodiscard]] double value() const {
    return n_ > 0 ? sum_ / static_cast<double>(n_) : std::numeric_limits<double>::quiet_NaN();
  }

 private:
  double sum_ = 0;
  std::int64_t n_ = 0;
};

class DefinedMeanAp {
 public:
  void Add(const ApValue& ap) {
    value_.Add(ap.value);
    lower_.Add(ap.lower);
    upper_.Add(ap.upper);
  }
  [[nodiscard]] ApValue value() const { return {value_.value(), lower_.value(), upper_.value()}; }

 private:
  DefinedMean value_, lower_, upper_;
};

using Classes = std::span<const ClassSummary* const>;

// mAP and AR of one area range: NaN of a class without ground truths leaves it out.
void MeanOfArea(const EvaluationParams& params, Classes classes, std::size_t area, MeanSummary& out) {
  DefinedMeanAp all;
  DefinedMean recall;
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    DefinedMeanAp ap;
    for (const ClassSummary* one : classes) {
      if (one->ground_truths[area] > 0) {
        ap.Add(one->ap[area][t]);
        all.Add(one->ap[area][t]);
        recall.Add(one->recall[area][t]);
      }
    }
    out.map[area][t] = ap.value();
  }
  out.map[area][params.thresholds()] = all.value();
  out.ar[area] = recall.value();
  for (const ClassSummary* one : classes) {
    out.ground_truths[area] += one->ground_truths[area];
    out.exact = out.exact && (one->exact || one->ground_truths[area] <= 0);
  }
}

void MeanOfPoint(const EvaluationParams& params, Classes classes, std::size_t point, MeanSummary& out) {
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    DefinedMean precision, recall, f1;
    OperatingCounts& sum = out.micro[point][t];
    for (const ClassSummary* one : classes) {
      const OperatingCounts& counts = one->operating[point][t];
      sum.true_positives += counts.true_positives;
      sum.false_positives += counts.false_positives;
      sum.false_negatives += counts.false_negatives;
      if (one->ground_truths[0] > 0) {
        precision.Add(counts.Precision());
        recall.Add(counts.Recall());
        f1.Add(counts.F1());
      }
    }
    out.macro[point][t] = {precision.value(), recall.value(), f1.value()};
  }
  for (const ClassSummary* one : classes) {
    const FrameCounts& frames = one->frames[point];
    out.frames[point].tp += frames.tp;
    out.frames[point].fp += frames.fp;
    out.frames[point].fn += frames.fn;
    out.frames[point].tn += frames.tn;
  }
}

}  // namespace

MeanSummary Mean(const EvaluationParams& params, Classes classes) {
  MeanSummary out;
  for (std::size_t area = 0; area < params.areas(); ++area) {
    MeanOfArea(params, classes, area, out);
  }
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    DefinedMean recall;
    for (const ClassSummary* one : classes) {
      for (std::size_t t = 0; t < params.thresholds(); ++t) {
        recall.Add(one->recall_by_max_dets[k][t]);
      }
    }
    out.ar_by_max_dets[k] = recall.value();
  }
  for (std::size_t point = 0; point < params.operating_points.size(); ++point) {
    MeanOfPoint(params, classes, point, out);
  }
  const std::size_t headline = params.HeadlineIou();
  double iou_sum = 0;
  std::int64_t true_positives = 0;
  for (const ClassSummary* one : classes) {
    out.classes += one->ground_truths[0] > 0 ? 1 : 0;
    const std::int64_t tp = one->operating[0][headline].true_positives;
    if (tp > 0) {
      iou_sum += one->iou_mean * static_cast<double>(tp);
      true_positives += tp;
    }
  }
  out.iou_mean = true_positives > 0 ? iou_sum / static_cast<double>(true_positives)
                                    : std::numeric_limits<double>::quiet_NaN();
  return out;
}

}  // namespace detwatch::accumulate
