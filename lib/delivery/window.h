#pragma once
// lib/delivery -- the publisher's half: messages that are not acknowledged yet, in a window bounded by
// bytes, and what to send again when. Pure state; the socket and the clock belong to the caller.
//
// Rules (proto/README.md has them in words): same boot id: send again only what lies beyond `received`; a
// new boot id: everything beyond `durable`. Silence counts, never a slow disk. When the window is full the
// owner chose to block or to drop the oldest, which is counted and told by `oldest_held`.
//
// Laws: NothingUnacknowledgedIsForgotten, DroppedIsWhatOldestHeldSays. Threads: none.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
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

  // True when a payload of this size fits without dropping. The first item always fits.
  [[nodiscard]] bool HasRoom(std::size_t payload_bytes) const;
  // Gives the payload the next sequence and keeps it. Returns the sequence. Drops nothing.
  std::uint64_t Push(std::string payload);
  // Drops the oldest item, counted. Requires: not empty.
  void DropOldest();
  // The next item to put on the wire, null when all kept items were sent or the credit is used up.
  [[nodiscard]] const Item* NextToSend() const;
  // That item was handed to the socket.
  void Sent();
  void OnReply(const Acknowledgement& reply, TimePoint now);
  // A new connection, or 15 s of silence: everything not known as received goes out again.
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
  std::size_t max_bytes_;
  std::deque<Item> items_;   // ascending sequence, unacknowledged
  std::size_t sent_ = 0;     // the first `sent_` items are on the wire
  std::uint64_t sent_high_ = 0;  // highest sequence ever sent
  std::size_t bytes_ = 0;
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t next_ = 1;
  std::uint64_t credit_ = 0;  // 0 until told: then a conservative default
  std::uint64_t dropped_ = 0;
  std::uint64_t resent_ = 0;
  std::string store_id_;
  std::string boot_id_;
};

}  // namespace detwatch::delivery
