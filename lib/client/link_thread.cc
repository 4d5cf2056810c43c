// The half of Link that its own thread runs.
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "lib/client/link.h"
#include "lib/wire/encode.h"

namespace detwatch::client {

void Link::Run() {
  while (Exchange()) {
    const Monotonic now = std::chrono::steady_clock::now();
    Tick(now);
    FillWindow();
    Sleep(SendPending(now));
    Receive(std::chrono::steady_clock::now());
  }
}

bool Link::Exchange() {
  MutexLock lock(mutex_);
  sleeping_ = false;
  if (std::exchange(announcements_changed_, false)) {
    announcement_items_ = announcements_.Items();
    announcement_count_ = announcements_.size();
    announce_due_ = true;
  }
  const bool take = taken_at_ == taken_.size() && !inbox_.empty();
  if (take) {
    taken_.clear();
    taken_at_ = 0;
    taken_.swap(inbox_);
    inbox_bytes_ = 0;
  }
  const bool news = take || settled_shown_ != settled_ || shown_.superseded != counts_.superseded;
  shown_ = counts_;
  settled_shown_ = settled_;
  if (news) {
    changed_.notify_all();
  }
  return !stopping_;
}

void Link::FillWindow() {
  for (; taken_at_ < taken_.size(); ++taken_at_) {
    std::string& payload = taken_[taken_at_];
    while (!window_.HasRoom(payload.size())) {
      if (options_.on_full == OnFull::kBlock) {
        return;
      }
      DropOldest();
    }
    window_.Push(std::move(payload));
    if (counts_.superseded) {
      DropOldest();
    }
  }
}

bool Link::IsAnnouncement(std::uint64_t sequence) const {
  return std::binary_search(announced_.begin(), announced_.end(), sequence);
}

void Link::DropOldest() {
  counts_.dropped += IsAnnouncement(window_.oldest_held()) ? 0 : 1;
  window_.DropOldest();
  Settle();
}

std::uint64_t Link::Settle() {
  const std::uint64_t oldest = window_.oldest_held();
  while (!announced_.empty() && announced_.front() < oldest) {
    announced_.pop_front();
    ++announced_gone_;
  }
  settled_ = oldest - 1 - announced_gone_;
  return settled_;
}

void Link::Supersede() {
  counts_.superseded = true;
  counts_.connected = false;
  while (!window_.empty()) {
    DropOldest();
  }
}

void Link::PushAnnouncement(Monotonic now) {
  if (announcement_items_.empty()) {
    return;
  }
  announce_due_ |= now - announced_at_ >= options_.timing.announce;
  // With nothing to ride on, they go by themselves.
  if (announce_due_ && window_.empty()) {
    announced_.push_back(window_.Push(Batched(announcement_items_, {})));
  }
}

bool Link::SendPending(Monotonic now) {
  if (!Ready()) {
    return false;
  }
  PushAnnouncement(now);
  while (const delivery::SendWindow::Item* item = window_.NextToSend()) {
    header_.sequence = item->sequence;
    header_.oldest_held = OldestHeld();
    const bool due = announce_due_;
    if (!socket_->Send(wire::EncodeHeader(header_), WireBytes(*item, now))) {
      announce_due_ = due;
      return true;
    }
    const std::uint64_t sequence = item->sequence;
    const std::uint64_t counted = IsAnnouncement(sequence) ? 0 : 1;
    (sequence > sent_high_ ? counts_.sent : counts_.resent) += counted;
    sent_high_ = std::max(sent_high_, sequence);
    window_.Sent();
    OnSent(sequence, now);
  }
  return false;
}

std::string_view Link::WireBytes(const delivery::SendWindow::Item& item, Monotonic now) {
  const std::size_t limit = message_limit_.value_or(std::numeric_limits<std::size_t>::max());
  const std::size_t most_items = batch_limit_.value_or(std::numeric_limits<std::size_t>::max());
  const std::size_t items = CountItems(item.payload);
  if (item.payload.size() > limit || items > most_items) {
    if (item.sequence > entombed_) {
      entombed_ = item.sequence;
      Reject({item.sequence, 0, "oversized",
              item.payload.size() > limit
                  ? std::to_string(item.payload.size()) + " bytes, the daemon takes " + std::to_string(limit)
                  : std::to_string(items) + " items of a batch, the daemon takes " +
                        std::to_string(most_items)});
    }
    const bool own = IsAnnouncement(item.sequence);
    if (own) {  // else it is due again at once, and for ever
      announce_due_ = false;
      announced_at_ = now;
    }
    buffer_ = wire::EncodePayload(Tombstone{"oversized", own ? 0 : std::max<std::size_t>(items, 1)});
    return buffer_;
  }
  if (!announce_due_ || announcement_items_.empty()) {
    return item.payload;
  }
  if (!IsAnnouncement(item.sequence)) {
    if (items + announcement_count_ > most_items) {
      return item.payload;
    }
    buffer_ = Batched(announcement_items_, item.payload);
    if (buffer_.size() > limit) {
      return item.payload;  // the next one may be smaller
    }
  }
  announce_due_ = false;
  announced_at_ = now;
  return IsAnnouncement(item.sequence) ? std::string_view(item.payload) : buffer_;
}

void Link::Sleep(bool full) {
  if (full) {
    // A full XPUB does not tell when it has room again.
    socket_->Wait(wake_fd_, options_.reliable, options_.reliable ? tick_ms_ : 1);
    return;
  }
  const bool fits = taken_at_ < taken_.size() && window_.HasRoom(taken_[taken_at_].size());
  bool work = fits;
  {
    MutexLock lock(mutex_);
    work |= stopping_ || announcements_changed_ || (taken_at_ == taken_.size() && !inbox_.empty());
    sleeping_ = !work;
  }
  socket_->Wait(wake_fd_, false, work ? 0 : tick_ms_);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t drained = read(wake_fd_, &count, sizeof count);
}

}  // namespace detwatch::client
