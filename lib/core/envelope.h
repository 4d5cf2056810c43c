#pragma once
// lib/core -- what surrounds a message: who sends it, its place in their sequence, and the daemon's answer.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace detwatch {

enum class Transport : std::uint8_t { kSubscribe, kReliable };  // SUB, ROUTER
inline constexpr std::size_t kTransports = 2;
[[nodiscard]] std::string_view Name(Transport transport);  // "subscribe", "reliable": the `transport` label

// detwatch.v1.Header, checked: publisher 1 to 128 bytes of UTF-8, epoch not 0.
struct Header {
  std::string publisher;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // 0: hello
  std::uint64_t oldest_held = 0;
  std::string store_id;
};

// What became of the label messages of one run of a publisher: detwatch.v1.LabelTally.
struct LabelTally {
  std::uint64_t joined = 0;
  std::uint64_t waiting = 0;
  std::uint64_t corrected = 0;  // of joined
  std::uint64_t duplicate = 0;
  std::uint64_t late = 0;
  std::uint64_t refused = 0;

  LabelTally& operator+=(const LabelTally& other) {
    joined += other.joined;
    waiting += other.waiting;
    corrected += other.corrected;
    duplicate += other.duplicate;
    late += other.late;
    refused += other.refused;
    return *this;
  }
  friend bool operator==(const LabelTally&, const LabelTally&) = default;
};

// The part of detwatch.v1.Reply that moves a publisher's window.
struct Acknowledgement {
  std::string store_id;
  std::string boot_id;
  std::uint64_t received = 0;      // all up to here were judged
  std::uint64_t durable = 0;       // all up to here need not be kept
  std::uint64_t credit_bytes = 0;  // bytes that may be unacknowledged
  std::uint64_t expected = 0;      // not 0: missing from here on
  LabelTally labels{};
};

struct RejectedItem {
  std::uint64_t sequence = 0;
  std::uint32_t item = 0;  // index in its batch, else 0
  std::string reason;
  std::string detail;
};

}  // namespace detwatch
