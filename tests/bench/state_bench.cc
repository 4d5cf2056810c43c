// What the half behind ingest costs: frames that wait for days, memory of a model, checkpoints.
//
//   state_bench waiting|labels|memory|memory-evened|checkpoint|profile|all [--frames N] [--boxes N]
//   [--folder DIR]
//
// Prints tables. Times are processor time of the one thread, in which everything runs, unless they say wall;
// what is compared takes turns in one run. The folder (here by default) needs about 1 GB for a million frames
// of 20 boxes; files that were just written are read from the kernel's cache.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/arguments_support.h"
#include "tests/bench/rig_support.h"
#include "tests/bench/traffic_support.h"

namespace detwatch::bench {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr TimePoint kStart{hours(24 * 20000)};
constexpr std::size_t kAllBoxes = 1000;
constexpr double kMiB = 1 << 20;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

pipeline::PipelineConfig Config() {
  pipeline::PipelineConfig config;
  config.join.retention = hours(24 * 7);
  config.join.bytes = std::size_t{64} << 30;
  config.limits.idle = hours(24 * 70);
  return config;
}

// Frames [from, to) of one kind, and the cut behind them.
template <class Payload>
Cost SendCut(Rig& rig, std::size_t from, std::size_t to, TimePoint now, const Payload& payload,
             bool take = false) {
  const double start = ThreadSeconds();
  for (std::size_t n = from; n < to; ++n) {
    rig.Send(payload(n), now);
  }
  const double sent = ThreadSeconds() - start;
  Cost cost = rig.Cut(now, take);
  cost.ingest = sent;
  return cost;
}

// So many halves wait, put there over `over`, a table of what that took; returns the time it is then.
template <class Payload>
TimePoint Fill(Rig& rig, const Arguments& arguments, Duration over, const Payload& payload) {
  TimePoint now = kStart;
  const std::size_t cuts = arguments.frames / kCut;
  std::printf("%10s %9s %9s %9s %10s %10s %9s %9s\n", "waiting", "RSS MiB", "store MiB", "rest MiB",
              "disk MiB", "ingest us", "state us", "rocks us");
  Cost sum;
  std::size_t since = 0;
  double halfway = 0;
  double rest = 0;
  for (std::size_t c = 0; c < cuts; ++c) {
    now += over / static_cast<std::int64_t>(cuts);
    sum += SendCut(rig, c * kCut, (c + 1) * kCut, now, payload);
    since += kCut;
    if (since < std::max<std::size_t>(arguments.frames / 10, kCut) && c + 1 < cuts) {
      continue;
    }
    const double micro = 1e6 / static_cast<double>(since);
    const double store = static_cast<double>(rig.store()->MemoryBytes()) / kMiB;
    const double resident = ResidentMiB();
    std::printf("%10zu %9.1f %9.1f %9.1f %10.1f %10.2f %9.2f %9.2f\n", (c + 1) * kCut, resident, store,
                resident - store, static_cast<double>(rig.store()->DiskBytes()) / kMiB, sum.ingest * micro,
                sum.state() * micro, sum.background * micro);
    std::fflush(stdout);
    sum = {};
    since = 0;
    (c < cuts / 2 ? halfway : rest) = resident - store;
  }
  std::printf("beside the store's cache and buffers, RSS grew by %.2f MiB per 100k in the second half\n\n",
              (rest - halfway) / (static_cast<double>(arguments.frames) / 2e5));
  return now;
}

// The same payloads into both rigs in turn; µs of state and of RocksDB's threads a frame.
template <class First, class Second>
void Paired(const char* what, Rig& full, Rig& empty, std::size_t cuts, TimePoint now, const First& first,
            const Second& second) {
  std::vector<double> ratios;
  Cost one;
  Cost two;
  for (std::size_t c = 0; c < cuts; ++c) {
    const Cost a = SendCut(full, c * kCut, (c + 1) * kCut, now, first);
    const Cost b = SendCut(empty, c * kCut, (c + 1) * kCut, now, second);
    ratios.push_back(a.state() / b.state());
    one += a;
    two += b;
  }
  const double micro = 1e6 / static_cast<double>(cuts * kCut);
  std::printf("%-46s full %7.2f us (+%.2f)  empty %7.2f us (+%.2f)  ratio %.2f\n", what, one.state() * micro,
              one.background * micro, two.state() * micro, two.background * micro, Median(ratios));
  std::fflush(stdout);
}

void Expiries(Rig& rig, const Arguments& arguments, Duration over, TimePoint now) {
  const auto report = [&](const char* what, double took, const Cost& cost) {
    std::printf("%-46s %9.2f ms, commit %.2f ms wall, %.2f MiB put\n", what, took * 1e3,
                cost.commit_wall * 1e3, cost.bytes / kMiB);
    std::fflush(stdout);
  };
  std::vector<double> idle;
  Cost last;
  for (int i = 0; i < 100; ++i) {
    last = rig.Cut(now);
    idle.push_back(last.state());
  }
  report("a tick that lets go of nothing (median)", Median(idle), last);
  // The first ones came at kStart + one cut's share.
  const Duration share = over / static_cast<std::int64_t>(arguments.frames / kCut);
  now = kStart + hours(24 * 7);
  std::vector<double> some;
  for (int i = 1; i <= 20; ++i) {
    last = rig.Cut(now + share * i + seconds(1));
    some.push_back(last.state());
  }
  report("a tick that lets go of 1000 (median)", Median(some), last);
  ForgetPeak();
  const double before = ResidentMiB();
  const double start = WallSeconds();
  last = rig.Cut(now + over + hours(1));
  const double wall = WallSeconds() - start;
  report("one tick that lets go of all the rest", last.state(), last);
  std::printf("  %.1f s wall, RSS %.0f MiB before, %.0f at its peak\n", wall, before, PeakMiB());
}

void Waiting(const Arguments& arguments, Traffic& traffic) {
  std::printf("\n== waiting: %zu predictions of %zu boxes (%zu bytes), cuts of %zu over 6.9 days\n",
              arguments.frames, arguments.boxes, traffic.Predictions(0).size(), kCut);
  const Duration over = hours(24 * 7 - 2);
  Rig full(Config(), Durability::kNoFsync, arguments.folder + "/bench-full", traffic.class_list, kStart);
  const auto predictions = [&](std::size_t n) -> const std::string& { return traffic.Predictions(n); };
  TimePoint now = Fill(full, arguments, over, predictions);
  Rig empty(Config(), Durability::kNoFsync, arguments.folder + "/bench-empty", traffic.class_list, now);
  const auto more = [&](std::size_t n) -> const std::string& {
    return traffic.Predictions(1'000'000'000 + n);
  };
  const std::size_t cuts = std::min<std::size_t>(20, arguments.frames / kCut);
  Paired("predictions that wait", full, empty, cuts, now, more, more);
  now += seconds(1);
  // Labels of frames that wait: of any age in one, of the last few in the other.
  std::mt19937_64 random(1);
  std::vector<std::size_t> any(arguments.frames);
  for (std::size_t i = 0; i < any.size(); ++i) {
    any[i] = i;
  }
  std::shuffle(any.begin(), any.end(), random);
  Paired(
      "labels of frames that wait, of any age", full, empty, std::min<std::size_t>(cuts, any.size() / kCut),
      now, [&](std::size_t n) -> const std::string& { return traffic.Labels(any[n]); },
      [&](std::size_t n) -> const std::string& { return traffic.Labels(1'000'000'000 + n); });
  const auto strangers = [&](std::size_t n) -> const std::string& {
    return traffic.Labels(2'000'000'000 + n);
  };
  Paired("labels of frames that nobody knows", full, empty, cuts, now, strangers, strangers);
  now += seconds(1);
  std::printf("restart: full %.3f s", full.Restart(now));
  std::printf(", empty %.3f s (wall)\n", empty.Restart(now));
  Expiries(full, arguments, over, now);
}

void WaitingLabels(const Arguments& arguments, Traffic& traffic) {
  std::printf("\n== labels: %zu labels wait (%zu bytes)\n", arguments.frames, traffic.Labels(0).size());
  Rig full(Config(), Durability::kNoFsync, arguments.folder + "/bench-full", traffic.class_list, kStart);
  TimePoint now = Fill(full, arguments, hours(24 * 7 - 2),
                       [&](std::size_t n) -> const std::string& { return traffic.Labels(n); });
  Rig empty(Config(), Durability::kNoFsync, arguments.folder + "/bench-empty", traffic.class_list, now);
  const std::size_t cuts = std::min<std::size_t>(20, arguments.frames / kCut);
  const auto strangers = [&](std::size_t n) -> const std::string& {
    return traffic.Predictions(1'000'000'000 + n);
  };
  Paired("predictions without labels (nothing to find)", full, empty, cuts, now, strangers, strangers);
  std::mt19937_64 random(1);
  std::vector<std::size_t> any(arguments.frames);
  for (std::size_t i = 0; i < any.size(); ++i) {
    any[i] = i;
  }
  std::shuffle(any.begin(), any.end(), random);
  now += seconds(1);
  // The other one is given its labels a cut earlier.
  for (std::size_t c = 0; c < cuts; ++c) {
    SendCut(empty, c * kCut, (c + 1) * kCut, now,
            [&](std::size_t n) -> const std::string& { return traffic.Labels(any[n]); });
  }
  const auto known = [&](std::size_t n) -> const std::string& { return traffic.Predictions(any[n]); };
  Paired("predictions of labels that wait, of any age", full, empty, cuts, now, known, known);
  std::printf("restart: full %.3f s (wall)\n", full.Restart(now));
}

// Every class as likely as the others and scores without a preference: more bins than real traffic touches.
Load Evened(Load load) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> unit(0, 1);
  for (std::size_t i = 0; i < load.frames.size(); ++i) {
    Frame& frame = load.frames[i];
    const auto shift = [&](ClassId& id) { id = static_cast<ClassId>((Index(id) + i) % load.classes); };
    std::for_each(frame.detection_classes.begin(), frame.detection_classes.end(), shift);
    std::for_each(frame.ground_truth_classes.begin(), frame.ground_truth_classes.end(), shift);
    std::generate(frame.scores.begin(), frame.scores.end(), [&] { return unit(random); });
  }
  return load;
}

void Memory(const Arguments& arguments, const char* name, Traffic& traffic, Durability durability) {
  constexpr std::size_t kFrames = 100;  // every 15 seconds, the smallest pane
  constexpr int kHours = 26;
  const double base = ResidentMiB();
  Rig rig(pipeline::PipelineConfig{}, durability, arguments.folder + "/bench-memory", traffic.class_list,
          kStart);
  const double opened = ResidentMiB();
  std::printf("\n== memory: %s load, %s, RSS of the process %.1f MiB before, %.1f with the store open\n",
              name, rig.store() == nullptr ? "no store" : "store", base, opened);
  std::printf("%6s %9s %9s %9s %9s %9s\n", "hours", "frames", "cells MiB", "RSS+ MiB", "store MiB",
              "disk MiB");
  TimePoint now = kStart;
  std::size_t n = 0;
  Cost sum;
  for (int hour = 1; hour <= kHours; ++hour) {
    for (int i = 0; i < 240; ++i) {
      now += seconds(15);
      sum += SendCut(
          rig, n, n + kFrames, now, [&](std::size_t at) -> const std::string& { return traffic.Pair(at); },
          i % 4 == 0);
      n += kFrames;
    }
    if (hour == 1 || hour % 5 == 0 || hour == kHours) {
      const double resident = ResidentMiB();
      std::printf("%6d %9zu %9.1f %9.1f %9.1f %9.1f\n", hour, n,
                  static_cast<double>(rig.state().cell_bytes()) / kMiB, resident - base,
                  rig.store() == nullptr ? 0 : static_cast<double>(rig.store()->MemoryBytes()) / kMiB,
                  rig.store() == nullptr ? 0 : static_cast<double>(rig.store()->DiskBytes()) / kMiB);
      std::fflush(stdout);
    }
  }
  const double cuts = kHours * 240;
  std::printf(
      "a cut of %zu frames: ingest %.2f ms, absorb %.2f ms, commit %.2f ms, RocksDB %.2f ms, %.0f kB\n",
      kFrames, sum.ingest / cuts * 1e3, sum.absorb / cuts * 1e3, sum.commit / cuts * 1e3,
      sum.background / cuts * 1e3, sum.bytes / cuts / 1e3);
  std::printf("a snapshot: %.2f ms\n", sum.take / (cuts / 4) * 1e3);
  if (rig.store() != nullptr) {
    std::printf("restart: %.3f s (wall)\n", rig.Restart(now));
  }
}

struct Way {
  const char* name;
  Durability durability;
};
constexpr std::array<Way, 3> kWays{
    {{"memory", Durability::kMemory}, {"no fsync", Durability::kNoFsync}, {"fsync", Durability::kFsync}}};

// One cut a second at this rate, the three ways in turn.
void Checkpoints(const Arguments& arguments, Traffic& traffic, const char* labels, std::size_t rate,
                 int cuts) {
  std::printf("\n== checkpoint: %zu frames a cut, %s, %d cuts\n", rate, labels, cuts);
  std::vector<std::unique_ptr<Rig>> rigs;
  std::array<Cost, kWays.size()> costs;
  for (const Way& way : kWays) {
    rigs.push_back(std::make_unique<Rig>(pipeline::PipelineConfig{}, way.durability,
                                         arguments.folder + "/bench-" + std::to_string(rigs.size()),
                                         traffic.class_list, kStart));
  }
  TimePoint now = kStart;
  std::size_t n = 0;
  for (int c = 0; c < cuts; ++c) {
    now += seconds(1);
    for (std::size_t w = 0; w < rigs.size(); ++w) {
      const Cost cost = SendCut(
          *rigs[w], n, n + rate, now, [&](std::size_t at) -> const std::string& { return traffic.Pair(at); },
          true);
      if (c >= cuts / 5) {  // warm
        costs[w] += cost;
      }
    }
    n += rate;
  }
  const double counted = cuts - cuts / 5;
  std::printf("%-9s %10s %10s %10s %11s %8s %8s %10s %9s %9s\n", "", "ingest us", "absorb ms", "commit ms",
              "commit wall", "rocks ms", "take ms", "kB a cut", "restart s", "RSS+ MiB");
  for (std::size_t w = 0; w < rigs.size(); ++w) {
    const Cost& cost = costs[w];
    const double milli = 1e3 / counted;
    std::printf("%-9s %10.2f %10.2f %10.2f %11.2f %8.2f %8.2f %10.1f", kWays[w].name,
                cost.ingest / counted / static_cast<double>(rate) * 1e6, cost.absorb * milli,
                cost.commit * milli, cost.commit_wall * milli, cost.background * milli, cost.take * milli,
                cost.bytes / counted / 1e3);
    if (rigs[w]->store() != nullptr) {
      const double before = ResidentMiB();
      std::printf(" %9.3f", rigs[w]->Restart(now));
      std::printf(" %+9.1f", ResidentMiB() - before);
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

// Cuts of 5000 frames into a store and nothing else: for a profiler.
void Profile(const Arguments& arguments, Traffic& traffic) {
  constexpr std::size_t kRate = 5000;
  Rig rig(pipeline::PipelineConfig{}, Durability::kNoFsync, arguments.folder + "/bench-profile",
          traffic.class_list, kStart);
  TimePoint now = kStart;
  Cost sum;
  for (std::size_t n = 0; n + kRate <= arguments.frames; n += kRate) {
    now += seconds(1);
    sum += SendCut(
        rig, n, n + kRate, now, [&](std::size_t at) -> const std::string& { return traffic.Pair(at); }, true);
  }
  const double micro = 1e6 / static_cast<double>(arguments.frames);
  std::printf("ingest %.2f us, absorb %.2f us, commit %.2f us, take %.2f us a frame\n", sum.ingest * micro,
              sum.absorb * micro, sum.commit * micro, sum.take * micro);
  const double before = ResidentMiB();
  const double restart = rig.Restart(now);
  std::printf("RSS %.1f MiB; after a restart of %.2f s %.1f MiB\n", before, restart, ResidentMiB());
}

void Run(const Arguments& arguments) {
  const auto asked = [&](const char* name) {
    return std::any_of(arguments.scenarios.begin(), arguments.scenarios.end(),
                       [&](const std::string& word) { return word == name || word == "all"; });
  };
  const bool quick = asked("quick");  // a moment of each, so that none can rot
  const Load& load = ReferenceLoad();
  if (asked("waiting") || quick) {
    Traffic traffic(load, 1000, arguments.boxes);
    Waiting(arguments, traffic);
  }
  if (asked("labels") || quick) {
    Traffic traffic(load, 1000, arguments.boxes);
    WaitingLabels(arguments, traffic);
  }
  if (asked("memory")) {
    Traffic reference(load, 5000, kAllBoxes);
    Memory(arguments, "reference", reference, Durability::kNoFsync);
    Memory(arguments, "reference", reference, Durability::kMemory);
  }
  if (asked("memory-evened")) {
    Traffic evened(Evened(load), 5000, kAllBoxes);
    Memory(arguments, "evened", evened, Durability::kNoFsync);
    Memory(arguments, "evened", evened, Durability::kMemory);
  }
  if (asked("profile")) {
    Traffic traffic(load, 2000, kAllBoxes);
    Profile(arguments, traffic);
  }
  if (asked("checkpoint") || quick) {
    Traffic final(load, 5000, kAllBoxes);
    Checkpoints(arguments, final, "final labels", 10, quick ? 5 : 300);
    if (!quick) {
      Checkpoints(arguments, final, "final labels", 5000, 50);
      Checkpoints(arguments, final, "final labels", 60000, 12);
      Traffic people(load, 5000, kAllBoxes, false);
      Checkpoints(arguments, people, "labels that may be corrected", 10, 100);
      Checkpoints(arguments, people, "labels that may be corrected", 5000, 20);
    }
  }
}

}  // namespace
}  // namespace detwatch::bench

int main(int argc, char** argv) {
  const auto arguments = detwatch::bench::Parse(argc, argv);
  if (arguments.scenarios.empty()) {
    detwatch::bench::Die("which: waiting, labels, memory, memory-evened, checkpoint, profile, all, quick");
  }
  detwatch::bench::Run(arguments);
  return 0;
}
