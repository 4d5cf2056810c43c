#pragma once
// daemon/http -- who is connected, since when, and who has to go.
//
// The HTTP library only knows idle timeouts, which a client that sends one byte a second never meets. Here
// every step of a connection has `timeout`: to send a complete request, to take the answer, to idle
// between two. Over a limit, whoever has waited longest without a request in flight makes room for the
// newcomer, so that hundreds of dripping clients cannot keep a scraper out; only when every connection is
// being answered is the newcomer refused. IPv6 clients count by /64, which one machine can have all of.
//
// Laws: TheLongestWaitingMakesRoom, ABusyConnectionIsNeverDisplaced, OneAddressCannotTakeAll,
//   EveryStepEndsAfterTheTimeout.
// Cost: O(1) per step, O(connections) when a limit is hit. Threads: any; one mutex.
//
// A connection is ended by shutdown(2), which its owner sees as the client's hanging up. That is safe while
// the descriptor is open, so its owner calls Closed() before close(2).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>

#include "lib/core/mutex.h"

struct sockaddr;

namespace detwatch::http {

// What limits are counted by: an IPv4 address, mapped ones included, or an IPv6 /64.
[[nodiscard]] std::string ClientKey(const sockaddr* address);

class Connections {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    std::size_t total = 512;
    std::size_t per_client = 128;
    std::chrono::milliseconds timeout = std::chrono::seconds(30);
  };

  struct Counts {
    std::uint64_t open = 0;
    std::uint64_t refused = 0;    // newcomers over a limit
    std::uint64_t displaced = 0;  // that waited and made room
    std::uint64_t timed_out = 0;
  };

  class Entry;

  explicit Connections(const Limits& limits) : limits_(limits) {}

  // Requires: fd stays open until Closed. The entry is valid until then.
  [[nodiscard]] Entry* Opened(int fd, std::string client, Clock::time_point now);
  // A request was received completely; its answer is being made or sent.
  void Busy(Entry* entry, Clock::time_point now);
  // The answer was sent; the connection waits for the next request.
  void Waiting(Entry* entry, Clock::time_point now);
  void Closed(Entry* entry);

  // Ends what has taken too long; returns when to look again, at most the timeout later.
  Clock::time_point EndOverdue(Clock::time_point now);
  [[nodiscard]] Counts counts() const;

 private:
  void Step(Entry* entry, bool busy, Clock::time_point now) DETWATCH_REQUIRES(mutex_);
  void End(Entry& entry) DETWATCH_REQUIRES(mutex_);
  // The one that waits longest, of one client or (null) of all; null when all are busy.
  [[nodiscard]] Entry* LongestWaiting(const std::string* client) DETWATCH_REQUIRES(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;
  std::list<Entry> live_ DETWATCH_GUARDED_BY(mutex_);   // by the start of their step, oldest first
  std::list<Entry> ended_ DETWATCH_GUARDED_BY(mutex_);  // told to go, not yet closed
  std::map<std::string, std::size_t> per_client_ DETWATCH_GUARDED_BY(mutex_);  // of live_
  Counts counts_ DETWATCH_GUARDED_BY(mutex_);
};

class Connections::Entry {
  friend class Connections;
  std::list<Entry>::iterator self;
  int fd = -1;
  std::string client;
  Clock::time_point since;
  bool busy = false;
  bool ended = false;
};

}  // namespace detwatch::http
