#include <array>

#include "lib/expose/group.h"

namespace detwatch::expose {
namespace {

using accumulate::ApValue;
using accumulate::ClassSummary;

// Calls visit(labels with window and class, summary or null) for every window and class of the group.
template <class Visit>
void ForEachClass(const GroupContext& context, Visit&& visit) {
  for (std::size_t w = 0; w < context.windows.size(); ++w) {
    const snapshot::Window& window = context.group.windows[w];
    for (std::size_t c = 0; c < context.group.class_names.size(); ++c) {
      const ClassSummary* summary = c < window.classes.size() ? window.classes[c].get() : nullptr;
      visit(context.windows[w].With("class", context.group.class_names[c]), summary);
    }
  }
}

ApValue MeanOverThresholds(const ClassSummary& summary, std::size_t thresholds) {
  ApValue sum;
  for (std::size_t t = 0; t < thresholds; ++t) {
    sum.value += summary.ap[0][t].value;
    sum.lower += summary.ap[0][t].lower;
    sum.upper += summary.ap[0][t].upper;
  }
  const auto n = static_cast<double>(thresholds);
  return {sum.value / n, sum.lower / n, sum.upper / n};
}

// Also of classes of which nothing was found or labelled: all they have is frames without them.
void EmitFrameOutcomes(const GroupContext& context, Emitter& out) {
  for (std::size_t w = 0; w < context.windows.size(); ++w) {
    const snapshot::Window& window = context.group.windows[w];
    for (std::size_t c = 0; c < context.group.class_names.size(); ++c) {
      const snapshot::FrameOutcomes frames = FramesOfClass(window, c);
      const LabelSet labels = context.windows[w].With("class", context.group.class_names[c]);
      for (std::size_t p = 0; p < context.points.size(); ++p) {
        out.Sample(Family::kFrameAccuracy, labels, context.points[p], frames[p].Accuracy());
        out.Sample(Family::kFrameSpecificity, labels, context.points[p], frames[p].Specificity());
      }
    }
  }
}

// Of the total, "total" being the first of the windows.
void EmitIouQuantiles(const GroupContext& context, Emitter& out) {
  static const LabelSet kTenth = LabelSet().With("share", "0.1");
  static const LabelSet kMedian = LabelSet().With("share", "0.5");
  for (std::size_t c = 0; c < context.group.iou_quantiles.size(); ++c) {
    const snapshot::IouQuantiles& quantiles = context.group.iou_quantiles[c];
    const LabelSet labels = context.windows.front().With("class", context.group.class_names[c]);
    out.Sample(Family::kTruePositiveIouQuantile, labels, kTenth, quantiles.tenth);
    out.Sample(Family::kTruePositiveIouQuantile, labels, kMedian, quantiles.median);
  }
}

void EmitFrames(const GroupContext& context, const LabelSet& labels,
                const std::array<accumulate::FrameCounts, kMaxOperatingPoints>& frames, Emitter& out) {
  for (std::size_t c = 0; c < context.points.size(); ++c) {
    out.Sample(Family::kFrameAccuracy, labels, context.points[c], frames[c].Accuracy());
    out.Sample(Family::kFrameSpecificity, labels, context.points[c], frames[c].Specificity());
  }
}

}  // namespace

void EmitWindowGroundTruths(const GroupContext& context, Emitter& out) {
  if (!context.spec.classes) {
    for (std::size_t w = 0; w < context.windows.size(); ++w) {
      out.Count(Family::kWindowGroundTruths, context.windows[w], {},
                context.group.windows[w].mean.ground_truths[0]);
    }
    return;
  }
  ForEachClass(context, [&](const LabelSet& labels, const ClassSummary* summary) {
    out.Count(Family::kWindowGroundTruths, labels, {},
              summary != nullptr ? summary->ground_truths[0] : std::int64_t{0});
  });
}

void EmitOperatingPoints(const GroupContext& context, Emitter& out) {
  const Families& families = context.spec.families;
  ForEachClass(context, [&](const LabelSet& labels, const ClassSummary* summary) {
    if (summary == nullptr) {
      return;
    }
    for (std::size_t c = 0; c < context.operating.size(); ++c) {
      for (std::size_t i = 0; i < context.ious.size(); ++i) {
        const LabelSet& leaf = context.operating[c][i];
        const accumulate::OperatingCounts& counts = summary->operating[c][context.ious[i]];
        if (families.precision) {
          out.Sample(Family::kPrecision, labels, leaf, counts.Precision());
        }
        if (families.recall) {
          out.Sample(Family::kRecall, labels, leaf, counts.Recall());
        }
        if (families.f1_score) {
          out.Sample(Family::kF1, labels, leaf, counts.F1());
        }
      }
    }
  });
}

void EmitAveragePrecision(const GroupContext& context, Emitter& out) {
  ForEachClass(context, [&](const LabelSet& labels, const ClassSummary* summary) {
    if (summary == nullptr) {
      return;
    }
    for (std::size_t i = 0; i < context.iou_labels.size(); ++i) {
      const LabelSet& leaf = context.iou_labels[i];
      const ApValue ap = i < context.ious.size() ? summary->ap[0][context.ious[i]]
                                                 : MeanOverThresholds(*summary, context.params.thresholds());
      out.Sample(Family::kAp, labels, leaf, ap.value);
      out.Sample(Family::kApLower, labels, leaf, ap.lower);
      out.Sample(Family::kApUpper, labels, leaf, ap.upper);
    }
  });
}

void EmitQuality(const GroupContext& context, Emitter& out) {
  const Families& families = context.spec.families;
  if (!context.spec.classes) {
    for (std::size_t w = 0; w < context.windows.size(); ++w) {
      const accumulate::MeanSummary& mean = context.group.windows[w].mean;
      if (families.localization) {
        out.Sample(Family::kTruePositiveIou, context.windows[w], {}, mean.iou_mean);
      }
      if (families.frame_outcomes) {
        EmitFrames(context, context.windows[w], mean.frames, out);
      }
    }
    return;
  }
  ForEachClass(context, [&](const LabelSet& labels, const ClassSummary* summary) {
    if (summary == nullptr) {
      return;
    }
    if (families.localization) {
      out.Sample(Family::kTruePositiveIou, labels, {}, summary->iou_mean);
    }
    if (families.calibration) {
      out.Sample(Family::kBestF1Confidence, labels, {}, summary->best_f1_confidence);
      out.Sample(Family::kCalibrationError, labels, {}, summary->calibration_error);
    }
  });
  if (families.localization) {
    EmitIouQuantiles(context, out);
  }
  if (families.frame_outcomes) {
    EmitFrameOutcomes(context, out);
  }
}

}  // namespace detwatch::expose
