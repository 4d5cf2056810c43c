#pragma once
// lib/delivery -- the daemon's half of acknowledged delivery: which sequences of a publisher were received,
// which are missing, which are repeats. Pure state; no sockets, no clock.
//
// State is per (publisher name, socket kind); a higher epoch supersedes, a lower one is stale. Messages are
// judged in sequence order: what lies beyond a gap on the reliable socket is not taken (the publisher
// sends it again), so `received` is a plain number and not a set.
//
// Laws: EverySequenceIsTakenAtMostOnce, AReadableHeaderAlwaysAdvances, OnlyWhatThePublisherDroppedIsLost,
//   RowsExpireAfterIdleDays. Cost: one hash look-up a message. Threads: none, owned by ingest.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/time.h"

namespace detwatch::delivery {

struct Verdict {
  enum class Kind : std::uint8_t {
    kTake,        // judge the payload
    kDuplicate,   // sequence was received before
    kGap,         // reliable only: `expected` must come first; do not judge
    kHello,
    kStaleEpoch,  // a newer run of this publisher is known
    kRefused,     // the limit on publishers is reached
  };
  Kind kind = Kind::kTake;
  std::uint64_t lost = 0;      // sequences that will never come, found out by this message
  std::uint64_t expected = 0;  // kGap: the first missing one; 0 when it was asked for less than 200 ms ago
};

struct PublisherState {
  std::uint64_t epoch = 0;
  std::uint64_t received = 0;   // all up to here were taken or given up
  std::uint64_t durable = 0;    // all up to here are in a checkpoint
  TimePoint last_seen;
  TimePoint gap_asked;
};

class Sequences {
 public:
  explicit Sequences(std::size_t max_publishers, Duration idle = std::chrono::hours(24 * 7))
      : max_publishers_(max_publishers), idle_(idle) {}

  [[nodiscard]] Verdict OnHeader(const Header& header, Transport transport, TimePoint now);
  // Null when unknown.
  [[nodiscard]] const PublisherState* Find(std::string_view publisher, Transport transport) const;
  // Everything received so far is in a cut that has become durable: (name, epoch, received) as they
  // stood when the cut was taken.
  struct Mark {
    std::string publisher;
    Transport transport = Transport::kReliable;
    std::uint64_t epoch = 0;
    std::uint64_t received = 0;
  };
  // Publishers that advanced since the last call.
  [[nodiscard]] std::vector<Mark> TakeMarks();
  void Durable(const std::vector<Mark>& marks);
  // Forgets rows that were idle for too long.
  void Expire(TimePoint now);
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    PublisherState state;
    std::string publisher;
    Transport transport = Transport::kReliable;
    bool marked = false;  // in advanced_
  };
  std::size_t max_publishers_;
  Duration idle_;
  std::unordered_map<std::string, Row> rows_;  // key: transport digit + name
  std::vector<std::string> advanced_;
};

}  // namespace detwatch::delivery
