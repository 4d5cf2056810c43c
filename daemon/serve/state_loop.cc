#include "daemon/serve/state_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace detwatch::serve {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration kSnapshotInterval = std::chrono::milliseconds(900);  // below the interval of cuts

}  // namespace

StateLoop::StateLoop(const pipeline::PipelineConfig& config, Handover& handover, Published& published)
    : handover_(handover), published_(published), state_(config) {}

void StateLoop::Run() {
  Steady::time_point next{};
  TimePoint taken;
  // Absorbed, but not told yet: what a publisher knows to be counted can be read in a snapshot.
  std::vector<Absorbed> untold;
  const auto tell = [&] {
    for (Absorbed& absorbed : untold) {
      handover_.Post(std::move(absorbed));
    }
    untold.clear();
  };
  while (const auto cut = handover_.Wait()) {
    state_.Absorb(*cut);
    taken = cut->taken;
    untold.push_back({cut->marks, state_.cell_bytes()});
    if (const auto started = Steady::now(); started >= next || cut->last) {
      published_.Set(state_.Take(taken));
      const Duration spent = Steady::now() - started;
      next = started + std::max<Duration>(kSnapshotInterval, 2 * spent);
      tell();
    } else if (cut->early) {
      tell();  // a publisher is about to run out of credit
    }
  }
}

}  // namespace detwatch::serve
