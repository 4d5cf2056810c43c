#include "daemon/serve/state_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/serve/log.h"

namespace detwatch::serve {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration kSnapshotInterval = std::chrono::milliseconds(900);  // below the interval of cuts
constexpr int kLastTries = 3;  // before a stop gives up on a full disk
// Unwritten bytes beyond which no more cuts are absorbed while the store cannot be written.
constexpr std::size_t kMostUnwritten = std::size_t{256} << 20;

double UnixNow() {
  return ToUnixSeconds(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
}

}  // namespace

StateLoop::StateLoop(pipeline::State& state, KeyValue& store, StorageHealth& health, DiskBytes disk_bytes,
                     Handover& handover, Published& published, Duration try_again)
    : state_(state),
      store_(store),
      health_(health),
      disk_bytes_(std::move(disk_bytes)),
      handover_(handover),
      published_(published),
      try_again_(try_again) {}

bool StateLoop::Commit(const pipeline::Cut* cut) {
  const auto started = Steady::now();
  const auto written = store_.Commit();
  if (!written) {
    if (health_.Failed(written.error().message)) {
      log::Error("the store cannot be written; nothing is acknowledged until it can",
                 {{"error", written.error().message}});
      handover_.Nudge();
    }
    return false;
  }
  const double seconds = ToSeconds(Steady::now() - started);
  if (health_.Wrote(UnixNow(), seconds, disk_bytes_())) {
    log::Info("the store is written again");
    handover_.Nudge();
  }
  if (cut != nullptr) {
    log::Debug("checkpoint", {{"number", std::to_string(cut->number)}, {"seconds", std::to_string(seconds)}});
  }
  return true;
}

// Gauges go on while the store cannot be written; counters stay at what a restart would come back with.
void StateLoop::Show(bool durable) {
  if (durable) {
    shown_ = state_.Take();
    published_.Set(shown_);
    return;
  }
  auto snapshot = std::make_shared<snapshot::Snapshot>(*state_.Take());
  snapshot::KeepCounters(shown_.get(), *snapshot);
  published_.Set(std::move(snapshot));
}

void StateLoop::Tell() {
  if (untold_.empty()) {
    return;
  }
  // The tallies go out with the first acknowledgement. A publisher leaves once everything it sent is
  // acknowledged, and the first may do that already: it would never see tallies that come with the last.
  untold_.front().labels = state_.TakeTallies();
  for (Durable& durable : untold_) {
    handover_.Post(std::move(durable));
  }
  untold_.clear();
}

void StateLoop::Run() {
  Steady::time_point next{};
  bool written = true;
  bool last = false;
  int tries_left = kLastTries;
  // After a restart: what the store held.
  Show(true);
  while (!last || !written) {
    const bool busy = !written && store_.pending_bytes() > kMostUnwritten;
    std::unique_ptr<pipeline::Cut> cut;
    if (written && !last) {
      cut = handover_.Wait();
      if (cut == nullptr) {
        return;
      }
    } else if (!busy && !last) {
      cut = handover_.WaitFor(try_again_);
    } else {
      std::this_thread::sleep_for(try_again_);
    }
    // After a failed write publishers are answered as soon as a write succeeds, not with the next snapshot.
    bool early = !written;
    if (cut != nullptr) {
      untold_.push_back({state_.Absorb(*cut), {}});
      early = early || cut->early;
      last = cut->last;
    } else if (handover_.Ended() && !last) {
      last = true;
    }
    written = Commit(cut.get());
    cut.reset();
    if (last && !written && --tries_left == 0) {
      log::Error("the last checkpoint could not be written; publishers send again what it held");
      break;
    }
    const auto started = Steady::now();
    const bool due = started >= next || last;
    if (due) {
      Show(written);
      next = started + std::max<Duration>(kSnapshotInterval, 2 * (Steady::now() - started));
    }
    // Acknowledge after the snapshot: a publisher that hears "counted" finds it in /metrics. Only who is
    // about to run out of credit is answered before.
    if (written && (due || early)) {
      Tell();
    }
  }
  (void)handover_.Wait();  // unblocks the thread that waits for the end
}

}  // namespace detwatch::serve
