#include "lib/join/seen.h"

#include <gtest/gtest.h>

namespace detwatch::join {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

TEST(SeenTest, TellsTheContentOfAKey) {
  Seen seen(hours(1), 1000);
  EXPECT_FALSE(seen.Find(5).has_value());
  seen.Insert(5, 77, kStart);
  EXPECT_EQ(seen.Find(5), 77U);
  seen.Insert(5, 78, kStart);
  EXPECT_EQ(seen.Find(5), 78U);
  EXPECT_EQ(seen.size(), 1U);
}

TEST(SeenTest, KeyZeroIsAKeyLikeAnyOther) {
  Seen seen(hours(1), 1000);
  EXPECT_FALSE(seen.Find(0).has_value());
  seen.Insert(0, 3, kStart);
  EXPECT_EQ(seen.Find(0), 3U);
}

TEST(SeenTest, RemembersForTheHorizon) {
  Seen seen(hours(1), 1'000'000);
  for (std::uint64_t minute = 0; minute < 600; ++minute) {
    seen.Insert(minute, minute, kStart + minutes(minute));
    for (std::uint64_t back = 0; back <= 59 && back <= minute; ++back) {
      ASSERT_EQ(seen.Find(minute - back), minute - back);
    }
  }
  EXPECT_FALSE(seen.Find(100).has_value());
}

TEST(SeenTest, MemoryIsBoundedByTheLimit) {
  Seen seen(hours(1000), 10'000);
  for (std::uint64_t key = 0; key < 200'000; ++key) {
    seen.Insert(key, 0, kStart);
    ASSERT_LE(seen.size(), 20'000U);
  }
  for (std::uint64_t key = 190'000; key < 200'000; ++key) {
    EXPECT_TRUE(seen.Find(key).has_value());
  }
  EXPECT_LE(seen.bytes(), 2U * 16'384 * 16);
}

}  // namespace
}  // namespace detwatch::join
