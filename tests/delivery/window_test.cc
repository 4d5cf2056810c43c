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

TEST(SendWindowTest, SequencesBeginAtOneAndHaveNoHoles) {
  SendWindow window(100);
  EXPECT_EQ(window.last_sequence(), 0U);
  EXPECT_EQ(window.oldest_held(), 1U);
  EXPECT_EQ(window.Push("a"), 1U);
  EXPECT_EQ(window.Push("b"), 2U);
  EXPECT_EQ(window.last_sequence(), 2U);
  EXPECT_EQ(Drain(window), (Sequence{1, 2}));
  EXPECT_EQ(window.resent(), 0U);
}

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

TEST(SendWindowTest, AReconnectionSendsWhatIsNotKnownAsReceived) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  window.OnReply(Reply(3, 1), kStart);
  EXPECT_TRUE(Drain(window).empty());
  window.Reconnected();
  EXPECT_EQ(Drain(window), (Sequence{4, 5}));
  EXPECT_EQ(window.resent(), 2U);
}

// With nothing new to send there is no gap that would show it: the window once kept 2 and 3 for ever.
TEST(SendWindowTest, ADaemonThatForgotThePublisherIsSentWhatItHadReceived) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  window.OnReply(Reply(3, 1), kStart);
  window.OnReply(Reply(1, 0), kStart);
  EXPECT_TRUE(Drain(window).empty()) << "it may be an old reply";
  window.Reconnected();
  EXPECT_EQ(Drain(window), (Sequence{2, 3}));
}

TEST(SendWindowTest, ANewBootSendsEverythingBeyondDurable) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  window.OnReply(Reply(4, 1), kStart);
  Acknowledgement other = Reply(2, 2);
  other.boot_id = "another boot";
  window.OnReply(other, kStart);
  EXPECT_EQ(Drain(window), (Sequence{3, 4, 5}));
}

TEST(SendWindowTest, ANewStoreUnderTheSameBootIdIsNewStateToo) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  window.OnReply(Reply(3, 0), kStart);
  Acknowledgement other = Reply(0, 0);
  other.store_id = "another store";
  window.OnReply(other, kStart);
  EXPECT_EQ(window.store_id(), "another store");
  EXPECT_EQ(Drain(window), (Sequence{1, 2, 3}));
}

TEST(SendWindowTest, TheFirstReplyOfAllRepeatsNothing) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  window.OnReply(Reply(0, 0), kStart);
  EXPECT_TRUE(Drain(window).empty());
}

TEST(SendWindowTest, ExpectedRewindsOnceHoweverOftenItEchoes) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  Acknowledgement gap = Reply(1, 0);
  gap.expected = 2;
  window.OnReply(gap, kStart);
  EXPECT_EQ(Drain(window), (Sequence{2, 3, 4, 5}));
  window.OnReply(gap, kStart + std::chrono::milliseconds(400));
  EXPECT_TRUE(Drain(window).empty()) << "an echo of the same gap";
  window.OnReply(gap, kStart + SendWindow::kAskAgain);
  EXPECT_EQ(Drain(window), (Sequence{2, 3, 4, 5})) << "still missing";
  window.OnReply(gap, kStart + 2 * SendWindow::kAskAgain);
  EXPECT_TRUE(Drain(window).empty()) << "and now it has twice the time";
  window.OnReply(gap, kStart + 3 * SendWindow::kAskAgain);
  EXPECT_EQ(Drain(window), (Sequence{2, 3, 4, 5}));
}

TEST(SendWindowTest, ExpectedGoesBeforeWhatWasThoughtReceived) {
  SendWindow window(1000);
  PushAndSend(window, 5);
  window.OnReply(Reply(4, 0), kStart);
  Acknowledgement gap = Reply(1, 0);
  gap.expected = 2;
  window.OnReply(gap, kStart);
  EXPECT_EQ(Drain(window), (Sequence{2, 3, 4, 5}));
}

TEST(SendWindowTest, ExpectedBelowTheOldestSendsWhatIsLeft) {
  SendWindow window(1000);
  PushAndSend(window, 4);
  window.DropOldest();
  window.DropOldest();
  Acknowledgement gap = Reply(0, 0);
  gap.expected = 1;
  window.OnReply(gap, kStart);
  EXPECT_EQ(window.oldest_held(), 3U);
  EXPECT_EQ(Drain(window), (Sequence{3, 4}));
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

TEST(SendWindowTest, ASlowDiskIsNoReasonToSendAgain) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  for (int second = 0; second < 100; second += 5) {
    window.OnReply(Reply(3, 0), kStart + std::chrono::seconds(second));
  }
  EXPECT_TRUE(Drain(window).empty());
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

TEST(SendWindowTest, CreditBoundsWhatIsUnderWay) {
  SendWindow window(1000);
  for (int i = 0; i < 6; ++i) {
    (void)window.Push("0123456789");
  }
  Acknowledgement reply = Reply(0, 0);
  reply.credit_bytes = 35;
  window.OnReply(reply, kStart);
  EXPECT_EQ(Drain(window), (Sequence{1, 2, 3}));
  reply.durable = reply.received = 2;
  window.OnReply(reply, kStart);
  EXPECT_EQ(Drain(window), (Sequence{4, 5}));
  reply.durable = reply.received = 5;
  reply.credit_bytes = 0;
  window.OnReply(reply, kStart);
  EXPECT_TRUE(Drain(window).empty()) << "0 means wait";
  reply.credit_bytes = 5;
  window.OnReply(reply, kStart);
  EXPECT_EQ(Drain(window), (Sequence{6})) << "one may always go, however large";
}

TEST(SendWindowTest, BeforeTheFirstReplyCreditIsModest) {
  SendWindow window(100U << 20U);
  for (int i = 0; i < 40; ++i) {
    (void)window.Push(std::string(100'000, 'x'));
  }
  EXPECT_EQ(Drain(window).size(), SendWindow::kFirstCredit / 100'000);
}

TEST(SendWindowTest, DroppingWhatIsUnderWayFreesItsCredit) {
  SendWindow window(1000);
  for (int i = 0; i < 4; ++i) {
    (void)window.Push("0123456789");
  }
  Acknowledgement reply = Reply(0, 0);
  reply.credit_bytes = 20;
  window.OnReply(reply, kStart);
  EXPECT_EQ(Drain(window), (Sequence{1, 2}));
  window.DropOldest();
  EXPECT_EQ(Drain(window), (Sequence{3}));
}

TEST(SendWindowTest, ADurableBeyondAllThatWasPushedEmptiesTheWindowAndStopsNothing) {
  SendWindow window(1000);
  PushAndSend(window, 3);
  window.OnReply(Reply(99, 99), kStart);
  EXPECT_TRUE(window.empty());
  EXPECT_EQ(window.Push("next"), 4U);
  EXPECT_EQ(window.bytes(), 4U);
  EXPECT_EQ(Drain(window), (Sequence{4}));
}

}  // namespace
}  // namespace detwatch::delivery
