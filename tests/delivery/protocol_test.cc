// Both halves together over a connection that loses, doubles, swaps and breaks, with a daemon that crashes
// back to its last checkpoint: whatever happens, every message is taken once or was dropped by its owner.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/delivery/sequence.h"
#include "lib/delivery/window.h"

namespace detwatch::delivery {
namespace {

// What a checkpoint holds, and what a crash goes back to.
struct Counts {
  std::vector<std::uint8_t> taken;  // times, by the number in the payload
  std::uint64_t lost = 0;
};

class Daemon {
 public:
  Daemon() { Boot(); }

  std::optional<Acknowledgement> OnMessage(const Header& header, const std::string& payload, TimePoint now) {
    const Verdict verdict = sequences_->OnHeader(header, Transport::kReliable, now);
    now_.lost += verdict.lost;
    if (verdict.kind == Verdict::Kind::kTake) {
      const std::size_t number = std::stoul(payload);
      now_.taken.resize(std::max(now_.taken.size(), number + 1));
      ++now_.taken[number];
    }
    const bool answers = verdict.kind == Verdict::Kind::kHello || verdict.expected != 0;
    if (!answers) {
      return std::nullopt;
    }
    Acknowledgement reply = Reply();
    reply.expected = verdict.expected;
    return reply;
  }

  void Cut() {
    if (!cut_) {
      cut_ = {sequences_->TakeMarks(), now_};
    }
  }

  // The cut is on disk; the reply is the acknowledgement.
  std::optional<Acknowledgement> Durable() {
    if (!cut_) {
      return std::nullopt;
    }
    sequences_->Durable(cut_->first);
    for (const Sequences::Mark& mark : cut_->first) {
      stored_rows_[mark.publisher] = mark;
    }
    stored_ = cut_->second;
    cut_.reset();
    return sequences_->Find("detector", Transport::kReliable) == nullptr ? std::nullopt
                                                                         : std::optional(Reply());
  }

  void Crash(TimePoint now) {
    crashed_without_row_ = crashed_without_row_ || stored_rows_.empty();
    Boot();
    for (const auto& [publisher, mark] : stored_rows_) {
      sequences_->Restore(mark, now);
    }
  }

  [[nodiscard]] const Counts& counts() const { return now_; }
  // Then nobody remembers what had been given up.
  [[nodiscard]] bool crashed_without_row() const { return crashed_without_row_; }

 private:
  void Boot() {
    sequences_.emplace(10, "store");
    boot_id_ = "boot " + std::to_string(++boots_);
    now_ = stored_;
    cut_.reset();
  }

  [[nodiscard]] Acknowledgement Reply() const {
    const PublisherState* state = sequences_->Find("detector", Transport::kReliable);
    return {"store", boot_id_, state->received, state->durable, 200, 0};
  }

  std::optional<Sequences> sequences_;
  std::string boot_id_;
  int boots_ = 0;
  Counts now_;
  std::optional<std::pair<std::vector<Sequences::Mark>, Counts>> cut_;
  Counts stored_;
  std::map<std::string, Sequences::Mark> stored_rows_;
  bool crashed_without_row_ = false;
};

struct Faults {
  unsigned lose = 0;  // in a hundred packets
  unsigned repeat = 0;
  unsigned swap = 0;
  unsigned break_off = 0;      // in a thousand steps
  unsigned break_quietly = 0;  // and the publisher does not notice
  unsigned crash = 0;
  unsigned window_bytes = 100'000;
};

class Simulation {
 public:
  Simulation(std::uint32_t seed, const Faults& faults)
      : random_(seed), faults_(faults), window_(faults.window_bytes) {}

  void Run(std::uint64_t messages) {
    // The daemon meets the publisher before anything goes wrong: what is dropped earlier is not its loss.
    Answer(daemon_.OnMessage({"detector", 10, 0, 1, ""}, "", now_));
    while (pushed_ < messages) {
      Step();
    }
    if (faults_.break_quietly > 0) {
      Send();
      Break();  // the tail is lost, and nobody says so
    }
    // The network and the disk calm down; what is left must arrive, with nothing but time and hellos.
    faults_ = {};
    for (int i = 0; i < 100'000 && !window_.empty(); ++i) {
      Step();
    }
    SayHello();  // a tail that was dropped is told by the last hello
    while (!to_daemon_.empty()) {
      Deliver();
    }
  }

  void Check() {
    ASSERT_TRUE(window_.empty());
    std::uint64_t missing = 0;
    for (std::uint64_t i = 1; i <= pushed_; ++i) {
      const std::vector<std::uint8_t>& taken = daemon_.counts().taken;
      const int times = i < taken.size() ? taken[i] : 0;
      ASSERT_LE(times, 1) << "message " << i;
      if (times == 0) {
        ASSERT_TRUE(dropped_.contains(i)) << "message " << i << " vanished";
        ++missing;
      }
    }
    ASSERT_EQ(window_.dropped(), dropped_.size());
    if (daemon_.crashed_without_row()) {
      ASSERT_LE(daemon_.counts().lost, missing);
    } else {
      ASSERT_EQ(daemon_.counts().lost, missing);
    }
  }

  [[nodiscard]] const SendWindow& window() const { return window_; }

