#include "daemon/config/estimate.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"

namespace detwatch::config {
namespace {

using accumulate::Shape;

constexpr std::uint64_t kCounterBytes = sizeof(std::int64_t);
constexpr std::uint64_t kPaneBytesLeast = 2'060;  // encoded, per class: 29 MB for 80 classes and 176 panes
constexpr std::uint64_t kPaneBytesMost = 8'100;   // 114 MB

// Detections, TPs and (beyond area 0, where crowds are rare) ignored at each threshold, in every bin.
std::uint64_t CountersOf(const Shape& shape) {
  std::uint64_t counters = shape.tallies();
  for (std::size_t area = 0; area < shape.areas; ++area) {
    const auto bins = static_cast<std::uint64_t>(shape.layout(area).bins());
    counters += bins * (1 + std::uint64_t{shape.thresholds} * (area == 0 ? 1 : 2));
  }
  return counters;
}

}  // namespace

GroupMemory EstimateGroup(const EvaluationParams& params, const std::vector<WindowSpec>& windows,
                          std::uint64_t classes) {
  GroupMemory memory;
  const std::uint64_t coarse = CountersOf(Shape::Coarse(params));
  const std::uint64_t coarse_of_coco = CountersOf(Shape::Coarse(EvaluationParams::Coco()));
  std::uint64_t panes = 0;
  for (const WindowSpec& window : windows) {
    panes += static_cast<std::uint64_t>(window.panes);
  }
  memory.totals = classes * CountersOf(Shape::Fine(params)) * kCounterBytes;
  memory.windows = classes * windows.size() * coarse * kCounterBytes;
  memory.rings = classes * accumulate::Ring::kDefaultCapacity * sizeof(accumulate::RingRecord);
  memory.panes_least = classes * panes * kPaneBytesLeast * coarse / coarse_of_coco;
  memory.panes_most = classes * panes * kPaneBytesMost * coarse / coarse_of_coco;
  return memory;
}

GroupSeries EstimateSeries(const Config& config, const ViewSpec& view) {
  const EvaluationParams& params = config.evaluation;
  const Families& families = view.families;
  const auto on = [](bool family, std::uint64_t series) { return family ? series : 0; };
  const auto is_075 = [](double t) { return std::abs(t - 0.75) < 0.005; };
  // Shown at the threshold nearest 0.50, at 0.75, and as the mean over all.
  const bool second = std::any_of(params.iou_thresholds.begin(), params.iou_thresholds.end(), is_075) &&
                      !is_075(params.iou_thresholds[params.HeadlineIou()]);
  const std::uint64_t single = second ? 2 : 1;
  const std::uint64_t ious = single + (params.thresholds() > 1 ? 1 : 0);
  const std::uint64_t points = params.operating_points.size();
  const std::uint64_t windows = view.windows.size() + 1;  // total
  const std::uint64_t p_r_f1 = on(families.precision, 1) + on(families.recall, 1) + on(families.f1_score, 1);
  const std::uint64_t quality =
      1 + on(families.localization, 1) + on(families.frame_outcomes, 2 * points);  // 1: ground truths

  GroupSeries series;
  std::uint64_t means = 5;  // frames, classes, exact, two capture times
  means += on(families.mean_average_precision, params.areas() * ious * 3);
  means += on(families.average_recall, params.max_dets.size() + params.areas() - 1);
  means += on(families.micro_macro, 2 * p_r_f1 * points * single);
  means += on(!view.classes, quality);
  series.fixed = windows * means;
  if (view.classes) {
    series.per_class = windows * (quality + p_r_f1 * points * single +
                                  on(families.average_precision, 3 * ious) + on(families.calibration, 2));
  }
  if (view.counters) {
    series.fixed += 22 + 13 + 14;  // histograms of confidence, boxes per frame, inference time
    const auto bins =
        static_cast<std::uint64_t>(accumulate::BinLayout::Get(accumulate::LayoutId::k16_2_8_14).bins());
    series.per_class_fleet = on(config.fleet.bins, config.fleet.iou.size() * bins * 2);
    series.per_class +=
        1 + 3 * points * single + on(families.frame_outcomes, 4 * points) + series.per_class_fleet;
  }
  return series;
}

std::uint64_t EstimateDedup(const Dedup& dedup) {
  constexpr std::uint64_t kTables = 2;       // predictions, labels
  constexpr std::uint64_t kGenerations = 2;  // the current one and the one before
  constexpr std::uint64_t kSlotBytes = 16;
  const std::uint64_t slots = std::bit_ceil(dedup.frames + dedup.frames / 3);  // at most 3/4 full
  return kTables * kGenerations * kSlotBytes * slots;
}

}  // namespace detwatch::config
