// What a scrape and the summary cost. Budget: 100 000 series in at most 250 ms.
//
// The snapshot has two models of `classes` classes, COCO parameters, windows total, 5m, 1h, 24h, fleet bins.

#include <benchmark/benchmark.h>
#include <prometheus/text_serializer.h>

#include <string>

#include "lib/expose/expose.h"
#include "tests/expose/snapshot_support.h"

namespace detwatch::expose {
namespace {

constexpr ExposeOptions kOptions = {.max_series = 10'000'000};

void SetCounters(benchmark::State& state, std::size_t series, std::size_t bytes) {
  state.counters["series"] = static_cast<double>(series);
  state.counters["bytes"] = static_cast<double>(bytes);
}

void Scrape(benchmark::State& state) {
  const Collector collector = Serve(CocoSnapshot(2, static_cast<std::size_t>(state.range(0))), kOptions);
  std::string text;
  for (auto _ : state) {
    text = collector.Text();
    benchmark::DoNotOptimize(text.data());
  }
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; ++at) {
    lines += text[at + 1] != '#' ? 1 : 0;
  }
  SetCounters(state, lines, text.size());
}

// The way of a program that has an Exposer of its own.
void ScrapeByPrometheusCpp(benchmark::State& state) {
  const Collector collector = Serve(CocoSnapshot(2, static_cast<std::size_t>(state.range(0))), kOptions);
  std::size_t series = 0;
  std::string text;
  for (auto _ : state) {
    const auto families = collector.Collect();
    text = prometheus::TextSerializer().Serialize(families);
    benchmark::DoNotOptimize(text.data());
    series = 0;
    for (const auto& family : families) {
      series += family.metric.size();
    }
  }
  SetCounters(state, series, text.size());
}

void Summary(benchmark::State& state) {
  const auto snapshot = CocoSnapshot(2, static_cast<std::size_t>(state.range(0)));
  std::string text;
  for (auto _ : state) {
    text = SummaryJson(snapshot.get(), SampleProcess());
    benchmark::DoNotOptimize(text.data());
  }
  SetCounters(state, 0, text.size());
}

BENCHMARK(Scrape)->Arg(80)->Arg(108)->Unit(benchmark::kMillisecond);
BENCHMARK(ScrapeByPrometheusCpp)->Arg(108)->Unit(benchmark::kMillisecond);
BENCHMARK(Summary)->Arg(80)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace detwatch::expose
