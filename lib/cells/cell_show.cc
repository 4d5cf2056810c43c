// The numbers of a cell: made when somebody looks, kept until the counts change.
#include <cmath>
#include <optional>

#include "lib/cells/cell.h"

namespace detwatch::cells {
namespace {

using accumulate::Histogram;

// Index of the threshold that is meant by `iou`, or none.
std::optional<std::size_t> FindThreshold(const EvaluationParams& params, double iou) {
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    if (std::abs(params.iou_thresholds[t] - iou) < 1e-9) {
      return t;
    }
  }
  return std::nullopt;
}

void CountOperatingPoints(const EvaluationParams& params, const Histogram& total,
                          snapshot::ClassCounters& counters) {
  const accumulate::Shape& shape = total.shape();
  counters.ground_truths = total.Tally(shape.GroundTruths(0));
  const std::int64_t examined = total.Tally(shape.Frames()) - total.Tally(shape.FramesIgnored());
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      accumulate::OperatingCounts& at = counters.operating[c][t];
      at.true_positives = total.Tally(shape.TruePositives(c, t));
      at.false_positives = total.Tally(shape.FalsePositives(c, t));
      at.false_negatives = counters.ground_truths - at.true_positives;
    }
    accumulate::FrameCounts& frames = counters.frames[c];
    frames.tp = total.Tally(shape.FrameOutcomes(c, 0));
    frames.fp = total.Tally(shape.FrameOutcomes(c, 1));
    frames.fn = total.Tally(shape.FrameOutcomes(c, 2));
    frames.tn = examined - frames.tp - frames.fp - frames.fn;
  }
}

void CountFleetBins(const EvaluationParams& params, const Histogram& total,
                    const std::vector<double>& fleet_ious, snapshot::ClassCounters& counters) {
  const accumulate::BinLayout& fleet = accumulate::BinLayout::Get(accumulate::LayoutId::k16_2_8_14);
  static const std::vector<std::uint16_t> kToFleet =
      accumulate::BinLayout::Get(accumulate::LayoutId::k128_8_14_20).CoarseningTo(fleet);
  for (const double iou : fleet_ious) {
    auto& detections = counters.bin_detections.emplace_back();
    auto& true_positives = counters.bin_true_positives.emplace_back();
    const auto t = FindThreshold(params, iou);
    if (!t) {
      continue;
    }
    detections.resize(static_cast<std::size_t>(fleet.bins()));
    true_positives.resize(static_cast<std::size_t>(fleet.bins()));
    const accumulate::CountTable& table = total.table(0);
    for (int bin = 0; bin < table.bins(); ++bin) {
      const std::size_t to = kToFleet[static_cast<std::size_t>(bin)];
      detections[to] += table.Detections(bin) - table.Ignored(bin, *t);
      true_positives[to] += table.TruePositives(bin, *t);
    }
  }
}

std::shared_ptr<const snapshot::ClassCounters> MakeCounters(const EvaluationParams& params,
                                                            const Histogram& total,
                                                            const std::vector<double>& fleet_ious) {
  auto counters = std::make_shared<snapshot::ClassCounters>();
  CountOperatingPoints(params, total, *counters);
  CountFleetBins(params, total, fleet_ious, *counters);
  return counters;
}

}  // namespace

std::shared_ptr<const accumulate::ClassSummary> Cell::Summarise(const EvaluationParams& params, std::size_t w,
                                                                bool any, accumulate::Ordinal first) const {
  Summary& summary = summaries_[w];
  // Nothing of the window has left the ring: single detections, exactly.
  const bool exact = !any || ring_.Covers(first);
  // While the counts stand, the detections from a later `first` on are the same ones.
  if (summary.fresh && summary.exact == exact) {
    return summary.values;
  }
  summary = {true, exact, nullptr};
  const Histogram* counts = w == 0 ? &total_ : windows_[w - 1].sum();
  if (counts != nullptr && !counts->IsZero()) {
    std::vector<accumulate::RingRecord> records;
    if (exact) {
      ring_.CopyFrom(first, records);
    }
    summary.values = std::make_shared<const accumulate::ClassSummary>(
        accumulate::Summarise(params, *counts, exact ? &records : nullptr));
  }
  return summary.values;
}

const Cell::Counters& Cell::Count(const EvaluationParams& params,
                                  const std::vector<double>& fleet_ious) const {
  if (counters_.added == nullptr) {
    if (retracted_ == nullptr) {
      counters_.added = MakeCounters(params, total_, fleet_ious);
    } else {
      counters_.retracted = MakeCounters(params, *retracted_, fleet_ious);
      // What was added is what stands and what was taken out again.
      Histogram added = total_;
      added.Add(*retracted_);
      counters_.added = MakeCounters(params, added, fleet_ious);
    }
  }
  return counters_;
}

}  // namespace detwatch::cells
