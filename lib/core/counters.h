#pragma once
// lib/core -- the daemon's own counters. Ingest adds to a set of increments, which travels in the cut; the
// state adds them up; so what /metrics shows belongs to one moment, and nothing on the hot path is atomic.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/core/bytes.h"
#include "lib/core/envelope.h"
#include "lib/core/result.h"

namespace detwatch {

// Cumulative counts of observations up to fixed upper edges, the last bucket being everything.
template <std::size_t kBuckets>
struct BucketCounts {
  std::array<std::uint64_t, kBuckets + 1> counts{};  // not cumulated; [kBuckets] is above the last edge
  double sum = 0;

  void Observe(const std::array<double, kBuckets>& upper_edges, double value, std::uint64_t n = 1) {
    std::size_t i = 0;
    while (i < kBuckets && value > upper_edges[i]) {
      ++i;
    }
    counts[i] += n;
    sum += value * static_cast<double>(n);
  }
  BucketCounts& operator+=(const BucketCounts& other) {
    for (std::size_t i = 0; i <= kBuckets; ++i) {
      counts[i] += other.counts[i];
    }
    sum += other.sum;
    return *this;
  }
};

// No whole-number edges: Prometheus 3 rewrites le="1" to le="1.0".
inline constexpr std::array<double, 13> kLabelDelayEdges = {
    0.1, 0.5, 2.5, 10.5, 60.5, 300.5, 1800.5, 3600.5, 14400.5, 43200.5, 86400.5, 259200.5, 604800.5};
inline constexpr std::array<double, 19> kConfidenceEdges = {
    0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
inline constexpr std::array<double, 10> kPerFrameEdges = {0.5,  1.5,  2.5,   5.5,   10.5,
                                                          20.5, 50.5, 100.5, 300.5, 1000.5};
inline constexpr std::array<double, 11> kInferenceEdges = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                           0.1,   0.25,   0.5,   1.5,  5.5};

// How long ingest is held up when it hands over a cut, in seconds.
inline constexpr std::array<double, 9> kHandoverEdges = {0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                                         0.005,  0.01,    0.025,  0.1};
using HandoverCounts = BucketCounts<kHandoverEdges.size()>;

// A sum that stays at the top instead of beginning again at 0: some of what is summed comes from outside.
inline void AddSaturating(std::uint64_t& sum, std::uint64_t n) {
  sum = n > UINT64_MAX - sum ? UINT64_MAX : sum + n;
}

// By transport where a message is behind the count. All only ever grow.
struct IngestCounters {
  using ByTransport = std::array<std::uint64_t, kTransports>;

  ByTransport messages{};
  ByTransport bytes{};
  ByTransport frames{};            // predictions of a frame by a model, accepted
  ByTransport labels{};            // label messages accepted
  ByTransport duplicate_frames{};  // predictions seen before
  ByTransport duplicate_labels{};
  ByTransport lost_messages{};  // sequences that never came
  ByTransport duplicate_messages{};
  ByTransport stale_epochs{};  // messages of a superseded run of a publisher
  ByTransport tombstones{};
  std::array<ByTransport, kRejectReasons> rejected{};
  std::uint64_t judged_frames = 0;           // frame and model, joined with labels and matched
  std::uint64_t unjudged_ground_truths = 0;  // classes the model does not know
  std::uint64_t unjudged_detections = 0;     // classes the labels did not look for
  std::uint64_t corrected_frames = 0;        // of the judged: judged again by labels of a higher revision
  std::uint64_t retracted_unjudged_ground_truths = 0;  // of the unjudged: taken back by a correction
  std::uint64_t retracted_unjudged_detections = 0;
  std::uint64_t filtered_labels = 0;              // of a source or sampling that is configured out
  std::uint64_t expired_labels_missing = 0;       // predictions that left without labels
  std::uint64_t expired_predictions_missing = 0;  // labels that left without any predictions
  std::uint64_t never_expected = 0;               // predictions whose publisher expects no labels
  std::uint64_t groups_refused = 0;               // view groups beyond the limit or the byte budget
  std::uint64_t groups_restarted = 0;             // counts of another configuration, given up at a start
  std::uint64_t clock_holds = 0;                  // wall clock ran ahead and was held
  std::uint64_t clock_set_backs = 0;              // wall clock was set back and was not followed
  BucketCounts<kLabelDelayEdges.size()> label_delay;

  IngestCounters& operator+=(const IngestCounters& other);
};

// By name, so that a later version adds counters without another format; unknown names are skipped.
[[nodiscard]] std::string Serialise(const IngestCounters& counters);
[[nodiscard]] Result<IngestCounters> ParseIngestCounters(std::string_view bytes);

template <std::size_t kBuckets>
void Serialise(const BucketCounts<kBuckets>& counts, std::string& out) {
  for (const std::uint64_t n : counts.counts) {
    AppendVarint(out, n);
  }
  AppendDouble(out, counts.sum);
}
template <std::size_t kBuckets>
void Restore(ByteReader& in, BucketCounts<kBuckets>& counts) {
  for (std::uint64_t& n : counts.counts) {
    n = in.Varint();
  }
  counts.sum = in.Double();
}

// What a model's predictions look like, labels or not.
struct PredictionStats {
  std::uint64_t frames = 0;
  BucketCounts<kConfidenceEdges.size()> confidence;
  BucketCounts<kPerFrameEdges.size()> per_frame;
  BucketCounts<kInferenceEdges.size()> inference_seconds;  // frames that carried a time

  PredictionStats& operator+=(const PredictionStats& other) {
    frames += other.frames;
    confidence += other.confidence;
    per_frame += other.per_frame;
    inference_seconds += other.inference_seconds;
    return *this;
  }
};

}  // namespace detwatch
