// The laws of the window, and what takes a loop to show. Everything else is in scenarios/.
#include "lib/delivery/window.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace detwatch::delivery {
namespace {

constexpr TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);
constexpr std::uint64_t kCredit = 1000;

Acknowledgement Reply(std::uint64_t received, std::uint64_t durable) {
  return {"store", "boot", received, durable, kCredit, 0};
}

// Ten bytes each.
void PushAndSend(SendWindow& window, int count) {
  for (int i = 0; i < count; ++i) {
    (void)window.Push("0123456789");
    while (window.NextToSend() != nullptr) {
      window.Sent();
    }
  }
}

// What goes out now, by sequence.
std::vector<std::uint64_t> Drain(SendWindow& window) {
  std::vector<std::uint64_t> sent;
  while (const SendWindow::Item* item = window.NextToSend()) {
    sent.push_back(item->sequence);
    window.Sent();
  }
  return sent;
}

using Sequence = std::vector<std::uint64_t>;

TEST(SendWindowTest, RoomIsCountedInBytesAndTheFirstItemAlwaysFits) {
  SendWindow window(25);
  EXPECT_TRUE(window.HasRoom(1000));
  (void)window.Push(std::string(20, 'x'));
  EXPECT_TRUE(window.HasRoom(5));
  EXPECT_FALSE(window.HasRoom(6));
  EXPECT_FALSE(window.HasRoom(~std::size_t{0}));
  EXPECT_EQ(window.bytes(), 20U);
  window.DropOldest();
  EXPECT_TRUE(window.HasRoom(1000));
  EXPECT_EQ(window.bytes(), 0U);
}

TEST(SendWindowTest, NothingUnacknowledgedIsForgotten) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  window.OnReply(Reply(5, 0), kStart);
  EXPECT_EQ(window.items(), 5U) << "received is not durable";
  window.OnReply(Reply(5, 3), kStart);
  EXPECT_EQ(window.items(), 2U);
  EXPECT_EQ(window.oldest_held(), 4U);
  window.OnReply(Reply(5, 5), kStart);
  EXPECT_TRUE(window.empty());
  EXPECT_EQ(window.oldest_held(), 6U);
  EXPECT_EQ(window.dropped(), 0U);
}

TEST(SendWindowTest, DroppedIsWhatOldestHeldSays) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  window.OnReply(Reply(2, 2), kStart);
  window.DropOldest();
  window.DropOldest();
  EXPECT_EQ(window.oldest_held(), 5U);
  EXPECT_EQ(window.dropped(), 2U);
  EXPECT_EQ(window.items(), 1U);
}

TEST(SendWindowTest, ALostTailIsRepairedByRepliesAlone) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  window.OnReply(Reply(1, 1), kStart);
  window.OnReply(Reply(1, 1), kStart + std::chrono::seconds(5));
  EXPECT_TRUE(Drain(window).empty());
  window.OnReply(Reply(1, 1), kStart + SendWindow::kStall);
  EXPECT_EQ(Drain(window), (Sequence{2, 3}));
}

TEST(SendWindowTest, RepairsThatBringNothingComeMoreAndMoreRarely) {
  SendWindow window(1000);
  PushAndSend(window, 1);
  std::vector<int> repaired_at;
  for (int second = 0; second < 100; ++second) {
    window.OnReply(Reply(0, 0), kStart + std::chrono::seconds(second));
    if (!Drain(window).empty()) {
      repaired_at.push_back(second);
    }
  }
  // The wait begins anew with the first reply after a repair: 10, 1 + 20, 1 + 40 seconds.
  EXPECT_EQ(repaired_at, (std::vector<int>{10, 31, 72}));
}

TEST(SendWindowTest, ProgressIsNoStallHoweverSlow) {
  SendWindow window(1000);
  PushAndSend(window, 30);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    window.OnReply(Reply(i, 0), kStart + std::chrono::seconds(9 * i));
  }
  EXPECT_EQ(window.resent(), 0U);
  EXPECT_TRUE(Drain(window).empty());
}

}  // namespace
}  // namespace detwatch::delivery
