#include "tests/delivery/simulation_support.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace detwatch::delivery {
namespace {

constexpr int kFaultySteps = 3000;

}  // namespace

Simulation::Simulation(std::uint32_t seed, const Faults& faults)
    : random_(seed), faults_(faults), asked_(faults), daemon_(faults.idle) {
  for (unsigned i = 0; i < faults.publishers; ++i) {
    for (int twin = 0; twin < (faults.same_name ? 2 : 1); ++twin) {
      Slot slot;
      slot.work.publisher = "detector " + std::to_string(i);
      slot.work.first = slot.work.settled = slots_.size() * kContents;
      slot.work.end = slot.work.first + kContents - 1;  // one is left for the end
      slot.work.acknowledged.resize(kContents);
      slot.skew = std::chrono::minutes(random_() % 120) - std::chrono::hours(1);
      slot.away_until = now_ + std::chrono::milliseconds(random_() % 20'000 + (twin > 0 ? 10'000U : 0U));
      slots_.push_back(std::move(slot));
    }
  }
}

std::string Simulation::Run() {
  for (int i = 0; i < kFaultySteps; ++i) {
    Step();
    Break();
    if (std::string law = BrokenLaw(); !law.empty()) {
      return law;
    }
  }
  const Faults calm{.drop_oldest = asked_.drop_oldest, .window_bytes = asked_.window_bytes};
  faults_ = calm;
  daemon_.SetDiskFull(false);
  for (Slot& slot : slots_) {
    slot.away_until = {};
  }
  calm_ = true;
  for (const ConnectionPtr& connection : connections_) {
    connection->delay = {};
  }
  const TimePoint calm_since = now_;
  while (!Done()) {
    Step();
    if (now_ - calm_since > kCalm) {
      return "something is still unacknowledged after " + std::to_string(ToSeconds(kCalm)) + " s of calm";
    }
    if (std::string law = BrokenLaw(); !law.empty()) {
      return law;
    }
  }
  calm_needed_ = now_ - calm_since;
  // What was dropped last is told by the next message, and is counted then.
  for (Slot& slot : slots_) {
    slot.work.end += slot.process->superseded() ? 0 : 1;
  }
  const TimePoint last_hello = now_ + std::chrono::seconds(40);
  while (now_ < last_hello || !Done()) {
    Step();
    if (now_ - last_hello > kCalm) {
      return "the last message is still unacknowledged after " + std::to_string(ToSeconds(kCalm)) +
             " s of calm";
    }
  }
  for (int i = 0; i < 3; ++i) {
    daemon_.Cut(now_);
    daemon_.Durable(now_);
  }
  std::string law = BrokenLaw();
  law = law.empty() ? CheckRuns() : law;
  return law.empty() ? CheckContents() : law;
}

std::uint64_t Simulation::resent() const {
  std::uint64_t sum = 0;
  for (const Slot& slot : slots_) {
    sum += slot.process->window().resent();
  }
  return sum;
}

void Simulation::Step() {
  now_ += std::chrono::milliseconds(random_() % 60);
  if (disk_full_until_ != TimePoint{} && now_ >= disk_full_until_) {
    daemon_.SetDiskFull(false);
    disk_full_until_ = {};
  }
  switch (random_() % 8) {
    case 0:
    case 1:
      if (Slot& slot = AnySlot(); now_ >= slot.away_until) {
        RunPublisher(slot);
      }
      break;
    case 2:
    case 3:
      for (auto n = random_() % 10; n > 0; --n) {
        Deliver();
      }
      break;
    case 4:
    case 5:
      for (auto n = random_() % 10; n > 0; --n) {
        Hear(AnySlot());
      }
      break;
    case 6:
      Chance(1, 2) ? daemon_.Cut(now_) : daemon_.Durable(now_);
      break;
    default:
      break;  // only time passes
  }
}

