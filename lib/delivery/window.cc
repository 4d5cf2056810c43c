#include "lib/delivery/window.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace detwatch::delivery {

bool SendWindow::HasRoom(std::size_t payload_bytes) const {
  return items_.empty() || (payload_bytes <= max_bytes_ && bytes_ <= max_bytes_ - payload_bytes);
}

std::uint64_t SendWindow::Push(std::string payload) {
  bytes_ += payload.size();
  items_.push_back({next_, std::move(payload)});
  return next_++;
}

void SendWindow::PopFront() {
  const std::size_t size = items_.front().payload.size();
  bytes_ -= size;
  if (sent_ > 0) {
    --sent_;
    in_flight_bytes_ -= size;
  }
  items_.pop_front();
}

void SendWindow::DropOldest() {
  assert(!items_.empty());
  PopFront();
  ++dropped_;
}

const SendWindow::Item* SendWindow::NextToSend() const {
  if (sent_ == items_.size()) {
    return nullptr;
  }
  const Item& item = items_[sent_];
  // One item may always be under way, however small the credit: a message larger than the credit would
  // never leave otherwise. A credit of 0 means what it says.
  const bool fits = credit_ > 0 && (sent_ == 0 || in_flight_bytes_ + item.payload.size() <= credit_);
  return fits ? &item : nullptr;
}

void SendWindow::Sent() {
  assert(sent_ < items_.size());
  const Item& item = items_[sent_];
  in_flight_bytes_ += item.payload.size();
  ++sent_;
  if (item.sequence <= sent_high_) {
    ++resent_;
  } else {
    sent_high_ = item.sequence;
  }
}

std::size_t SendWindow::CountUpTo(std::uint64_t sequence) const {
  // Sequences have no holes inside the window: dropping and acknowledging both take the front.
  if (items_.empty() || sequence < items_.front().sequence) {
    return 0;
  }
  return std::min<std::uint64_t>(sequence - items_.front().sequence + 1, items_.size());
}

void SendWindow::SetSent(std::size_t sent) {
  for (; sent_ < sent; ++sent_) {
    in_flight_bytes_ += items_[sent_].payload.size();
  }
  for (; sent_ > sent; --sent_) {
    in_flight_bytes_ -= items_[sent_ - 1].payload.size();
  }
}

void SendWindow::OnReply(const Acknowledgement& reply, TimePoint now) {
  const bool new_state = !boot_id_.empty() && (reply.boot_id != boot_id_ || reply.store_id != store_id_);
  store_id_ = reply.store_id;
  boot_id_ = reply.boot_id;
  credit_ = reply.credit_bytes;
  // A daemon cannot have what was never sent; were it believed, that would be given up as acknowledged.
  const std::uint64_t durable = std::min(reply.durable, sent_high_);
  const std::uint64_t received = std::min(reply.received, sent_high_);
  while (!items_.empty() && items_.front().sequence <= durable) {
    PopFront();
  }
  told_ = received;
  if (new_state) {
    received_ = received;
    Progress();
    SetSent(0);
    return;
  }
  if (received > received_) {
    received_ = received;
    Progress();
  }
  SetSent(std::max(sent_, CountUpTo(received_)));
  if (reply.expected != 0) {
    OnExpected(reply.expected, now);
  }
  RepairStall(now);
}

void SendWindow::OnExpected(std::uint64_t expected, TimePoint now) {
  // What was under way when the gap was noticed brings the same request again until the repetition has
  // arrived; sending everything again each time would feed the fire.
  const bool echo = expected == asked_ && now >= asked_at_ && now - asked_at_ < Wait(kAskAgain);
  if (echo) {
    return;
  }
  repairs_ = expected == asked_ ? repairs_ + 1 : 0;
  asked_ = expected;
  asked_at_ = now;
  stalled_since_ = {};
  received_ = std::min(expected - 1, sent_high_);
  SetSent(std::min(sent_, CountUpTo(received_)));
}

void SendWindow::RepairStall(TimePoint now) {
  const std::size_t known = CountUpTo(received_);
  if (sent_ <= known) {
    stalled_since_ = {};
  } else if (stalled_since_ == TimePoint{} || now < stalled_since_) {
    stalled_since_ = now;
  } else if (now - stalled_since_ >= Wait(kStall)) {
    SetSent(known);
    stalled_since_ = {};
    ++repairs_;
  }
}

Duration SendWindow::Wait(Duration first) const {
  constexpr unsigned kMostDoublings = 6;
  return first * (1U << std::min(repairs_, kMostDoublings));
}

void SendWindow::Progress() {
  stalled_since_ = {};
  asked_ = 0;
  repairs_ = 0;
}

void SendWindow::Reconnected() {
  // Less than before, from the same boot: the daemon has forgotten us and begun a new row.
  received_ = std::min(received_, told_);
  SetSent(std::min(sent_, CountUpTo(received_)));
  Progress();
}

}  // namespace detwatch::delivery
