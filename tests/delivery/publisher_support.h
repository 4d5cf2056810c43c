#pragma once
// A publishing process of the simulation: the real SendWindow, driven as lib/client/reliable.cc drives it,
// but over a simulated connection and clock; and the work that outlives the process.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/delivery/window.h"
#include "tests/delivery/daemon_support.h"

namespace detwatch::delivery {

// Contents to publish, in order. A later process goes on after what was settled in order.
struct Work {
  std::string publisher;
  std::size_t first = 0;  // content numbers [first, end)
  std::size_t end = 0;
  std::size_t settled = 0;             // everything below was acknowledged or given up
  std::set<std::size_t> given_up;      // by choice of the owner, or of a superseded process
  std::vector<unsigned> acknowledged;  // by content - first: era + 1, 0 when not
};

class SimulatedPublisher {
 public:
  enum class OnFull : std::uint8_t { kBlock, kDropOldest };

  SimulatedPublisher(Work& work, std::uint64_t epoch, std::size_t window_bytes, OnFull on_full, Duration skew)
      : work_(work), epoch_(epoch), on_full_(on_full), skew_(skew), window_(window_bytes) {
    first_ = next_ = work.settled;
  }

  // The connection stands. `left_over`: answers of the one before that still lie in the socket.
  void Connect(ConnectionPtr connection, TimePoint now);
  // False: it has to be connected (again).
  [[nodiscard]] bool connected() const { return connection_ != nullptr; }
  [[nodiscard]] const ConnectionPtr& connection() const { return connection_; }
  // Notices a broken connection, says hello, gives a silent connection up.
  void Tick(TimePoint now);
  // Takes one content in, unless the window is full and the owner waits.
  void Push();
  void Send(TimePoint now);
  void OnAnswer(const Answer& answer, const SimulatedDaemon& daemon, TimePoint now);

  [[nodiscard]] bool done() const { return superseded_ || (next_ == work_.end && window_.empty()); }
  [[nodiscard]] bool superseded() const { return superseded_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] const SendWindow& window() const { return window_; }
  // What was no longer held when the store in use was first heard of: no loss of that store.
  [[nodiscard]] std::uint64_t base() const { return base_; }
  [[nodiscard]] const std::string& broken_law() const { return broken_law_; }

 private:
  void Hello(bool asked, TimePoint now);
  void DropOldest();
  void Supersede();
  [[nodiscard]] std::size_t ContentOf(std::uint64_t sequence) const { return first_ + sequence - 1; }

  Work& work_;
  const std::uint64_t epoch_;
  const OnFull on_full_;
  const Duration skew_;  // of its wall clock
  SendWindow window_;
  std::size_t first_ = 0;  // content of sequence 1
  std::size_t next_ = 0;   // content to push
  ConnectionPtr connection_;
  bool synced_ = false;
  bool asked_ = false;
  bool superseded_ = false;
  std::uint64_t base_ = 0;
  TimePoint said_hello_;
  TimePoint heard_;
  TimePoint last_sent_;
  std::string broken_law_;
};

}  // namespace detwatch::delivery
