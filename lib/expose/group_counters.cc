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

using Counters = std::vector<std::shared_ptr<const ClassCounters>>;

// Calls visit(class, its labels, counters or null).
template <class Visit>
void ForEachClass(const GroupContext& context, const Counters& all, Visit&& visit) {
  const snapshot::Group& group = context.group;
  for (std::size_t c = 0; c < group.class_names.size(); ++c) {
    visit(c, context.base.With("class", group.class_names[c]), c < all.size() ? all[c].get() : nullptr);
  }
}

// The families of what was counted, and those of what corrections took back.
struct CounterFamilies {
  Family ground_truths, true_positives, false_positives, false_negatives, frame_outcomes, bin_detections,
      bin_true_positives;
};
constexpr CounterFamilies kAdded = {Family::kGroundTruths,    Family::kTruePositives, Family::kFalsePositives,
                                    Family::kFalseNegatives,  Family::kFrameOutcomes, Family::kBinDetections,
                                    Family::kBinTruePositives};
constexpr CounterFamilies kRetracted = {Family::kGroundTruthsRetracted,    Family::kTruePositivesRetracted,
                                        Family::kFalsePositivesRetracted,  Family::kFalseNegativesRetracted,
                                        Family::kFrameOutcomesRetracted,   Family::kBinDetectionsRetracted,
                                        Family::kBinTruePositivesRetracted};

void EmitFrameOutcomes(const GroupContext& context, Family family, const LabelSet& labels,
                       const snapshot::FrameOutcomes& outcomes, Emitter& out) {
  static const std::array<LabelSet, 4> kOutcomes = {LabelSet("outcome", "tp"), LabelSet("outcome", "fp"),
                                                    LabelSet("outcome", "fn"), LabelSet("outcome", "tn")};
  for (std::size_t c = 0; c < context.params.operating_points.size(); ++c) {
    LabelSet point = labels;
    for (const auto& label : context.points[c].pairs()) {
      point.Add(label.name, label.value);
    }
    const accumulate::FrameCounts& frames = outcomes[c];
    out.Count(family, point, kOutcomes[0], frames.tp);
    out.Count(family, point, kOutcomes[1], frames.fp);
    out.Count(family, point, kOutcomes[2], frames.fn);
    out.Count(family, point, kOutcomes[3], frames.tn);
  }
}

bool HasThreshold(const EvaluationParams& params, double iou) {
  return std::any_of(params.iou_thresholds.begin(), params.iou_thresholds.end(),
                     [&](double threshold) { return std::abs(threshold - iou) < 1e-9; });
}

std::int64_t At(const std::vector<std::vector<std::int64_t>>& bins, std::size_t threshold, std::size_t bin) {
  return threshold < bins.size() && bin < bins[threshold].size() ? bins[threshold][bin] : 0;
}

// A class that is known has all of them, at 0 before it is first seen, so that an increase misses nothing.
void EmitClassCounters(const GroupContext& context, const CounterFamilies& families, const Counters& all,
                       const std::vector<std::int64_t>& judged_frames, Emitter& out) {
  static const ClassCounters kNone;
  ForEachClass(context, all, [&](std::size_t c_index, const LabelSet& labels, const ClassCounters* counted) {
    const ClassCounters& counters = counted == nullptr ? kNone : *counted;
    out.Count(families.ground_truths, labels, {}, counters.ground_truths);
    for (std::size_t c = 0; c < context.operating.size(); ++c) {
      for (std::size_t i = 0; i < context.ious.size(); ++i) {
        const LabelSet& leaf = context.operating[c][i];
        const accumulate::OperatingCounts& counts = counters.operating[c][context.ious[i]];
        out.Count(families.true_positives, labels, leaf, counts.true_positives);
        out.Count(families.false_positives, labels, leaf, counts.false_positives);
        out.Count(families.false_negatives, labels, leaf, counts.false_negatives);
      }
    }
    if (context.spec.families.frame_outcomes) {
      EmitFrameOutcomes(context, families.frame_outcomes, labels, FramesOfClass(all, judged_frames, c_index),
                        out);
    }
  });
}

}  // namespace

void EmitClassCounters(const GroupContext& context, Emitter& out) {
  const snapshot::Group& group = context.group;
  EmitClassCounters(context, kAdded, group.counters, group.judged_frames, out);
  // Born at 0, before the first correction, so that their increase is right from the start.
  if (!group.retracted.empty()) {
    EmitClassCounters(context, kRetracted, group.retracted, group.retracted_judged_frames, out);
  }
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
  // Only of classes that were seen: ninety series for each that may never come would be most of all.
  const Counters& seen = context.group.counters;
  const auto emit = [&](const CounterFamilies& families, const Counters& all) {
    static const ClassCounters kNone;
    ForEachClass(context, all, [&](std::size_t c, const LabelSet& labels, const ClassCounters* counted) {
      if (c >= seen.size() || seen[c] == nullptr) {
        return;
      }
      const ClassCounters& counters = counted == nullptr ? kNone : *counted;
      for (std::size_t i = 0; i < leaves.size(); ++i) {
        for (std::size_t b = 0; b < leaves[i].size(); ++b) {
          out.Count(families.bin_detections, labels, leaves[i][b], At(counters.bin_detections, i, b));
          out.Count(families.bin_true_positives, labels, leaves[i][b], At(counters.bin_true_positives, i, b));
        }
      }
    });
  };
  emit(kAdded, context.group.counters);
  if (!context.group.retracted.empty()) {
    emit(kRetracted, context.group.retracted);
  }
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
