#include "daemon/config/estimate.h"

#include <bit>

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

std::uint64_t EstimateDedup(const Dedup& dedup) {
  constexpr std::uint64_t kTables = 2;       // predictions, labels
  constexpr std::uint64_t kGenerations = 2;  // the current one and the one before
  constexpr std::uint64_t kSlotBytes = 16;
  const std::uint64_t slots = std::bit_ceil(dedup.frames + dedup.frames / 3);  // at most 3/4 full
  return kTables * kGenerations * kSlotBytes * slots;
}

}  // namespace detwatch::config
