#include "lib/client/reliable.h"

#include <utility>

#include "lib/client/check.h"

namespace detwatch::client {

ReliableLink::ReliableLink(const PublisherOptions& options, std::string name, Announcements announcements)
    : Link(options, std::move(name), std::move(announcements)),
      random_(static_cast<std::minstd_rand::result_type>(header_.epoch)) {}

Result<std::unique_ptr<Socket>> ReliableLink::Connect() {
  // Jitter: publishers that lost one daemon do not come back in one instant.
  patience_ = options_.timing.silence +
              options_.timing.silence / 1000 * std::uniform_int_distribution<int>(0, 200)(random_);
  return Socket::Connect(context_, Socket::Kind::kDealer, options_.endpoint, {.monitored = true});
}

void ReliableLink::OnSent(std::uint64_t /*sequence*/, Monotonic now) {
  last_sent_ = now;
  asked_ = false;  // the answer to a hello that went before says nothing about this message
}

void ReliableLink::Tick(Monotonic now) {
  if (!joined_ || counts_.superseded) {
    return;
  }
  if (now - heard_ > patience_) {
    Warn("the daemon at " + options_.endpoint + " is silent; connecting again");
    heard_ = now;
    if (auto fresh = Connect()) {
      OnConnection(false, now);
      socket_ = std::move(*fresh);
    } else {
      Warn(fresh.error().message);
    }
    return;
  }
  const bool idle = now - last_sent_ >= options_.timing.hello;
  const bool quiet = now - heard_ >= options_.timing.hello;
  if (now - said_hello_ >= options_.timing.hello && (idle || quiet)) {
    // While messages flow an answer lags behind them, and is no sign that they are lost.
    Hello(idle || !synced_, now);
  }
}

void ReliableLink::Hello(bool asked, Monotonic now) {
  Header hello = header_;
  hello.sequence = 0;
  hello.oldest_held = window_.oldest_held();
  hello.store_id = window_.store_id();
  if (socket_->Send(wire::EncodeHeader(hello), {})) {
    asked_ = asked;
    said_hello_ = now;
  }
}

void ReliableLink::OnConnection(bool joined, Monotonic now) {
  joined_ = joined;
  synced_ = false;
  counts_.connected = false;
  if (joined) {
    heard_ = now;
    Hello(true, now);
  }
}

void ReliableLink::Receive(Monotonic now) {
  if (counts_.superseded) {
    return;
  }
  for (Socket::Event event = socket_->NextEvent(); event != Socket::Event::kNone;
       event = socket_->NextEvent()) {
    OnConnection(event == Socket::Event::kConnected, now);
  }
  std::string bytes;
  while (!counts_.superseded && socket_->Receive(bytes)) {
    const auto reply = wire::DecodeReply(bytes);
    if (!reply) {
      Warn("the daemon at " + options_.endpoint + " sent an unreadable answer");
    } else if (joined_ && reply->publisher == header_.publisher && reply->epoch == header_.epoch) {
      OnReply(*reply, now);
    }
  }
}

void ReliableLink::KeepLimits(const wire::WireLimits& told) {
  if (told.message_bytes > 0) {
    message_limit_ = told.message_bytes;
  }
  if (told.boxes_per_frame > 0) {
    boxes_limit_ = told.boxes_per_frame;
  }
  if (told.classes_per_list > 0) {
    classes_limit_ = told.classes_per_list;
  }
  if (told.batch_items > 0) {
    batch_limit_ = told.batch_items;
  }
  if (const std::pair now{told.classes_per_list, told.tags}; now != checked_) {
    checked_ = now;
    for (const std::string& wrong : CheckTold(options_, told.classes_per_list, told.tags)) {
      Warn(wrong);
    }
  }
}

void ReliableLink::OnReply(const wire::Reply& reply, Monotonic now) {
  heard_ = now;
  if (reply.stale_epoch) {
    Warn("a publisher of this name started later, so this one stops; give each process a name of its own");
    synced_ = false;
    Supersede();
    return;
  }
  KeepLimits(reply.limits);
  const std::uint64_t oldest = window_.oldest_held();
  window_.OnReply(reply.acknowledgement,
                  std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  if (asked_) {
    window_.Reconnected();
  }
  const delivery::SendWindow::Item* next = window_.NextToSend();
  const bool again = next != nullptr && next->sequence <= sent_high_;
  announce_due_ |= again || !synced_;
  asked_ = false;
  synced_ = true;
  counts_.connected = true;
  if (const std::uint64_t settled = Settle(); window_.oldest_held() != oldest) {
    counts_.acknowledged_sequence = settled;
  }
  counts_.labels = reply.acknowledgement.labels;
  for (const RejectedItem& item : reply.rejected) {
    Reject(item);
  }
}

}  // namespace detwatch::client
