#include "tests/expose/snapshot_support.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "lib/accumulate/layout.h"

namespace detwatch::expose {
namespace {

using accumulate::ClassSummary;
using accumulate::MeanSummary;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kSecond = 1'000'000'000;

// Numbers that look alive and follow from `seed` alone.
ClassSummary MakeSummary(const EvaluationParams& params, std::int64_t seed, std::int64_t ground_truths,
                         bool exact) {
  ClassSummary out;
  out.exact = exact;
  const auto value = [&](std::size_t i) {
    return static_cast<double>((seed * 37 + static_cast<std::int64_t>(i) * 11) % 89) / 89;
  };
  const bool none = ground_truths == 0;
  for (std::size_t a = 0; a < params.areas(); ++a) {
    out.ground_truths[a] = ground_truths / static_cast<std::int64_t>(a + 1);
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      const double ap = none ? kNaN : value(a + t);
      out.ap[a][t] = {ap, exact ? ap : ap * 0.98, exact ? ap : ap * 1.01};
      out.recall[a][t] = none ? kNaN : value(a + 2 * t + 1);
    }
  }
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      out.recall_by_max_dets[k][t] = none ? kNaN : value(k + t + 5);
    }
  }
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      const std::int64_t tp =
          ground_truths * 3 / static_cast<std::int64_t>(3 + t + params.operating_points.size() - c);
      out.operating[c][t] = {tp, seed % 7, ground_truths - tp};
    }
    out.frames[c] = {seed % 5 + 2, seed % 3, 1, seed % 11};
  }
  out.detections = ground_truths + seed % 7;
  out.iou_mean = none ? kNaN : 0.5 + value(3) / 2;
  out.best_f1_confidence = none ? kNaN : 0.4375;
  out.best_f1 = none ? kNaN : 0.75;
  out.calibration_error = out.detections == 0 ? kNaN : value(4) / 4;
  return out;
}

std::shared_ptr<const snapshot::ClassCounters> MakeCounters(const ClassSummary& summary,
                                                            std::size_t fleet_ious) {
  auto counters = std::make_shared<snapshot::ClassCounters>();
  counters->operating = summary.operating;
  counters->frames = summary.frames;
  counters->ground_truths = summary.ground_truths[0];
  const auto bins =
      static_cast<std::size_t>(accumulate::BinLayout::Get(accumulate::LayoutId::k16_2_8_14).bins());
  for (std::size_t i = 0; i < fleet_ious; ++i) {
    auto& detections = counters->bin_detections.emplace_back(bins);
    auto& true_positives = counters->bin_true_positives.emplace_back(bins);
    for (std::size_t b = 0; b < bins; ++b) {
      detections[b] = summary.ground_truths[0] + static_cast<std::int64_t>(b);
      true_positives[b] = static_cast<std::int64_t>(b / (i + 2));
    }
  }
  return counters;
}

MeanSummary MeanOf(const EvaluationParams& params, const snapshot::Window& window) {
  std::vector<const ClassSummary*> classes;
  for (const auto& one : window.classes) {
    if (one) {
      classes.push_back(one.get());
    }
  }
  return accumulate::Mean(params, classes);
}

std::shared_ptr<const PredictionStats> MakeStats() {
  auto stats = std::make_shared<PredictionStats>();
  stats->frames = 3;
  stats->confidence.Observe(kConfidenceEdges, 0.25, 4);
  stats->confidence.Observe(kConfidenceEdges, 0.97);
  stats->per_frame.Observe(kPerFrameEdges, 2, 2);
  stats->per_frame.Observe(kPerFrameEdges, 1);
  stats->inference_seconds.Observe(kInferenceEdges, 0.0625, 3);
  return stats;
}

IngestCounters MakeIngest() {
  IngestCounters counters;
  counters.messages = {7, 1000001};
  counters.bytes = {2048, 123456789012};
  counters.frames = {3, 20};
  counters.labels = {2, 18};
  counters.duplicate_frames = {1, 0};
  counters.lost_messages = {4, 0};
  counters.rejected[static_cast<std::size_t>(RejectReason::kScoreOutOfRange)] = {0, 2};
  counters.judged_frames = 17;
  counters.unjudged_ground_truths = 5;
  counters.expired_labels_missing = 3;
  counters.expired_predictions_missing = 1;
  counters.clock_set_backs = 1;
  counters.label_delay.Observe(kLabelDelayEdges, 0.25, 16);
  counters.label_delay.Observe(kLabelDelayEdges, 1e6);
  return counters;
}

EvaluationParams SmallParams() {
  EvaluationParams params;
  params.iou_thresholds = {0.5, 0.75};
  params.area_ranges = {{"all", 0, 1e10}, {"small", 0, 1024}};
  params.max_dets = {1, 100};
  params.operating_points = {0.5F, 0.05F};
  return params;
}

snapshot::Window MakeWindow(const std::string& name, const EvaluationParams& params,
                            std::vector<std::shared_ptr<const ClassSummary>> classes) {
  snapshot::Window window;
  window.name = name;
  window.frames = 17;
  window.classes = std::move(classes);
  window.mean = MeanOf(params, window);
  return window;
}

}  // namespace

