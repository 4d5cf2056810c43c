// What one model of thousands of classes costs that sends two frames a second: a frame shall cost what it
// touches, and a start what was counted.
//
//   classes_bench [quick] [--folder DIR]
//
// 5 000 frames give most of the 5 000 classes counts; then 300 seconds of two frames each are measured, panes
// that close and leave included, with an fsync and a snapshot a second; then a restart. Processor time,
// unless it says wall.

#include <cstdio>

#include "tests/bench/arguments_support.h"
#include "tests/bench/rig_support.h"
#include "tests/bench/traffic_support.h"

namespace detwatch::bench {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(24 * 20000)};
constexpr std::uint32_t kClasses = 5000;

void Run(const Arguments& arguments) {
  const bool quick = !arguments.scenarios.empty();  // a moment, so that it cannot rot
  const std::uint32_t filled = quick ? 20 : 5000;
  const std::size_t measured = quick ? 5 : 300;
  Traffic traffic(MakeLoad(filled, kClasses, 7), filled, 1000);
  Rig rig({}, Durability::kFsync, arguments.folder + "/bench-classes", traffic.class_list, kStart);
  TimePoint now = kStart;
  std::size_t at = 0;
  for (; at < filled; ++at) {
    rig.Send(traffic.Pair(at), now);
  }
  (void)rig.Cut(now);
  Cost sum;
  for (std::size_t second = 0; second < measured; ++second) {
    now += seconds(1);
    const double start = ThreadSeconds();
    rig.Send(traffic.Pair(at++), now);
    rig.Send(traffic.Pair(at++), now);
    const double sent = ThreadSeconds() - start;
    sum += rig.Cut(now, true);
    sum.ingest += sent;
  }
  const auto milli = 1e3 / static_cast<double>(measured);
  const double all = sum.ingest + sum.absorb + sum.commit + sum.background + sum.take;
  std::printf("%u classes, %zu of them with counts; two frames a second cost, in ms a second:\n", kClasses,
              static_cast<std::size_t>(rig.Snapshot(now).gauges.cells));
  std::printf(
      "ingest %.2f, absorb %.2f, commit %.2f, RocksDB behind it %.2f, snapshot %.2f; of a core %.4f\n",
      sum.ingest * milli, sum.absorb * milli, sum.commit * milli, sum.background * milli, sum.take * milli,
      all / static_cast<double>(measured));
  const double before = ThreadSeconds();
  const double wall = rig.Restart(now);
  std::printf("restart: %.3f s, %.3f s wall\n", ThreadSeconds() - before, wall);
}

}  // namespace
}  // namespace detwatch::bench

int main(int argc, char** argv) {
  detwatch::bench::Run(detwatch::bench::Parse(argc, argv));
  return 0;
}
