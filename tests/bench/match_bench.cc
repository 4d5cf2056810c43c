// What it costs to judge and count the reference load: 5 000 frames, 490 000 detections, 80 classes, ten IoU
// thresholds, four area ranges, max dets 1/10/100, one thread. The budget for both together is 20 ms.
//
// The load is 20 MB and read once a round, so every frame comes from memory; in the daemon it has just been
// decoded. A dump of the first hundred frames shows the difference: half the time a frame for BM_Match.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/match/matcher.h"
#include "tests/bench/load_support.h"

namespace detwatch::bench {
namespace {

void Report(benchmark::State& state, const Load& load) {
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["frames"] =
      benchmark::Counter(static_cast<double>(load.frames.size()) * rounds, benchmark::Counter::kIsRate);
  state.counters["detections"] =
      benchmark::Counter(static_cast<double>(load.detections) * rounds, benchmark::Counter::kIsRate);
}

void MatchAll(benchmark::State& state, const Load& load, const EvaluationParams& params) {
  match::Matcher matcher(params);
  FrameOutcome outcome;
  for ([[maybe_unused]] auto _ : state) {
    for (const Frame& frame : load.frames) {
      matcher.Match(frame.view(), outcome);
      benchmark::DoNotOptimize(outcome.detections.data());
      benchmark::ClobberMemory();
    }
  }
  Report(state, load);
}

void BM_Match(benchmark::State& state) {
  MatchAll(state, ReferenceLoad(), EvaluationParams::Coco());
}
BENCHMARK(BM_Match)->Unit(benchmark::kMillisecond);

// Detections in no order at all, so that sorting shows.
void BM_MatchShuffled(benchmark::State& state) {
  Load load = ReferenceLoad();
  std::mt19937 random(1);
  for (Frame& frame : load.frames) {
    std::vector<std::size_t> order(frame.scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    const Frame sorted = frame;
    for (std::size_t i = 0; i < order.size(); ++i) {
      frame.detection_boxes[i] = sorted.detection_boxes[order[i]];
      frame.scores[i] = sorted.scores[order[i]];
      frame.detection_classes[i] = sorted.detection_classes[order[i]];
    }
  }
  MatchAll(state, load, EvaluationParams::Coco());
}
BENCHMARK(BM_MatchShuffled)->Unit(benchmark::kMillisecond);

void BM_MatchVoc(benchmark::State& state) {
  MatchAll(state, ReferenceLoad(), EvaluationParams::Voc(Interpolation::kAllPoints, true));
}
BENCHMARK(BM_MatchVoc)->Unit(benchmark::kMillisecond);

// One histogram per class, and with `ring` the last detections of each as the daemon keeps them.
void MatchAndAccumulate(benchmark::State& state, bool ring) {
  const Load& load = ReferenceLoad();
  const EvaluationParams params = EvaluationParams::Coco();
  const accumulate::Shape shape = accumulate::Shape::Fine(params);
  match::Matcher matcher(params);
  FrameOutcome outcome;
  std::vector<accumulate::Histogram> histograms(load.classes, accumulate::Histogram(shape));
  std::vector<accumulate::Ring> rings(load.classes);
  std::vector<accumulate::RingRecord> records;
  accumulate::Ordinal ordinal = 0;
  for ([[maybe_unused]] auto _ : state) {
    for (const Frame& frame : load.frames) {
      matcher.Match(frame.view(), outcome);
      ++ordinal;
      for (const ClassOutcome& judged : outcome.classes) {
        const std::span<const DetectionOutcome> detections =
            std::span(outcome.detections).subspan(judged.first, judged.count);
        histograms[Index(judged.class_id)].Count(params, judged, detections);
        if (ring) {
          records.clear();
          for (const DetectionOutcome& detection : detections) {
            records.push_back(accumulate::RingRecord::From(detection, ordinal));
          }
          rings[Index(judged.class_id)].Append(records);
        }
      }
    }
  }
  benchmark::DoNotOptimize(histograms.data());
  benchmark::DoNotOptimize(rings.data());
  Report(state, load);
}

void BM_MatchAndCount(benchmark::State& state) {
  MatchAndAccumulate(state, false);
}
BENCHMARK(BM_MatchAndCount)->Unit(benchmark::kMillisecond);

void BM_MatchCountAndRemember(benchmark::State& state) {
  MatchAndAccumulate(state, true);
}
BENCHMARK(BM_MatchCountAndRemember)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace detwatch::bench
