#pragma once
// lib/delivery -- the publisher's half: messages that are not acknowledged yet, in a window bounded by
// bytes, and what to send again when. Pure state; the socket and the clock belong to the caller.
//
// Rules (proto/DELIVERY.md has them in words): same boot id: send again only what lies beyond `received`; a
// new boot id: everything beyond `durable`. Silence counts, never a slow disk. When the window is full the
// owner chose to block or to drop the oldest, which is counted and told by `oldest_held`.
//
// A lost tail has no later message that would show the gap, so a publisher that hears answers but no
// progress for kStall sends again on its own.
//
// Laws: NothingUnacknowledgedIsForgotten, DroppedIsWhatOldestHeldSays, ALostTailIsRepairedByRepliesAlone.
// Cost: O(1) amortised a message, O(items under way) for a rewind. Threads: none.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "lib/core/envelope.h"
#include "lib/core/time.h"

namespace detwatch::delivery {

class SendWindow {
 public:
  explicit SendWindow(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  struct Item {
    std::uint64_t sequence = 0;
    std::string payload;
  };

  // Bytes that may be under way before the first reply has told the credit.
  static constexpr std::uint64_t kFirstCredit = 1U << 20;
  // The same `expected` again within this time is the echo of one gap. Doubles with each repetition that
  // brought nothing, as kStall does: on a slow line they may all still be under way.
  static constexpr Duration kAskAgain = std::chrono::seconds(1);
  // Replies without progress for this long mean that what was sent is gone.
  static constexpr Duration kStall = std::chrono::seconds(10);

  // True when a payload of this size fits without dropping. The first item always fits.
  [[nodiscard]] bool HasRoom(std::size_t payload_bytes) const;
  // Gives the payload the next sequence and keeps it. Returns the sequence. Drops nothing.
  std::uint64_t Push(std::string payload);
  // Drops the oldest item, counted. Requires: not empty.
  void DropOldest();
  // The next item to put on the wire, null when all kept items were sent or the credit is used up. The
  // header that goes with it carries oldest_held() as of now.
  [[nodiscard]] const Item* NextToSend() const;
  // That item was handed to the socket.
  void Sent();
  void OnReply(const Acknowledgement& reply, TimePoint now);
  // The last reply answers for all that was sent before: what it does not call received goes out again.
  void Reconnected();

  [[nodiscard]] std::uint64_t oldest_held() const { return items_.empty() ? next_ : items_.front().sequence; }
  [[nodiscard]] std::uint64_t last_sequence() const { return next_ - 1; }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t items() const { return items_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::uint64_t resent() const { return resent_; }
  [[nodiscard]] const std::string& store_id() const { return store_id_; }

 private:
  void PopFront();
  // How many kept items have a sequence up to this one.
  [[nodiscard]] std::size_t CountUpTo(std::uint64_t sequence) const;
  // Sets sent_ and what follows from it.
  void SetSent(std::size_t sent);
  void OnExpected(std::uint64_t expected, TimePoint now);
  void RepairStall(TimePoint now);
  // `first`, doubled with each repair since the last progress.
  [[nodiscard]] Duration Wait(Duration first) const;
  void Progress();

  std::size_t max_bytes_;
  std::deque<Item> items_;       // ascending sequence, unacknowledged
  std::size_t sent_ = 0;         // the first `sent_` items are on the wire
  std::uint64_t sent_high_ = 0;  // highest sequence ever sent
  std::size_t bytes_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t credit_ = kFirstCredit;
  std::uint64_t received_ = 0;  // what the daemon of boot_id_ is known to have received
  std::uint64_t told_ = 0;      // `received` of the last reply
  std::uint64_t asked_ = 0;     // the last `expected` that was followed, and when
  TimePoint asked_at_;
  unsigned repairs_ = 0;     // rewinds since the last progress
  TimePoint stalled_since_;  // first reply that showed no progress; default: none
  std::uint64_t dropped_ = 0;
  std::uint64_t resent_ = 0;
  std::string store_id_;
  std::string boot_id_;
};

}  // namespace detwatch::delivery
