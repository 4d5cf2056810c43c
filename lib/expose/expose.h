#pragma once
// lib/expose -- a snapshot as Prometheus families and as JSON. The only room that knows metric names.
//
// Rules: one prefix, base units, `_total` on counters only. Undefined is absent in /metrics and null in
// JSON, never 0. A series appears with 0 as soon as its group and class are known. A total never stands
// beside its parts in one family. The number of series is limited: families are kept in the order health,
// means, classes, class counters, fleet bins; what does not fit is left out for a whole group, and counted.
//
// One walk over the snapshot feeds every sink: text, which is what /metrics serves, prometheus::MetricFamily
// values for prometheus-cpp, and a mere count for those who plan. Text is written directly because 99 000
// series take 18 ms of CPU so and 275 ms by way of families and prometheus-cpp's TextSerializer
// (tests/bench/expose_bench.cc), which moreover writes 16 digits, one too few.
//
// Laws: PromtoolFindsNothing, TheMetricsPageIsWhatIsExposed, TheSeriesLimitHolds, SameSnapshotSameText,
//   TextAndFamiliesAgree, LeftOutSeriesOnlyEverGrow.
// Cost: O(series). Threads: pure functions of an immutable snapshot; Collector is called by HTTP threads.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/snapshot/snapshot.h"

namespace detwatch::expose {

// Facts about the process, which the daemon fills in at scrape time.
struct Process {
  std::string version;
  std::string revision;
  std::vector<std::string> subscribe_endpoints;  // where publishers connect, "tcp://127.0.0.1:5556"
  std::vector<std::string> reliable_endpoints;
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
  HandoverCounts handover;
  // The store; an empty store_id: there is none, and counts end with the process.
  std::string store_id;
  bool storage_writable = true;
  std::string storage_trouble;  // why it is not, for people
  std::uint64_t checkpoints = 0;
  std::uint64_t checkpoint_failures = 0;
  double checkpoint_timestamp_seconds = 0;  // 0: none yet
  double checkpoint_seconds = 0;
  double storage_bytes = 0;
};

struct ExposeOptions {
  std::size_t max_series = 200000;  // a histogram counts as its buckets, +Inf among them, and 2
  bool fleet_bins = true;
};

// Content-Type of the text.
inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

// GET /api/v1/summary: every number of /metrics' gauges in one document, per view, group, window; for pages,
// scripts and people. Versioned by its path; lib/expose/README.md documents the fields. No snapshot, no
// views.
[[nodiscard]] std::string SummaryJson(const snapshot::Snapshot* snapshot, const Process& process);

// How many series a scrape of this would hold.
[[nodiscard]] std::uint64_t CountSeries(const snapshot::Snapshot& snapshot, const Process& process,
                                        const ExposeOptions& options);

// Name, type and meaning of every family there can be, in the order they are exposed.
struct FamilyInfo {
  std::string_view name;
  prometheus::MetricType type = prometheus::MetricType::Gauge;
  std::string_view help;
};
[[nodiscard]] std::vector<FamilyInfo> AllFamilies();

// What /metrics serves. Remembers how many series were left out, over all scrapes, which is why it is an
// object: detwatch_series_dropped_total must never fall.
class Collector : public prometheus::Collectable {
 public:
  // Returns null until there is a first snapshot; health is served from the start.
  using SnapshotSource = std::function<std::shared_ptr<const snapshot::Snapshot>()>;
  using ProcessSource = std::function<Process()>;
  Collector(SnapshotSource snapshots, ProcessSource process, ExposeOptions options);

  // The text of /metrics (Prometheus text format 0.0.4): shortest round-trip numbers, locale-free, escaped.
  [[nodiscard]] std::string Text() const;
  // prometheus-cpp's way in: an Exposer or Registry-based program can serve the same families.
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;
  // For the scrapes that begin from now on; any thread.
  void SetOptions(const ExposeOptions& options) {
    max_series_ = options.max_series;
    fleet_bins_ = options.fleet_bins;
  }

 private:
  [[nodiscard]] ExposeOptions options() const { return {max_series_, fleet_bins_}; }

  SnapshotSource snapshots_;
  ProcessSource process_;
  std::atomic<std::size_t> max_series_;
  std::atomic<bool> fleet_bins_;
  mutable std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace detwatch::expose
