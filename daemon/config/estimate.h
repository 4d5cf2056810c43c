#pragma once
// daemon/config -- the memory that a configuration will cost, per model; series.h has its series.
//
// Memory does not depend on traffic, only on classes, views, windows and the evaluation; a bin costs memory
// when it is first touched, so these are what saturated traffic ends with. Closed panes are kept encoded:
// 2.0 to 8.1 KiB per class and pane were measured for COCO's ten thresholds and four areas, and are scaled
// by the number of counters for others.
// Law: MoreOfAnythingNeverCostsLess. Threads: pure functions.

#include <cstdint>

#include "daemon/config/config.h"

namespace detwatch::config {

inline constexpr std::uint64_t kAssumedClasses = 80;  // COCO's

// Bytes of one group of one view.
struct GroupMemory {
  std::uint64_t totals = 0;       // histograms since the beginning
  std::uint64_t windows = 0;      // the sum of each window
  std::uint64_t rings = 0;        // recent detections, for exact values
  std::uint64_t panes_least = 0;  // closed panes, encoded
  std::uint64_t panes_most = 0;
  bool panes_on_disk = false;  // with a store; they are then no memory
  [[nodiscard]] std::uint64_t least() const {
    return totals + windows + rings + (panes_on_disk ? 0 : panes_least);
  }
  [[nodiscard]] std::uint64_t most() const {
    return totals + windows + rings + (panes_on_disk ? 0 : panes_most);
  }
};
[[nodiscard]] GroupMemory EstimateGroup(const EvaluationParams& params,
                                        const std::vector<WindowSpec>& windows, std::uint64_t classes);

// Of everything that is not a cell: keys of frames seen, at most.
[[nodiscard]] std::uint64_t EstimateDedup(const Dedup& dedup);

}  // namespace detwatch::config
