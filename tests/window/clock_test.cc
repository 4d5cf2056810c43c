#include "lib/window/clock.h"

#include <gtest/gtest.h>

#include <random>

namespace detwatch::window {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

TEST(ClockTest, FollowsTheWall) {
  Clock clock;
  EXPECT_EQ(clock.Now(kStart, seconds(5)), kStart);
  EXPECT_EQ(clock.Now(kStart + seconds(1), seconds(6)), kStart + seconds(1));
  EXPECT_EQ(clock.Now(kStart + seconds(61), seconds(6)), kStart + seconds(61));  // within the tolerance
  EXPECT_EQ(clock.holds(), 0U);
}

TEST(ClockTest, StandsStillWhileTheWallIsBehind) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  EXPECT_EQ(clock.Now(kStart - hours(1), seconds(1)), kStart);
  EXPECT_EQ(clock.Now(kStart + seconds(2), seconds(3602)), kStart + seconds(2));
}

TEST(ClockTest, AJumpForwardIsHeld) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  EXPECT_EQ(clock.Now(kStart + hours(24), seconds(1)), kStart + seconds(1));
  EXPECT_EQ(clock.Now(kStart + hours(24), seconds(2)), kStart + seconds(2));
  EXPECT_TRUE(clock.holding());
  EXPECT_EQ(clock.holds(), 1U);
  EXPECT_EQ(clock.Now(kStart + seconds(3), seconds(3)), kStart + seconds(3));  // set back
  EXPECT_FALSE(clock.holding());
}

TEST(ClockTest, AJumpThatStaysIsBelievedAfterTheDaemonsPatience) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  for (int i = 1; i <= 600; ++i) {
    EXPECT_EQ(clock.Now(kStart + hours(2) + seconds(i), seconds(i)), kStart + seconds(i));
  }
  EXPECT_EQ(clock.Now(kStart + hours(2) + seconds(601), seconds(601)), kStart + hours(2) + seconds(601));
  EXPECT_EQ(clock.holds(), 1U);
}

TEST(ClockTest, TimeNeverFalls) {
  std::mt19937 random(3);
  Clock clock;
  TimePoint last = clock.Now(kStart, seconds(0));
  for (int i = 1; i < 10000; ++i) {
    const auto offset = seconds(static_cast<int>(random() % 20000) - 10000);
    const TimePoint now = clock.Now(kStart + seconds(i) + offset, seconds(i));
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace detwatch::window
