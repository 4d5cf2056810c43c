#pragma once
// A daemon in miniature: both sockets, sequences and acknowledgements, and knobs for everything that can go
// wrong. It runs in a thread of its own; tests look at what it took and wait with Until().

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lib/core/mutex.h"
#include "lib/wire/encode.h"

namespace detwatch::client::test {

// Polls with a deadline of ten seconds; a passing test never waits for it.
bool Until(const std::function<bool()>& condition);

// What survives a restart: the store. (publisher, epoch) -> durable sequence.
struct Books {
  std::string store_id = "store-1";
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> durable;
};

struct Taken {
  std::vector<Header> headers;          // of every message that came, hellos too
  std::vector<wire::Message> messages;  // every item taken, in order
  std::uint64_t lost = 0;
  std::size_t in_flight_high = 0;  // most bytes not durable at once

  [[nodiscard]] std::vector<std::string> FrameIds() const;
  [[nodiscard]] std::size_t Hellos() const;
  template <class T>
  [[nodiscard]] std::vector<T> All() const {
    std::vector<T> found;
    for (const wire::Message& message : messages) {
      if (const T* one = std::get_if<T>(&message)) {
        found.push_back(*one);
      }
    }
    return found;
  }
};

class FakeDaemon {
 public:
  explicit FakeDaemon(std::shared_ptr<Books> books = std::make_shared<Books>(),
                      const std::string& endpoint = "tcp://127.0.0.1:*", bool start = true);
  ~FakeDaemon();
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  void Start();  // for a daemon made with start = false, after its knobs are set
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] Taken taken() const;

  // Knobs.
  std::atomic<bool> durable = true;                    // acknowledge at once
  std::atomic<std::size_t> durable_frames = SIZE_MAX;  // but only the first messages about a frame
  std::atomic<std::uint64_t> credit = 1U << 30;
  std::atomic<int> lose = 0;  // messages that vanish as if a connection had broken
  std::atomic<bool> mute = false;
  std::atomic<bool> hellos_wait_for_data = false;  // whose own answer then fails to come
  std::atomic<bool> stale = false;
  std::string reject_frame;  // set before Start
  // Set before Start: counts labels into the tally of their run; not empty: the reason they are rejected for.
  std::function<std::string(const Labels&, LabelTally&)> judge;
  wire::WireLimits limits;  // set before Start

 private:
  void Run();
  void OnMessage(const std::string& peer, const Header& header, const std::string& payload)
      DETWATCH_REQUIRES(mutex_);
  void Take(std::uint64_t sequence, const std::string& payload, wire::Reply& reply) DETWATCH_REQUIRES(mutex_);
  [[nodiscard]] std::string ReasonToReject(const wire::Message& message, LabelTally& tally) const;

  std::shared_ptr<Books> books_;
  std::string boot_id_;
  void* context_;
  void* socket_;
  std::string endpoint_;
  wire::Decoder decoder_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> received_;
  std::map<std::pair<std::string, std::uint64_t>, LabelTally> tallies_;
  std::map<std::uint64_t, std::size_t> bytes_;  // by sequence
  std::vector<std::uint64_t> frame_sequences_;  // of what was taken
  std::string late_answer_;
  mutable Mutex mutex_;
  Taken taken_ DETWATCH_GUARDED_BY(mutex_);
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The daemon's SUB socket.
class FakeSubscriber {
 public:
  FakeSubscriber();
  ~FakeSubscriber();
  FakeSubscriber(const FakeSubscriber&) = delete;
  FakeSubscriber& operator=(const FakeSubscriber&) = delete;
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  // False after ten seconds without a message. Item errors are test failures.
  bool Receive(Header& header, std::vector<wire::Message>& messages);
  // Parts as they are; for measuring.
  bool ReceiveRaw(std::string& header, std::string& payload);

 private:
  void* context_;
  void* socket_;
  std::string endpoint_;
  wire::Decoder decoder_;
};

}  // namespace detwatch::client::test
