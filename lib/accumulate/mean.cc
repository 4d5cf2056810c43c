#include <limits>

#include "lib/accumulate/mean_sums.h"
#include "lib/accumulate/summary.h"

namespace detwatch::accumulate {
namespace {

void AddCounts(OperatingCounts& to, const OperatingCounts& counts) {
  to.true_positives += counts.true_positives;
  to.false_positives += counts.false_positives;
  to.false_negatives += counts.false_negatives;
}

void AddFrames(FrameCounts& to, const FrameCounts& frames) {
  to.tp += frames.tp;
  to.fp += frames.fp;
  to.fn += frames.fn;
  to.tn += frames.tn;
}

}  // namespace

void MeanSums::Defined::Add(double value) {
  if (value == value) {
    sum += value;
    ++n;
  }
}

void MeanSums::Defined::Add(const Defined& other) {
  sum += other.sum;
  n += other.n;
}

double MeanSums::Defined::Mean() const {
  return n > 0 ? sum / static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN();
}

void MeanSums::Ap::Add(const ApValue& ap) {
  value.Add(ap.value);
  lower.Add(ap.lower);
  upper.Add(ap.upper);
}

void MeanSums::Ap::Add(const Ap& other) {
  value.Add(other.value);
  lower.Add(other.lower);
  upper.Add(other.upper);
}

ApValue MeanSums::Ap::Mean() const {
  return {value.Mean(), lower.Mean(), upper.Mean()};
}

// A class without ground truths in the area is in no mean of it.
void MeanSums::AddArea(const EvaluationParams& params, const ClassSummary& one, std::size_t area) {
  ground_truths_[area] += one.ground_truths[area];
  if (one.ground_truths[area] <= 0) {
    return;
  }
  exact_ = exact_ && one.exact;
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    ap_[area][t].Add(one.ap[area][t]);
    recall_[area].Add(one.recall[area][t]);
  }
}

void MeanSums::AddPoint(const EvaluationParams& params, const ClassSummary& one, std::size_t point) {
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    const OperatingCounts& counts = one.operating[point][t];
    AddCounts(micro_[point][t], counts);
    if (one.ground_truths[0] > 0) {
      macro_[point][t].precision.Add(counts.Precision());
      macro_[point][t].recall.Add(counts.Recall());
      macro_[point][t].f1.Add(counts.F1());
    }
  }
  AddFrames(frames_[point], one.frames[point]);
}

void MeanSums::Add(const EvaluationParams& params, const ClassSummary& one) {
  classes_ += one.ground_truths[0] > 0 ? 1 : 0;
  for (std::size_t area = 0; area < params.areas(); ++area) {
    AddArea(params, one, area);
  }
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      recall_by_max_dets_[k].Add(one.recall_by_max_dets[k][t]);
    }
  }
  for (std::size_t point = 0; point < params.operating_points.size(); ++point) {
    AddPoint(params, one, point);
  }
  const std::int64_t tp = one.operating[0][params.HeadlineIou()].true_positives;
  if (tp > 0) {
    iou_.sum += one.iou_mean * static_cast<double>(tp);
    iou_.n += tp;
  }
}

void MeanSums::Add(const MeanSums& other) {
  exact_ = exact_ && other.exact_;
  classes_ += other.classes_;
  for (std::size_t area = 0; area < kMaxAreaRanges; ++area) {
    ground_truths_[area] += other.ground_truths_[area];
    recall_[area].Add(other.recall_[area]);
    for (std::size_t t = 0; t < kMaxIouThresholds; ++t) {
      ap_[area][t].Add(other.ap_[area][t]);
    }
  }
  for (std::size_t k = 0; k < kMaxMaxDets; ++k) {
    recall_by_max_dets_[k].Add(other.recall_by_max_dets_[k]);
  }
  for (std::size_t point = 0; point < kMaxOperatingPoints; ++point) {
    for (std::size_t t = 0; t < kMaxIouThresholds; ++t) {
      AddCounts(micro_[point][t], other.micro_[point][t]);
      macro_[point][t].precision.Add(other.macro_[point][t].precision);
      macro_[point][t].recall.Add(other.macro_[point][t].recall);
      macro_[point][t].f1.Add(other.macro_[point][t].f1);
    }
    AddFrames(frames_[point], other.frames_[point]);
  }
  iou_.Add(other.iou_);
}

MeanSummary MeanSums::Mean(const EvaluationParams& params) const {
  MeanSummary out;
  out.exact = exact_;
  out.classes = classes_;
  out.ground_truths = ground_truths_;
  for (std::size_t area = 0; area < params.areas(); ++area) {
    Ap all;
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      out.map[area][t] = ap_[area][t].Mean();
      all.Add(ap_[area][t]);
    }
    out.map[area][params.thresholds()] = all.Mean();
    out.ar[area] = recall_[area].Mean();
  }
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    out.ar_by_max_dets[k] = recall_by_max_dets_[k].Mean();
  }
  out.micro = micro_;
  for (std::size_t point = 0; point < params.operating_points.size(); ++point) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      const Macro& macro = macro_[point][t];
      out.macro[point][t] = {macro.precision.Mean(), macro.recall.Mean(), macro.f1.Mean()};
    }
  }
  out.frames = frames_;
  out.iou_mean = iou_.Mean();
  return out;
}

MeanSummary Mean(const EvaluationParams& params, std::span<const ClassSummary* const> classes) {
  MeanSums sums;
  for (const ClassSummary* one : classes) {
    sums.Add(params, *one);
  }
  return sums.Mean(params);
}

}  // namespace detwatch::accumulate