 private:
  [[nodiscard]] bool Chance(unsigned in, unsigned of) { return random_() % of < in; }

  void Step() {
    now_ += std::chrono::milliseconds(random_() % 100);
    if (now_ - last_hello_ > std::chrono::seconds(5)) {
      SayHello();
    }
    switch (random_() % 6) {
      case 0:
        Push();
        break;
      case 1:
        Send();
        break;
      case 2:
      case 3:
        for (auto n = random_() % 10; n > 0; --n) {
          Deliver();
        }
        break;
      case 4:
        for (auto n = random_() % 10; n > 0; --n) {
          Hear();
        }
        break;
      default:
        Chance(1, 2) ? daemon_.Cut() : Answer(daemon_.Durable());
        break;
    }
    if (Chance(faults_.break_off, 1000)) {
      Break();
      window_.Reconnected();
      SayHello();
    }
    if (Chance(faults_.break_quietly, 1000)) {
      Break();
    }
    if (Chance(faults_.crash, 1000)) {
      daemon_.Crash(now_);
      Break();
    }
  }

  void Push() {
    const std::string payload = std::to_string(pushed_ + 1);
    while (!window_.HasRoom(payload.size())) {
      dropped_.insert(window_.oldest_held());
      window_.DropOldest();
    }
    ASSERT_EQ(window_.Push(payload), ++pushed_);
  }

  void Send() {
    for (const SendWindow::Item* item = window_.NextToSend(); item != nullptr; item = window_.NextToSend()) {
      to_daemon_.push_back({{"detector", 10, item->sequence, window_.oldest_held(), ""}, item->payload});
      window_.Sent();
    }
  }

  void SayHello() {
    last_hello_ = now_;
    to_daemon_.push_back({{"detector", 10, 0, window_.oldest_held(), window_.store_id()}, ""});
  }

  void Deliver() {
    if (to_daemon_.empty() || Fault(to_daemon_)) {
      return;
    }
    const auto [header, payload] = to_daemon_.front();
    if (!Chance(faults_.repeat, 100)) {
      to_daemon_.pop_front();
    }
    Answer(daemon_.OnMessage(header, payload, now_));
  }

  void Answer(const std::optional<Acknowledgement>& reply) {
    if (reply) {
      to_publisher_.push_back(*reply);
    }
  }

  void Hear() {
    if (to_publisher_.empty() || Fault(to_publisher_)) {
      return;
    }
    window_.OnReply(to_publisher_.front(), now_);
    to_publisher_.pop_front();
  }

  // True when the front packet was lost.
  template <class Queue>
  bool Fault(Queue& queue) {
    if (queue.size() > 1 && Chance(faults_.swap, 100)) {
      std::swap(queue[0], queue[1]);
    }
    const bool lost = Chance(faults_.lose, 100);
    if (lost) {
      queue.pop_front();
    }
    return lost;
  }

  // What was under way is gone; replies may already lie in the publisher's buffer.
  void Break() {
    to_daemon_.clear();
    if (Chance(1, 2)) {
      to_publisher_.clear();
    }
  }

  std::mt19937 random_;
  Faults faults_;
  SendWindow window_;
  Daemon daemon_;
  std::deque<std::pair<Header, std::string>> to_daemon_;
  std::deque<Acknowledgement> to_publisher_;
  TimePoint now_ = FromUnixNanos(1'700'000'000'000'000'000);
  TimePoint last_hello_;
  std::uint64_t pushed_ = 0;
  std::set<std::uint64_t> dropped_;
};

void RunMany(const Faults& faults, std::uint32_t seeds) {
  for (std::uint32_t seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(seed);
    Simulation simulation(seed, faults);
    simulation.Run(200);
    simulation.Check();
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
  }
}

TEST(ProtocolTest, ACalmNetworkSendsEverythingOnce) {
  Simulation simulation(1, {});
  simulation.Run(500);
  simulation.Check();
  EXPECT_EQ(simulation.window().resent(), 0U);
  EXPECT_EQ(simulation.window().dropped(), 0U);
}

TEST(ProtocolTest, EverySequenceIsTakenAtMostOnceWhateverIsLostDoubledOrSwapped) {
  RunMany({.lose = 10, .repeat = 10, .swap = 10}, 200);
}

TEST(ProtocolTest, EverythingArrivesOverConnectionsThatBreak) {
  RunMany({.break_off = 30}, 200);
}

TEST(ProtocolTest, EverythingArrivesOverConnectionsThatBreakUnnoticed) {
  RunMany({.break_quietly = 30}, 200);
}

TEST(ProtocolTest, ADaemonThatCrashesTakesAgainWhatItHadNotStored) {
  RunMany({.break_off = 5, .crash = 30}, 200);
}

TEST(ProtocolTest, WhatTheOwnerDropsIsLostAndNothingElse) {
  RunMany({.lose = 20, .repeat = 5, .break_off = 10, .window_bytes = 20}, 200);
  RunMany({.break_quietly = 50, .window_bytes = 6}, 200);
}

TEST(ProtocolTest, AllOfItAtOnce) {
  RunMany({.lose = 5,
           .repeat = 5,
           .swap = 5,
           .break_off = 5,
           .break_quietly = 5,
           .crash = 10,
           .window_bytes = 80},
          500);
}

}  // namespace
}  // namespace detwatch::delivery