void Simulation::Break() {
  constexpr unsigned kOf = 10'000;
  Slot& slot = AnySlot();
  if (slot.process != nullptr && slot.process->connected()) {
    const ConnectionPtr& connection = slot.process->connection();
    if (Chance(faults_.cut, kOf)) {
      CutOff(connection);
    }
    if (Chance(faults_.half_open, kOf)) {
      const auto dead = random_() % 3;
      connection->up = connection->up && dead == 0;
      connection->down = connection->down && dead == 1;
    }
  }
  if (slot.process != nullptr && Chance(faults_.publisher_crash, kOf)) {
    if (slot.process->connected()) {
      CutOff(slot.process->connection());
    }
    slot.process = nullptr;
  }
  if (Chance(faults_.away, kOf)) {
    slot.away_until = now_ + std::chrono::seconds(random_() % 120);
  }
  if (Chance(faults_.clock_jump, kOf)) {
    slot.skew = std::chrono::minutes(random_() % 600) - std::chrono::hours(5);
  }
  if (slot.process != nullptr && Chance(faults_.forged_hello, kOf)) {
    const std::uint64_t wild = std::uint64_t{1} << (40 + random_() % 23);
    const Header hello{slot.work.publisher, slot.process->epoch(), 0, wild, daemon_.store_id()};
    daemon_.OnMessage({hello, ""}, std::make_shared<Connection>(), now_);
  }
  if (Chance(faults_.disk_full, kOf)) {
    daemon_.SetDiskFull(true);
    // Shorter than the idle time, or the last word about a row could cross the first of the next.
    const Duration longest = std::min<Duration>(std::chrono::minutes(1), asked_.idle / 2);
    disk_full_until_ = now_ + longest / 100 * (random_() % 100);
  }
  if (Chance(faults_.daemon_crash, kOf)) {
    daemon_.Crash(now_);
    DaemonDied();
  }
  if (Chance(faults_.rollback, kOf)) {
    daemon_.RollBack(random_() % 8, now_);
    DaemonDied();
  }
  if (Chance(faults_.replace_store, kOf)) {
    daemon_.ReplaceStore(now_);
    DaemonDied();
  }
}

void Simulation::RunPublisher(Slot& slot) {
  if (slot.process == nullptr) {
    StartProcess(slot);
  }
  SimulatedPublisher& process = *slot.process;
  process.Tick(now_);
  if (process.superseded()) {
    return;
  }
  if (!process.connected()) {
    Connect(slot);
  }
  // Slowly, so that there is work to do for as long as there are faults; and in bursts.
  if (calm_ || Chance(1, 5)) {
    for (auto n = random_() % 4; n > 0; --n) {
      process.Push();
    }
  }
  process.Send(now_);
}

void Simulation::StartProcess(Slot& slot) {
  using OnFull = SimulatedPublisher::OnFull;
  const OnFull on_full = faults_.drop_oldest ? OnFull::kDropOldest : OnFull::kBlock;
  // No two processes start in the same nanosecond.
  now_ += std::chrono::nanoseconds(1);
  slot.process = std::make_unique<SimulatedPublisher>(
      slot.work, static_cast<std::uint64_t>(ToUnixNanos(now_)), faults_.window_bytes, on_full, slot.skew);
}

void Simulation::Connect(Slot& slot) {
  auto connection = std::make_shared<Connection>();
  if (Chance(faults_.delay, 100)) {
    connection->delay = std::chrono::milliseconds(random_() % 4000);
  }
  connections_.push_back(connection);
  slot.process->Connect(std::move(connection), now_);
}

// The daemon reads its connections in any order, so an old one may be heard after the new one.
void Simulation::Deliver() {
  if (connections_.empty()) {
    return;
  }
  const std::size_t at = random_() % connections_.size();
  const ConnectionPtr connection = connections_[at];
  auto& queue = connection->to_daemon;
  if (queue.empty()) {
    const bool in_use = std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
      return slot.process != nullptr && slot.process->connection() == connection;
    });
    if (!in_use) {
      connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return;
  }
  if (queue.front().arrives > now_ || Fault(queue)) {
    return;
  }
  const Message message = queue.front().what;
  if (!Chance(faults_.repeat, 100)) {
    queue.pop_front();
  }
  daemon_.OnMessage(message, connection, now_);
}

void Simulation::Hear(Slot& slot) {
  if (slot.process == nullptr || !slot.process->connected()) {
    return;
  }
  const ConnectionPtr connection = slot.process->connection();
  auto& queue = connection->to_publisher;
  if (queue.empty() || queue.front().arrives > now_ || Fault(queue)) {
    return;
  }
  const Answer answer = queue.front().what;
  if (!Chance(faults_.repeat, 100)) {
    queue.pop_front();
  }
  slot.process->OnAnswer(answer, daemon_, now_);
}

// True when the front packet was lost.
template <class Queue>
bool Simulation::Fault(Queue& queue) {
  if (queue.size() > 1 && Chance(faults_.swap, 100)) {
    std::swap(queue[0].what, queue[1].what);
  }
  const bool lost = Chance(faults_.lose, 100);
  if (lost) {
    queue.pop_front();
  }
  return lost;
}

// What was sent may be lost with the connection, or lie with the daemon already; the same for its answers.
void Simulation::CutOff(const ConnectionPtr& connection) {
  if (Chance(1, 2)) {
    connection->to_daemon.clear();
  }
  if (Chance(1, 2)) {
    connection->to_publisher.clear();
  }
  connection->up = connection->down = false;
  connection->broken = Chance(4, 5);  // or only silence will tell
}

void Simulation::DaemonDied() {
  for (const ConnectionPtr& connection : connections_) {
    CutOff(connection);
    connection->to_daemon.clear();
  }
}

}  // namespace detwatch::delivery
