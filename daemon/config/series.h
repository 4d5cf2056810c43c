#pragma once
// daemon/config -- how many series a configuration can come to, per model.
//
// The exposition itself is run and its series counted, so that the estimate cannot say anything else than
// what a scrape will hold: on a made-up snapshot in which everything the configuration allows is defined. One
// group with no class and one with a single class are enough, whatever the number of either, because the
// exposition visits groups and classes one by one. Laws: TheEstimateIsWhatAScrapeHolds,
// MoreOfAnythingNeverNeedsFewerSeries. Cost: three short runs of the exposition a view, about a millisecond.
// Threads: pure functions.

#include <cstdint>
#include <vector>

#include "daemon/config/config.h"

namespace detwatch::config {

// Series of one group of one view: those every group has, and those each class adds.
struct GroupSeries {
  std::uint64_t fixed = 0;
  std::uint64_t per_class = 0;
  std::uint64_t per_class_fleet = 0;      // of per_class: the fleet's bin counters
  std::uint64_t per_class_retracted = 0;  // of per_class: what corrections took back
  [[nodiscard]] std::uint64_t total(std::uint64_t classes) const { return fixed + per_class * classes; }
};

struct SeriesEstimate {
  std::uint64_t besides = 0;       // of the process, of ingest, and the layout of the fleet's bins
  std::uint64_t model = 0;         // of a model, in no view
  std::vector<GroupSeries> views;  // of one group of each
  // Of a model with one group in each view.
  [[nodiscard]] std::uint64_t of_model(std::uint64_t classes) const;
};
// Requires: Problems(config) is empty.
[[nodiscard]] SeriesEstimate EstimateSeries(const Config& config);

}  // namespace detwatch::config
