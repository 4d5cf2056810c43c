#pragma once
// lib/delivery -- the daemon's half of acknowledged delivery: which sequences of a publisher were received,
// which are missing, which are repeats. Pure state; no sockets, no clock.
//
// State is per (publisher name, socket kind); a higher epoch supersedes, a lower one is stale. Messages are
// judged in sequence order: what lies beyond a gap on the reliable socket is not taken (the publisher
// sends it again), so `received` is a plain number and not a set.
//
// A hello moves nothing: anybody can say one, and what it made received would be told as durable to the run
// whose name it used. The first message of a run sets a baseline at the oldest one the publisher still holds:
// what it gave up before its hello is lost only when that named this very store, which then had known it and
// was rolled back. A run that is older than the idle time may just have been forgotten; it sets a baseline
// too. On SUB the first message sets the baseline, a later epoch counts from 1, and every hole is lost. A
// step of more than 2^40 is nobody's loss but a slip or a forgery, and is refused.
//
// Laws (tests of the same name): EverySequenceIsTakenAtMostOnce, AReadableHeaderAlwaysAdvances,
//   OnlyWhatThePublisherDroppedIsLost, RowsExpireAfterIdleDays, AForgottenPublisherLostNothing,
//   AHelloMovesNothing, AWildStepIsRefusedAndMovesNothing. Cost: one hash look-up a message. Threads: none,
//   owned by ingest.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/time.h"

namespace detwatch::delivery {

struct Verdict {
  enum class Kind : std::uint8_t {
    kTake,       // judge the payload
    kDuplicate,  // sequence was received before
    kGap,        // reliable only: `expected` must come first; do not judge
    kHello,
    kStaleEpoch,  // a newer run of this publisher is known
    kRefused,     // the limit on publishers is reached
    kWildStep,    // further ahead than anybody can have sent
  };
  Kind kind = Kind::kTake;
  std::uint64_t lost = 0;      // sequences that will never come, found out by this message
  std::uint64_t expected = 0;  // kGap: the first missing one; 0 when it was asked for less than 200 ms ago
};

struct PublisherState {
  std::uint64_t epoch = 0;
  std::uint64_t received = 0;      // all up to here were taken or given up
  std::uint64_t durable = 0;       // all up to here are in a checkpoint
  bool begun = false;              // a message, and not only a hello, said where the run stands
  bool names_store = false;        // its first hello named this store
  std::uint64_t hello_oldest = 0;  // the lowest that its hellos said was the oldest held; 0: none did
  bool stranger = false;           // no earlier run was known
  TimePoint last_seen;
  TimePoint gap_asked;
};

class Sequences {
 public:
  static constexpr Duration kAskEvery = std::chrono::milliseconds(200);
  static constexpr std::uint64_t kMostStep = std::uint64_t{1} << 40;

  // store_id: the state the counts live in, as told in every reply.
  Sequences(std::size_t max_publishers, std::string store_id, Duration idle = std::chrono::hours(24 * 7))
      : max_publishers_(max_publishers), store_id_(std::move(store_id)), idle_(idle) {}

  // Requires: sequence and oldest_held below 2^63 (the wire refuses others).
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
  // A row as the last checkpoint held it; for the start of the daemon.
  void Restore(const Mark& mark, TimePoint last_seen);
  // Forgets rows that were idle for too long and are durable as they are, and says which.
  std::vector<std::pair<Transport, std::string>> Expire(TimePoint now);
  // Rows beyond a lower limit stay.
  void SetMaxPublishers(std::size_t max) { max_publishers_ = max; }
  [[nodiscard]] std::size_t size() const { return rows_[0].size() + rows_[1].size(); }

 private:
  struct Row {
    PublisherState state;
    bool marked = false;  // in advanced_
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  using Rows = std::unordered_map<std::string, Row, NameHash, std::equal_to<>>;

  [[nodiscard]] Rows& Of(Transport transport) { return rows_[static_cast<std::size_t>(transport)]; }
  // A new run of a publisher. `known`: an earlier one is.
  [[nodiscard]] static PublisherState Begin(const Header& header, Transport transport, bool known);
  // Where its first message says that a reliable run stands; returns what is lost by it.
  [[nodiscard]] std::uint64_t SetBaseline(PublisherState& state, const Header& header, bool forgotten) const;
  [[nodiscard]] Verdict Judge(PublisherState& state, const Header& header, Transport transport,
                              TimePoint now) const;
  void Advanced(Row& row, const Header& header, Transport transport);

  std::size_t max_publishers_;
  std::string store_id_;
  Duration idle_;
  std::array<Rows, kTransports> rows_;  // by publisher name
  std::vector<std::pair<Transport, std::string>> advanced_;
};

}  // namespace detwatch::delivery