Process SampleProcess() {
  Process process;
  process.version = "1.2.3";
  process.revision = "0123456789ab";
  process.subscribe_endpoints = {"tcp://127.0.0.1:5556"};
  process.reliable_endpoints = {"tcp://127.0.0.1:5557"};
  process.start_time_seconds = 1763800000.25;
  process.cpu_seconds = 12.5;
  process.resident_bytes = 34'000'000;
  process.virtual_bytes = 340'000'000;
  process.open_fds = 21;
  process.max_fds = 1024;
  process.threads = 8;
  process.ready = true;
  process.config_reload_timestamp_seconds = 1763800000.5;
  process.http_requests_ok = 9;
  process.http_requests_failed = 2;
  process.http_connections_refused = 1;
  process.handover.Observe(kHandoverEdges, 0.00048828125, 99);
  process.handover.Observe(kHandoverEdges, 0.25);
  process.store_id = "31a2f5d1";
  process.storage_bytes = 1'894'368;
  process.checkpoints = 99;
  process.checkpoint_failures = 1;
  process.checkpoint_timestamp_seconds = 1763800099.5;
  process.checkpoint_seconds = 0.0078125;
  return process;
}

std::shared_ptr<snapshot::Snapshot> SampleSnapshot() {
  auto out = std::make_shared<snapshot::Snapshot>();
  out->taken = FromUnixNanos(1763800100 * kSecond);
  out->cuts = 100;
  out->fleet_ious = {0.5};
  const auto params = std::make_shared<const EvaluationParams>(SmallParams());

  const auto person = std::make_shared<const ClassSummary>(MakeSummary(*params, 5, 40, false));
  const auto odd = std::make_shared<const ClassSummary>(MakeSummary(*params, 8, 12, true));
  const auto clutter = std::make_shared<const ClassSummary>(MakeSummary(*params, 3, 0, true));

  snapshot::Group detector;
  detector.labels = {{"model", "yolo"}, {"version", "1"}};
  detector.params = params;
  detector.class_names = {"person", "6\" \\ pipe\nfitting", "clutter"};
  detector.windows = {MakeWindow("total", *params, {person, odd, clutter}),
                      MakeWindow("5m", *params, {nullptr, odd, nullptr})};
  detector.windows[0].oldest_capture = FromUnixNanos(1763800001 * kSecond);
  detector.windows[0].newest_capture = FromUnixNanos(1763800099 * kSecond + kSecond / 2);
  detector.counters = {MakeCounters(*person, 1), MakeCounters(*odd, 1), nullptr};
  detector.retracted = {MakeCounters(*odd, 1), nullptr, nullptr};
  // Clutter was judged in every frame and labelled in none.
  detector.windows[0].judged_frames = {1, 0, 13};
  detector.windows[1].judged_frames = {0, 2, 11};
  detector.judged_frames = {1, 0, 14};
  detector.retracted_judged_frames = {0, 0, 1};
  detector.predictions = MakeStats();
  detector.iou_quantiles = {{0.5625, 0.84}, {0.71, 0.9}, {}};

  snapshot::Group stream;
  stream.labels = {{"stream", "gate-3"}};
  stream.params = params;
  stream.class_names = {"person"};
  stream.windows = {MakeWindow("total", *params, {person})};

  snapshot::View first;
  first.groups = {detector};
  snapshot::View by_stream;
  by_stream.spec.name = "stream";
  by_stream.spec.group_by = {"stream"};
  by_stream.spec.classes = false;
  by_stream.spec.counters = false;
  by_stream.spec.families.f1_score = false;
  by_stream.spec.families.average_recall = false;
  by_stream.groups = {stream};
  out->views = {first, by_stream};

  snapshot::Model yolo;
  yolo.key = {"yolo", "1"};
  yolo.score_threshold = 0.05F;
  yolo.max_detections = 300;
  yolo.last_frame = FromUnixNanos(1763800099 * kSecond);
  yolo.last_label = FromUnixNanos(1763800098 * kSecond);
  yolo.frames = 23;
  yolo.judged = 17;
  yolo.expired = 3;
  snapshot::Model silent;
  silent.key = {"silent", ""};
  out->models = {yolo, silent};

  out->counters = MakeIngest();
  out->gauges = {.pending_predictions = 3,
                 .pending_labels = 1,
                 .pending_bytes = 4096,
                 .lingering_labels = 6,
                 .kept_frames = 5,
                 .kept_bytes = 8192,
                 .class_list_waiting = 2,
                 .publishers = 2,
                 .models = 2,
                 .groups = 2,
                 .cells = 7,
                 .cell_bytes = 65536,
                 .cell_bytes_limit = 1 << 20};
  return out;
}

std::shared_ptr<snapshot::Snapshot> CocoSnapshot(std::size_t models, std::size_t classes) {
  auto out = std::make_shared<snapshot::Snapshot>();
  out->taken = FromUnixNanos(1763800100 * kSecond);
  out->fleet_ious = {0.5, 0.75};
  const auto params = std::make_shared<const EvaluationParams>(EvaluationParams::Coco());
  snapshot::View view;
  for (std::size_t m = 0; m < models; ++m) {
    snapshot::Group group;
    group.labels = {{"model", "detector-" + std::to_string(m)}, {"version", "2025-11-22"}};
    group.params = params;
    std::vector<std::shared_ptr<const ClassSummary>> summaries;
    for (std::size_t c = 0; c < classes; ++c) {
      group.class_names.push_back("class-" + std::to_string(c));
      const auto seed = static_cast<std::int64_t>(m * 100 + c);
      summaries.push_back(
          std::make_shared<const ClassSummary>(MakeSummary(*params, seed, 10 + seed, m % 2 == 0)));
      group.counters.push_back(MakeCounters(*summaries.back(), 2));
    }
    for (const char* name : {"total", "5m", "1h", "24h"}) {
      group.windows.push_back(MakeWindow(name, *params, summaries));
    }
    group.predictions = MakeStats();
    view.groups.push_back(std::move(group));
  }
  out->views = {view};
  return out;
}

Collector Serve(std::shared_ptr<const snapshot::Snapshot> snapshot, ExposeOptions options) {
  return Collector([snapshot] { return snapshot; }, [] { return SampleProcess(); }, options);
}

}  // namespace detwatch::expose
