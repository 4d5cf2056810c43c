#include "lib/expose/group.h"

namespace detwatch::expose {
namespace {

void EmitApValue(Family value, Family lower, Family upper, const LabelSet& base, const LabelSet& leaf,
                 const accumulate::ApValue& ap, Emitter& out) {
  out.Sample(value, base, leaf, ap.value);
  out.Sample(lower, base, leaf, ap.lower);
  out.Sample(upper, base, leaf, ap.upper);
}

}  // namespace

void EmitWindowFacts(const GroupContext& context, Emitter& out) {
  const LabelSet oldest("edge", "oldest");
  const LabelSet newest("edge", "newest");
  for (std::size_t w = 0; w < context.windows.size(); ++w) {
    const LabelSet& labels = context.windows[w];
    const snapshot::Window& window = context.group.windows[w];
    out.Count(Family::kWindowFrames, labels, {}, window.frames);
    out.Count(Family::kWindowClasses, labels, {}, window.mean.classes);
    out.Sample(Family::kWindowExact, labels, {}, window.mean.exact ? 1 : 0);
    if (window.oldest_capture != TimePoint{}) {
      out.Sample(Family::kWindowCapture, labels, oldest, ToUnixSeconds(window.oldest_capture));
    }
    if (window.newest_capture != TimePoint{}) {
      out.Sample(Family::kWindowCapture, labels, newest, ToUnixSeconds(window.newest_capture));
    }
  }
}

void EmitMeanAveragePrecision(const GroupContext& context, Emitter& out) {
  const EvaluationParams& params = context.params;
  for (std::size_t a = 0; a < params.areas(); ++a) {
    for (std::size_t i = 0; i < context.iou_labels.size(); ++i) {
      const LabelSet leaf = context.iou_labels[i].With("area", params.area_ranges[a].name);
      const std::size_t t = i < context.ious.size() ? context.ious[i] : params.thresholds();  // then the mean
      for (std::size_t w = 0; w < context.windows.size(); ++w) {
        EmitApValue(Family::kMap, Family::kMapLower, Family::kMapUpper, context.windows[w], leaf,
                    context.group.windows[w].mean.map[a][t], out);
      }
    }
  }
}

void EmitAverageRecall(const GroupContext& context, Emitter& out) {
  const EvaluationParams& params = context.params;
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    LabelSet leaf("max_dets", MaxDetsText(params.max_dets[k]));
    leaf.Add("area", params.area_ranges.front().name);
    for (std::size_t w = 0; w < context.windows.size(); ++w) {
      out.Sample(Family::kAverageRecall, context.windows[w], leaf,
                 context.group.windows[w].mean.ar_by_max_dets[k]);
    }
  }
  for (std::size_t a = 1; a < params.areas(); ++a) {
    LabelSet leaf("max_dets", MaxDetsText(params.max_dets.back()));
    leaf.Add("area", params.area_ranges[a].name);
    for (std::size_t w = 0; w < context.windows.size(); ++w) {
      out.Sample(Family::kAverageRecall, context.windows[w], leaf, context.group.windows[w].mean.ar[a]);
    }
  }
}

void EmitMicroMacro(const GroupContext& context, Emitter& out) {
  const Families& families = context.spec.families;
  for (std::size_t w = 0; w < context.windows.size(); ++w) {
    const LabelSet& labels = context.windows[w];
    const accumulate::MeanSummary& mean = context.group.windows[w].mean;
    for (std::size_t c = 0; c < context.operating.size(); ++c) {
      for (std::size_t i = 0; i < context.ious.size(); ++i) {
        const LabelSet& leaf = context.operating[c][i];
        const accumulate::OperatingCounts& micro = mean.micro[c][context.ious[i]];
        const accumulate::MeanSummary::Macro& macro = mean.macro[c][context.ious[i]];
        if (families.precision) {
          out.Sample(Family::kMicroPrecision, labels, leaf, micro.Precision());
          out.Sample(Family::kMacroPrecision, labels, leaf, macro.precision);
        }
        if (families.recall) {
          out.Sample(Family::kMicroRecall, labels, leaf, micro.Recall());
          out.Sample(Family::kMacroRecall, labels, leaf, macro.recall);
        }
        if (families.f1_score) {
          out.Sample(Family::kMicroF1, labels, leaf, micro.F1());
          out.Sample(Family::kMacroF1, labels, leaf, macro.f1);
        }
      }
    }
  }
}

void EmitPredictionStats(const GroupContext& context, Emitter& out) {
  static const PredictionStats kNone;  // a group that was just seen starts at 0
  const PredictionStats& stats = context.group.predictions ? *context.group.predictions : kNone;
  out.Histogram(Family::kPredictionConfidence, context.base, kConfidenceEdges, stats.confidence);
  out.Histogram(Family::kPredictionsPerFrame, context.base, kPerFrameEdges, stats.per_frame);
  out.Histogram(Family::kInferenceSeconds, context.base, kInferenceEdges, stats.inference_seconds);
}

}  // namespace detwatch::expose
