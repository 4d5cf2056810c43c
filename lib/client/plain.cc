#include "lib/client/plain.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace detwatch::client {
namespace {

// What a daemon would say that keeps everything at once.
Acknowledgement Kept(std::uint64_t sequence) {
  return {"", "", sequence, sequence, std::numeric_limits<std::uint64_t>::max() / 2, 0};
}

}  // namespace

PlainLink::PlainLink(const PublisherOptions& options, std::string name, Announcements announcements)
    : Link(options, std::move(name), std::move(announcements)) {
  window_.OnReply(Kept(0), {});
}

Result<std::unique_ptr<Socket>> PlainLink::Connect() {
  // The default of 1000 messages is a tenth of a second of a busy site.
  const auto messages = std::clamp<std::size_t>(options_.window_bytes / 4096, 1000, 1U << 20);
  return Socket::Connect(context_, Socket::Kind::kXpub, options_.endpoint,
                         {.send_high_water = static_cast<int>(messages)});
}

void PlainLink::OnSent(std::uint64_t sequence, Monotonic /*now*/) {
  window_.OnReply(Kept(sequence), {});
  Settle();
}

void PlainLink::Receive(Monotonic /*now*/) {
  std::string subscription;
  while (socket_->Receive(subscription)) {
    counts_.connected = !subscription.empty() && subscription.front() == '\x01';
    announce_due_ = true;  // a subscription is a new connection
  }
}

}  // namespace detwatch::client
