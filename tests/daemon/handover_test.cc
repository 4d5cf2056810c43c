#include "daemon/serve/handover.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "daemon/serve/log.h"

namespace detwatch::serve {
namespace {

std::unique_ptr<pipeline::Cut> MakeCut(std::uint64_t number, bool last = false) {
  auto cut = std::make_unique<pipeline::Cut>();
  cut->number = number;
  cut->last = last;
  cut->counters.judged_frames = 1;
  return cut;
}

bool Woken(const Handover& handover) {
  pollfd fd{handover.wake_fd(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 1;
}

TEST(HandoverTest, ThereIsRoomForOneCut) {
  Handover handover;
  EXPECT_TRUE(handover.HasRoom());
  handover.Offer(MakeCut(1), false);
  EXPECT_FALSE(handover.HasRoom());
  EXPECT_EQ(handover.Wait()->number, 1U);
  EXPECT_TRUE(handover.HasRoom());
}

TEST(HandoverTest, WhatIngestHasToReactToWakesIt) {
  Handover handover;
  EXPECT_FALSE(Woken(handover));
  handover.Post({});
  EXPECT_TRUE(Woken(handover));
  handover.ClearWake();
  EXPECT_FALSE(Woken(handover));
  EXPECT_EQ(handover.TakeDurable().size(), 1U);
  EXPECT_TRUE(handover.TakeDurable().empty());
  handover.Reload(config::Config());
  EXPECT_TRUE(Woken(handover));
  EXPECT_TRUE(handover.TakeReload().has_value());
  EXPECT_FALSE(handover.StopAsked());
  handover.AskStop();
  EXPECT_TRUE(handover.StopAsked());
}

TEST(HandoverTest, AfterTheLastCutTheStateIsTold) {
  Handover handover;
  handover.Offer(MakeCut(1, true), true);
  EXPECT_NE(handover.Wait(), nullptr);
  EXPECT_EQ(handover.Wait(), nullptr);
}

TEST(HandoverTest, NobodyWaitsForAThreadThatDied) {
  Handover handover;
  handover.Offer(MakeCut(1), false);
  std::thread other([&] { handover.Abandon(); });
  handover.Offer(MakeCut(2), true);  // there is no room, and nobody will make any
  handover.WaitUntilDrained();
  other.join();
  EXPECT_EQ(handover.Wait(), nullptr);
}

TEST(RateLimitTest, LetsABurstPassAndCountsTheRest) {
  log::RateLimit limit(3, std::chrono::seconds(10));
  const std::chrono::steady_clock::time_point start(std::chrono::seconds(3));
  int passed = 0;
  for (int i = 0; i < 10; ++i) {
    passed += limit.Pass(start) ? 1 : 0;
  }
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(limit.TakeHeldBack(), 7U);
  EXPECT_EQ(limit.TakeHeldBack(), 0U);
  EXPECT_TRUE(limit.Pass(start + std::chrono::seconds(10)));
}

}  // namespace
}  // namespace detwatch::serve
