#include "tests/delivery/publisher_support.h"

#include <algorithm>
#include <chrono>

namespace detwatch::delivery {
namespace {

constexpr Duration kHello = std::chrono::seconds(5);
constexpr Duration kSilence = std::chrono::seconds(15);

}  // namespace

void SimulatedPublisher::Connect(ConnectionPtr connection, TimePoint now) {
  connection_ = std::move(connection);
  synced_ = false;
  heard_ = now;
  Hello(true, now);
}

void SimulatedPublisher::Tick(TimePoint now) {
  if (connection_ == nullptr || superseded_) {
    return;
  }
  if (connection_->broken || now - heard_ > kSilence) {
    connection_ = nullptr;
    synced_ = false;
    return;
  }
  const bool idle = now - last_sent_ >= kHello;
  const bool quiet = now - heard_ >= kHello;
  if (now - said_hello_ >= kHello && (idle || quiet)) {
    Hello(idle || !synced_, now);
  }
}

void SimulatedPublisher::Hello(bool asked, TimePoint now) {
  asked_ = asked;
  said_hello_ = now;
  if (connection_->up) {
    connection_->to_daemon.push_back(
        {now + connection_->delay,
         {{work_.publisher, epoch_, 0, window_.oldest_held(), window_.store_id()}, ""}});
  }
}

void SimulatedPublisher::Push() {
  if (next_ == work_.end || superseded_) {
    return;
  }
  std::string payload = std::to_string(next_);
  while (!window_.HasRoom(payload.size())) {
    if (on_full_ == OnFull::kBlock) {
      return;
    }
    DropOldest();
  }
  (void)window_.Push(std::move(payload));
  ++next_;
}

void SimulatedPublisher::DropOldest() {
  const std::size_t content = ContentOf(window_.oldest_held());
  work_.given_up.insert(content);
  window_.DropOldest();
  work_.settled = content + 1;
}

void SimulatedPublisher::Supersede() {
  superseded_ = true;
  while (!window_.empty()) {
    DropOldest();
  }
  for (; next_ < work_.end; ++next_) {
    work_.given_up.insert(next_);
  }
  work_.settled = work_.end;
}

void SimulatedPublisher::Send(TimePoint now) {
  if (!synced_ || superseded_) {
    return;
  }
  while (const SendWindow::Item* item = window_.NextToSend()) {
    if (connection_->up) {
      connection_->to_daemon.push_back(
          {now + connection_->delay,
           {{work_.publisher, epoch_, item->sequence, window_.oldest_held(), ""}, item->payload}});
    }
    window_.Sent();
    last_sent_ = now;
    asked_ = false;
  }
}

void SimulatedPublisher::OnAnswer(const Answer& answer, const SimulatedDaemon& daemon, TimePoint now) {
  if (superseded_ || answer.epoch != epoch_) {
    return;
  }
  heard_ = now;
  if (answer.stale_epoch) {
    Supersede();
    return;
  }
  const std::uint64_t oldest = window_.oldest_held();
  if (answer.acknowledgement.store_id != window_.store_id()) {
    base_ = oldest - 1;
  }
  window_.OnReply(answer.acknowledgement, now + skew_);
  if (asked_) {
    window_.Reconnected();
  }
  asked_ = false;
  synced_ = true;
  for (std::uint64_t sequence = oldest; sequence < window_.oldest_held(); ++sequence) {
    // Later checkpoints hold what earlier ones did, unless the store was rolled back or replaced.
    if (answer.era == daemon.era() && daemon.stored().Judged(epoch_, sequence) == 0) {
      broken_law_ = work_.publisher + ": " + std::to_string(sequence) + " was acknowledged and is not stored";
    }
    const std::size_t content = ContentOf(sequence);
    work_.acknowledged[content - work_.first] = answer.era + 1;
    work_.settled = std::max(work_.settled, content + 1);
  }
}

}  // namespace detwatch::delivery
