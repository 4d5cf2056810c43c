#include "lib/window/clock.h"

#include <gtest/gtest.h>

#include <algorithm>
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

TEST(ClockTest, GoesSlowlyUntilAWallThatIsALittleBehindHasCaughtUp) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  TimePoint last = kStart;
  for (int i = 1; i <= 40; ++i) {
    const TimePoint now = clock.Now(kStart - seconds(20) + seconds(i), seconds(i));
    EXPECT_GT(now, last);
    EXPECT_EQ(now, std::max(kStart + Duration(seconds(i)) / 2, kStart - seconds(20) + seconds(i)));
    last = now;
  }
  EXPECT_EQ(last, kStart + seconds(20));
  EXPECT_EQ(clock.set_backs(), 0U);
  EXPECT_EQ(clock.wall_ahead(), Duration{0});
}

TEST(ClockTest, SetBackItGoesOnAtTheMonotonicPace) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  for (int i = 1; i <= 7000; ++i) {
    ASSERT_EQ(clock.Now(kStart - hours(1) + seconds(i), seconds(i)), kStart + seconds(i));
    ASSERT_TRUE(clock.set_back());
    ASSERT_EQ(clock.wall_ahead(), -hours(1));
  }
  EXPECT_EQ(clock.set_backs(), 1U);
  // Somebody puts it right.
  EXPECT_EQ(clock.Now(kStart + seconds(7001), seconds(7001)), kStart + seconds(7001));
  EXPECT_FALSE(clock.set_back());
  EXPECT_EQ(clock.Now(kStart + seconds(7002), seconds(7002)), kStart + seconds(7002));
  EXPECT_EQ(clock.set_backs(), 1U);
}

TEST(ClockTest, AStartGoesOnFromTheStoredTimeWhenTheWallIsBehindIt) {
  Clock clock(kStart);
  EXPECT_EQ(clock.Now(kStart - hours(1), seconds(50)), kStart);
  EXPECT_EQ(clock.set_backs(), 1U);
  EXPECT_EQ(clock.Now(kStart - hours(1) + seconds(9), seconds(59)), kStart + seconds(9));
  Clock near(kStart);
  EXPECT_EQ(near.Now(kStart - seconds(10), seconds(50)), kStart);
  EXPECT_EQ(near.Now(kStart - seconds(8), seconds(52)), kStart + seconds(1));
  EXPECT_EQ(near.set_backs(), 0U);
}

// 59 s ahead of the wall, the steady pace would keep it 59 s ahead for ever.
TEST(ClockTest, CaughtUpToWithinTheToleranceItLetsTheWallCatchUp) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  (void)clock.Now(kStart - hours(1), seconds(1));
  ASSERT_TRUE(clock.set_back());
  const TimePoint ahead = clock.Now(kStart + seconds(2) - seconds(59), seconds(2));  // put right, not quite
  EXPECT_FALSE(clock.set_back());
  TimePoint last = ahead;
  for (int i = 3; i <= 130; ++i) {
    last = clock.Now(kStart + seconds(i) - seconds(59), seconds(i));
  }
  EXPECT_EQ(last, kStart + seconds(130) - seconds(59));
  EXPECT_EQ(clock.set_backs(), 1U);
}

TEST(ClockTest, EverySetBackIsCountedAlsoWhileItIsBehind) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  (void)clock.Now(kStart - hours(1), seconds(1));
  (void)clock.Now(kStart - hours(1) + seconds(1), seconds(2));
  EXPECT_EQ(clock.set_backs(), 1U);
  (void)clock.Now(kStart - hours(2), seconds(3));
  EXPECT_EQ(clock.set_backs(), 2U);
  (void)clock.Now(kStart - hours(2) - seconds(30), seconds(4));  // a little more is no new event
  EXPECT_EQ(clock.set_backs(), 2U);
  (void)clock.Now(kStart - hours(1), seconds(5));  // half of it is put right
  EXPECT_EQ(clock.set_backs(), 2U);
  EXPECT_EQ(clock.Now(kStart - hours(2), seconds(6)), kStart + seconds(6));  // and is wrong again
  EXPECT_EQ(clock.set_backs(), 3U);
}

// Several small steps are one large one.
TEST(ClockTest, SmallStepsBackAddUp) {
  Clock clock;
  (void)clock.Now(kStart, seconds(0));
  (void)clock.Now(kStart - seconds(50), seconds(1));
  EXPECT_EQ(clock.set_backs(), 0U);
  (void)clock.Now(kStart - seconds(99), seconds(2));
  EXPECT_EQ(clock.set_backs(), 1U);
}

TEST(ClockTest, TimeNeverStandsStill) {
  std::mt19937 random(4);
  Clock clock;
  TimePoint last = clock.Now(kStart, seconds(0));
  seconds offset{0};
  for (int i = 1; i < 20000; ++i) {
    if (random() % 50 == 0) {
      offset += seconds(static_cast<int>(random() % 600) - 300);
    }
    const TimePoint now = clock.Now(kStart + seconds(i) + offset, seconds(i));
    ASSERT_GE(now - last, std::chrono::milliseconds(500));
    last = now;
  }
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
