#pragma once
// lib/expose -- a snapshot as Prometheus families and as JSON. The only room that knows metric names.
//
// Rules: one prefix, base units, `_total` on counters only. Undefined is absent in /metrics and null in
// JSON, never 0. A series appears with 0 as soon as its group and class are known. A total never stands
// beside its parts in one family. The number of series is limited; what is left out is counted in
// detwatch_series_dropped_total, headline families being kept first and fleet bins dropped first.
//
// Laws: PromtoolFindsNothing, EveryMetricIsInTheReadme, TheSeriesLimitHolds, SameSnapshotSameText.
// Cost: O(series). Threads: pure functions of an immutable snapshot; Collector is called by HTTP threads.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/snapshot/snapshot.h"

namespace detwatch::expose {

// Facts about the process, which the daemon fills in at scrape time.
struct Process {
  std::string version;
  std::string revision;
  double start_time_seconds = 0;
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
  double threads = 0;
  bool ready = false;
  bool config_reload_successful = true;
  double config_reload_timestamp_seconds = 0;
  std::uint64_t http_requests_ok = 0;
  std::uint64_t http_requests_failed = 0;
  std::uint64_t http_connections_refused = 0;
};

struct ExposeOptions {
  std::size_t max_series = 200000;
  bool fleet_bins = true;
};

// Families in a fixed order, ready for prometheus::TextSerializer.
[[nodiscard]] std::vector<prometheus::MetricFamily> Families(const snapshot::Snapshot& snapshot,
                                                             const Process& process,
                                                             const ExposeOptions& options);

// The text of /metrics (Prometheus text format 0.0.4), HELP escaped, locale-free.
[[nodiscard]] std::string MetricsText(const std::vector<prometheus::MetricFamily>& families);

// GET /api/v1/summary: every number of /metrics' gauges in one document, per view, group, window; for pages,
// scripts and people. proto-free, versioned by its path; lib/expose/README.md documents the fields.
[[nodiscard]] std::string SummaryJson(const snapshot::Snapshot& snapshot, const Process& process);

// prometheus-cpp's way in: an Exposer or Registry-based program can serve the same families.
class Collector : public prometheus::Collectable {
 public:
  using SnapshotSource = std::function<std::shared_ptr<const snapshot::Snapshot>()>;
  using ProcessSource = std::function<Process()>;
  Collector(SnapshotSource snapshots, ProcessSource process, ExposeOptions options);
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  SnapshotSource snapshots_;
  ProcessSource process_;
  ExposeOptions options_;
};

}  // namespace detwatch::expose
