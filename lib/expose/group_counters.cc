#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "lib/accumulate/layout.h"
#include "lib/expose/group.h"

namespace detwatch::expose {
namespace {

using snapshot::ClassCounters;

const accumulate::BinLayout& FleetLayout() {
  return accumulate::BinLayout::Get(accumulate::LayoutId::k16_2_8_14);
}

std::string BinText(int bin) {
  return (bin < 10 ? "0" : "") + std::to_string(bin);
}

// Calls visit(labels with class, counters); a class that was not counted yet has zeros.
template <class Visit>
void ForEachClass(const GroupContext& context, Visit&& visit) {
  static const ClassCounters kNone;
  const snapshot::Group& group = context.group;
  for (std::size_t c = 0; c < group.class_names.size(); ++c) {
    const ClassCounters* counters = c < group.counters.size() ? group.counters[c].get() : nullptr;
    visit(context.base.With("class", group.class_names[c]), counters != nullptr ? *counters : kNone);
  }
}

void EmitFrameOutcomes(const GroupContext& context, const LabelSet& labels, const ClassCounters& counters,
                       Emitter& out) {
  static const std::array<LabelSet, 4> kOutcomes = {LabelSet("outcome", "tp"), LabelSet("outcome", "fp"),
                                                    LabelSet("outcome", "fn"), LabelSet("outcome", "tn")};
  for (std::size_t c = 0; c < context.params.operating_points.size(); ++c) {
    LabelSet point = labels;
    for (const auto& label : context.points[c].pairs()) {
      point.Add(label.name, label.value);
    }
    const accumulate::FrameCounts& frames = counters.frames[c];
    out.Count(Family::kFrameOutcomes, point, kOutcomes[0], frames.tp);
    out.Count(Family::kFrameOutcomes, point, kOutcomes[1], frames.fp);
    out.Count(Family::kFrameOutcomes, point, kOutcomes[2], frames.fn);
    out.Count(Family::kFrameOutcomes, point, kOutcomes[3], frames.tn);
  }
}

bool HasThreshold(const EvaluationParams& params, double iou) {
  return std::any_of(params.iou_thresholds.begin(), params.iou_thresholds.end(),
                     [&](double threshold) { return std::abs(threshold - iou) < 1e-9; });
}

std::int64_t At(const std::vector<std::vector<std::int64_t>>& bins, std::size_t threshold, std::size_t bin) {
  return threshold < bins.size() && bin < bins[threshold].size() ? bins[threshold][bin] : 0;
}

}  // namespace

void EmitClassCounters(const GroupContext& context, Emitter& out) {
  ForEachClass(context, [&](const LabelSet& labels, const ClassCounters& counters) {
    out.Count(Family::kGroundTruths, labels, {}, counters.ground_truths);
    for (std::size_t c = 0; c < context.operating.size(); ++c) {
      for (std::size_t i = 0; i < context.ious.size(); ++i) {
        const LabelSet& leaf = context.operating[c][i];
        const accumulate::OperatingCounts& counts = counters.operating[c][context.ious[i]];
        out.Count(Family::kTruePositives, labels, leaf, counts.true_positives);
        out.Count(Family::kFalsePositives, labels, leaf, counts.false_positives);
        out.Count(Family::kFalseNegatives, labels, leaf, counts.false_negatives);
      }
    }
    if (context.spec.families.frame_outcomes) {
      EmitFrameOutcomes(context, labels, counters, out);
    }
  });
}

void EmitFleetBins(const GroupContext& context, const std::vector<double>& fleet_ious, Emitter& out) {
  const auto bins = static_cast<std::size_t>(FleetLayout().bins());
  std::vector<std::vector<LabelSet>> leaves;
  for (const double iou : fleet_ious) {
    const LabelSet label("iou", IouText(iou));
    auto& of_iou =
        leaves.emplace_back();  // stays empty, and so without series, where the group has no such threshold
    for (std::size_t b = 0; b < bins && HasThreshold(context.params, iou); ++b) {
      of_iou.push_back(label.With("bin", BinText(static_cast<int>(b))));
    }
  }
  ForEachClass(context, [&](const LabelSet& labels, const ClassCounters& counters) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      for (std::size_t b = 0; b < leaves[i].size(); ++b) {
        out.Count(Family::kBinDetections, labels, leaves[i][b], At(counters.bin_detections, i, b));
        out.Count(Family::kBinTruePositives, labels, leaves[i][b], At(counters.bin_true_positives, i, b));
      }
    }
  });
}

void EmitBinLayout(Emitter& out) {
  const accumulate::BinLayout& layout = FleetLayout();
  const auto edges = layout.edges();
  for (int bin = 0; bin < layout.bins(); ++bin) {
    const auto b = static_cast<std::size_t>(bin);
    LabelSet labels("layout", layout.name());
    labels.Add("bin", BinText(bin));
    std::string lower, upper;
    AppendNumber(lower, edges[b]);
    AppendNumber(upper, edges[b + 1]);
    labels.Add("lower", lower).Add("upper", upper);
    out.Sample(Family::kBinLayoutInfo, labels, {}, 1);
  }
}

}  // namespace detwatch::expose
