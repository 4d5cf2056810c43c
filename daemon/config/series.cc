#include "daemon/config/series.h"

#include <cstddef>
#include <limits>
#include <memory>
#include <string>

#include "lib/expose/expose.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::config {
namespace {

using accumulate::ClassSummary;
using accumulate::FrameCounts;
using accumulate::OperatingCounts;

constexpr TimePoint kSomeTime = TimePoint(Duration(1));  // not the unknown one

// Every ratio is defined: what is zero by default is a number already.
constexpr OperatingCounts kDefined = {1, 1, 1};
constexpr FrameCounts kDefinedFrames = {1, 1, 1, 1};

template <class Grid, class Value>
void FillGrid(Grid& grid, const Value& value) {
  for (auto& row : grid) {
    row.fill(value);
  }
}

std::shared_ptr<const ClassSummary> Seen() {
  auto summary = std::make_shared<ClassSummary>();
  FillGrid(summary->operating, kDefined);
  summary->frames.fill(kDefinedFrames);
  return summary;
}

snapshot::Window MakeWindow(const std::string& name, std::size_t classes) {
  snapshot::Window window;
  window.name = name;
  window.oldest_capture = window.newest_capture = kSomeTime;
  window.classes.assign(classes, Seen());
  FillGrid(window.mean.micro, kDefined);
  window.mean.frames.fill(kDefinedFrames);
  return window;
}

snapshot::Group MakeGroup(const Config& config, const ViewSpec& view, std::size_t classes, bool retracted) {
  snapshot::Group group;
  for (const std::string& key : view.group_by) {
    group.labels.emplace_back(key, "");
  }
  group.params = std::make_shared<const EvaluationParams>(config.evaluation);
  for (std::size_t c = 0; c < classes; ++c) {
    group.class_names.push_back(std::to_string(c));
  }
  group.iou_quantiles.assign(classes, {0.5, 0.5});
  group.windows.push_back(MakeWindow("total", classes));
  for (const std::string& name : view.windows) {
    group.windows.push_back(MakeWindow(name, classes));
  }
  if (view.counters) {
    group.counters.assign(classes, std::make_shared<const snapshot::ClassCounters>());
    if (retracted) {
      group.retracted = group.counters;
    }
  }
  return group;
}

snapshot::Model MakeModel() {
  snapshot::Model model;
  model.last_frame = model.last_label = kSomeTime;
  model.judged = 1;
  return model;
}

expose::Process MakeProcess() {
  expose::Process process;
  process.config_reload_timestamp_seconds = 1;
  process.checkpoint_timestamp_seconds = 1;
  return process;
}

// Runs the exposition without a limit.
std::uint64_t Count(const snapshot::Snapshot& snapshot, bool fleet_bins) {
  return expose::CountSeries(snapshot, MakeProcess(), {std::numeric_limits<std::size_t>::max(), fleet_bins});
}

// No group and no model in any view.
snapshot::Snapshot MakeEmpty(const Config& config) {
  snapshot::Snapshot snapshot;
  snapshot.fleet_ious = config.fleet.iou;
  for (const ViewSpec& view : config.views) {
    snapshot.views.emplace_back().spec = view;
  }
  return snapshot;
}

// What one group of view `v` adds.
class GroupCounter {
 public:
  GroupCounter(const Config& config, std::size_t v) : config_(config), v_(v), snapshot_(MakeEmpty(config)) {}

  std::uint64_t Added(std::size_t classes, bool retracted, bool fleet_bins) {
    snapshot_.views[v_].groups.clear();
    const std::uint64_t without = Count(snapshot_, fleet_bins);
    snapshot_.views[v_].groups = {MakeGroup(config_, config_.views[v_], classes, retracted)};
    return Count(snapshot_, fleet_bins) - without;
  }

 private:
  const Config& config_;
  std::size_t v_;
  snapshot::Snapshot snapshot_;
};

GroupSeries EstimateGroupSeries(const Config& config, std::size_t v) {
  GroupCounter counter(config, v);
  const bool retracted = config.join.KeepsJudged();
  const bool bins = config.fleet.bins;
  GroupSeries series;
  series.fixed = counter.Added(0, retracted, bins);
  const std::uint64_t with_class = counter.Added(1, retracted, bins);
  series.per_class = with_class - series.fixed;
  series.per_class_fleet = with_class - counter.Added(1, retracted, false);
  series.per_class_retracted = with_class - counter.Added(1, false, bins);
  return series;
}

}  // namespace

std::uint64_t SeriesEstimate::of_model(std::uint64_t classes) const {
  std::uint64_t sum = model;
  for (const GroupSeries& group : views) {
    sum += group.total(classes);
  }
  return sum;
}

SeriesEstimate EstimateSeries(const Config& config) {
  SeriesEstimate estimate;
  snapshot::Snapshot snapshot = MakeEmpty(config);
  estimate.besides = Count(snapshot, config.fleet.bins);
  snapshot.models.push_back(MakeModel());
  estimate.model = Count(snapshot, config.fleet.bins) - estimate.besides;
  for (std::size_t v = 0; v < config.views.size(); ++v) {
    estimate.views.push_back(EstimateGroupSeries(config, v));
  }
  return estimate;
}

}  // namespace detwatch::config
