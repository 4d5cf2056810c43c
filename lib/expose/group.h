#pragma once
// lib/expose -- a group of a view with every label set its series need, made once per exposition; and the
// walk over it, one function per block of families (emitter.h).

#include <cstddef>
#include <vector>

#include "lib/expose/emitter.h"
#include "lib/expose/labels.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::expose {

// Indices of the thresholds that are exposed one by one: the headline, nearest to 0.50, and, if configured,
// 0.75.
[[nodiscard]] std::vector<std::size_t> ExposedIous(const EvaluationParams& params);

struct GroupContext {
  // Requires: the group has params; `view` and `group` outlive the context.
  GroupContext(const snapshot::View& view, const snapshot::Group& of_group);

  const ViewSpec& spec;
  const snapshot::Group& group;
  const EvaluationParams& params;
  std::vector<std::size_t> ious;  // ExposedIous

  LabelSet base;                     // view and the group's labels
  std::vector<LabelSet> windows;     // base and window, by window
  std::vector<LabelSet> iou_labels;  // {iou}, by `ious`; then the mean, if there are several thresholds
  std::vector<LabelSet> points;      // {confidence}, by operating point
  std::vector<std::vector<LabelSet>> operating;  // {iou, confidence}, by operating point and `ious`
};

// Means, one value for all classes.
void EmitWindowFacts(const GroupContext& context, Emitter& out);
void EmitMeanAveragePrecision(const GroupContext& context, Emitter& out);
void EmitAverageRecall(const GroupContext& context, Emitter& out);
void EmitMicroMacro(const GroupContext& context, Emitter& out);
void EmitPredictionStats(const GroupContext& context, Emitter& out);

// One value per class; in a view without classes what can be said over all of them.
void EmitWindowGroundTruths(const GroupContext& context, Emitter& out);
void EmitOperatingPoints(const GroupContext& context, Emitter& out);
void EmitAveragePrecision(const GroupContext& context, Emitter& out);
void EmitQuality(const GroupContext& context, Emitter& out);  // localization, calibration, frame outcomes

// Counters, only for views that have them.
void EmitClassCounters(const GroupContext& context, Emitter& out);
void EmitFleetBins(const GroupContext& context, const std::vector<double>& fleet_ious, Emitter& out);
void EmitBinLayout(Emitter& out);

}  // namespace detwatch::expose
