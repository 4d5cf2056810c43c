// From state to snapshot: which classes need new values, and which still stand.
#include <cmath>

#include "lib/pipeline/state.h"
#include "lib/pipeline/state_parts.h"

namespace detwatch::pipeline {
namespace {

using accumulate::ClassSummary;
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

snapshot::ClassCounters MakeCounters(const EvaluationParams& params, const Histogram& total,
                                     const std::vector<double>& fleet_ious) {
  const accumulate::Shape& shape = total.shape();
  snapshot::ClassCounters counters;
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
  return counters;
}

}  // namespace

snapshot::Group State::Describe(Group& group, const ViewSpec& view, TimePoint now) {
  snapshot::Group out;
  out.labels = group.labels;
  out.params = group.params;
  out.class_names = group.class_names;
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  const std::int64_t nanos = ToUnixNanos(now);
  const std::int64_t quantum = nanos / quantum_.count() - (nanos % quantum_.count() < 0 ? 1 : 0);
  for (std::size_t w = 0; w <= windows.size(); ++w) {
    snapshot::Window values;
    window::FrameStats frames = group.total_frames;
    values.name = "total";
    std::int64_t pane = 0;
    if (w > 0) {
      const WindowSpec& spec = config_.windows[windows[w - 1]];
      values.name = spec.name;
      pane = PaneAt(spec, quantum);
      group.frame_windows[w - 1].Advance(pane);
      frames = group.frame_windows[w - 1].Sum();
    }
    values.frames = frames.frames;
    values.oldest_capture = frames.oldest_capture;
    values.newest_capture = frames.newest_capture;
    std::vector<const ClassSummary*> present;
    for (const auto& cell : group.cells) {
      Cell::Summary& summary = cell->summaries[w];
      if (w > 0 && cell->windows[w - 1].Advance(store_, pane)) {
        summary.fresh = false;
        Account(*cell);
      }
      // Nothing of the window has left the ring: single detections, exactly.
      const accumulate::Ordinal first = w == 0 ? 0 : frames.first;
      const bool exact = frames.frames == 0 || cell->ring.Covers(first);
      if (!summary.fresh || summary.exact != exact || (exact && summary.first != first)) {
        const Histogram& counts = w == 0 ? cell->total : cell->windows[w - 1].sum();
        summary = {true, exact, first, nullptr};
        if (!counts.IsZero()) {
          if (exact) {
            cell->ring.CopyFrom(first, records_);
          }
          summary.values = std::make_shared<const ClassSummary>(
              accumulate::Summarise(*group.params, counts, exact ? &records_ : nullptr));
        }
      }
      values.classes.push_back(summary.values);
      if (summary.values != nullptr) {
        present.push_back(summary.values.get());
      }
    }
    values.mean = accumulate::Mean(*group.params, present);
    out.windows.push_back(std::move(values));
  }
  if (view.counters) {
    const auto make = [&](const Histogram& counts) {
      return std::make_shared<const snapshot::ClassCounters>(
          MakeCounters(*group.params, counts, config_.fleet_ious));
    };
    const auto none = group.correctable ? make(Histogram(group.fine)) : nullptr;
    for (const auto& cell : group.cells) {
      if (cell->counters == nullptr) {
        cell->retracted_counters = cell->retracted == nullptr ? nullptr : make(*cell->retracted);
        if (cell->retracted == nullptr) {
          cell->counters = make(cell->total);
        } else {
          // What was added is what stands and what was taken out again.
          Histogram added = cell->total;
          added.Add(*cell->retracted);
          cell->counters = make(added);
        }
      }
      out.counters.push_back(cell->counters);
      if (group.correctable) {
        out.retracted.push_back(cell->retracted_counters == nullptr ? none : cell->retracted_counters);
      }
    }
    out.predictions = std::make_shared<const PredictionStats>(group.predictions);
  }
  return out;
}

std::shared_ptr<const snapshot::Snapshot> State::Take(TimePoint now) {
  auto snapshot = std::make_shared<snapshot::Snapshot>();
  snapshot->taken = now;
  snapshot->cuts = cuts_;
  snapshot->fleet_ious = config_.fleet_ious;
  for (const ViewSpec& view : config_.views) {
    snapshot->views.push_back({view, {}});
  }
  for (const auto& group : groups_) {
    if (group != nullptr) {
      snapshot->views[group->view].groups.push_back(Describe(*group, config_.views[group->view], now));
    }
  }
  for (const auto& model : models_) {
    if (model != nullptr) {
      snapshot->models.push_back(model->values);
    }
  }
  snapshot->counters = counters_;
  snapshot->gauges = gauges_;
  snapshot->gauges.cells = cells_;
  snapshot->gauges.cell_bytes = cell_bytes_;
  snapshot->gauges.cell_bytes_limit = config_.limits.cell_bytes;
  return snapshot;
}

}  // namespace detwatch::pipeline
