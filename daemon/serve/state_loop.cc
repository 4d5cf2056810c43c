#include "daemon/serve/state_loop.h"

#include <algorithm>
#include <chrono>

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
  bool shown = true;
  while (const auto cut = handover_.Wait()) {
    state_.Absorb(*cut);
    taken = cut->taken;
    shown = false;
    if (const auto started = Steady::now(); started >= next) {
      published_.Set(state_.Take(taken));
      const Duration spent = Steady::now() - started;
      next = started + std::max<Duration>(kSnapshotInterval, 2 * spent);
      shown = true;
    }
    // After the snapshot: what a publisher knows to be counted can be read.
    handover_.Post({cut->marks, state_.cell_bytes()});
  }
  if (!shown) {
    published_.Set(state_.Take(taken));
  }
}

}  // namespace detwatch::serve
