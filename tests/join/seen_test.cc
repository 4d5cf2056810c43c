#include "lib/join/seen.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

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

// What a store would hold of it: changes by generation, those below the oldest deleted.
class Stored {
 public:
  void Take(Seen& seen) {
    Seen::Changes taken = seen.TakeChanges();
    for (Seen::Change& change : taken.changes) {
      changes_[change.generation].push_back(std::move(change));
    }
    changes_.erase(changes_.begin(), changes_.lower_bound(taken.oldest));
  }
  [[nodiscard]] Seen Again(Duration horizon, std::size_t limit) const {
    Seen seen(horizon, limit);
    for (const auto& [generation, changes] : changes_) {
      for (const Seen::Change& change : changes) {
        EXPECT_TRUE(seen.Restore(change));
      }
    }
    return seen;
  }
  [[nodiscard]] std::size_t generations() const { return changes_.size(); }

 private:
  std::map<std::uint64_t, std::vector<Seen::Change>> changes_;
};

TEST(SeenTest, RestoredItAnswersTheSame) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    const std::size_t limit = seed % 2 == 0 ? 50 : 100'000;
    Seen undisturbed(hours(1), limit);
    Seen restarted(hours(1), limit);
    Stored stored;
    TimePoint now = kStart;
    for (int i = 0; i < 3000; ++i) {
      now += std::chrono::seconds(random() % 50 == 0 ? random() % 9000 : random() % 60);
      const std::uint64_t key = random() % 400;
      const std::uint64_t content = random() % 1000;
      ASSERT_EQ(restarted.Find(key), undisturbed.Find(key)) << "seed " << seed << " step " << i;
      undisturbed.Insert(key, content, now);
      restarted.Insert(key, content, now);
      ASSERT_EQ(restarted.size(), undisturbed.size());
      if (random() % 10 == 0) {
        stored.Take(restarted);
        EXPECT_LE(stored.generations(), 2U);
        if (random() % 3 == 0) {
          restarted = stored.Again(hours(1), limit);
        }
      }
    }
  }
}

TEST(SeenTest, GenerationsThatWereDroppedAreNamed) {
  Seen seen(hours(1), 1000);
  seen.Insert(1, 1, kStart);
  const Seen::Changes first = seen.TakeChanges();
  ASSERT_EQ(first.changes.size(), 1U);
  EXPECT_EQ(first.oldest, first.changes[0].generation);
  seen.Insert(2, 1, kStart + hours(1));  // the first one is the older of two now
  const Seen::Changes second = seen.TakeChanges();
  ASSERT_EQ(second.changes.size(), 1U);
  EXPECT_EQ(second.changes[0].generation, first.changes[0].generation + 1);
  EXPECT_EQ(second.oldest, first.oldest);
  seen.Insert(3, 1, kStart + hours(2));
  EXPECT_EQ(seen.TakeChanges().oldest, first.oldest + 1);
  seen.Insert(4, 1, kStart + hours(9));  // both are too old at once
  EXPECT_EQ(seen.TakeChanges().oldest, first.oldest + 3);
}

TEST(SeenTest, WhatWasTakenIsNotTakenAgain) {
  Seen seen(hours(1), 1000);
  seen.Insert(1, 1, kStart);
  EXPECT_EQ(seen.TakeChanges().changes.size(), 1U);
  EXPECT_TRUE(seen.TakeChanges().changes.empty());
}

TEST(SeenTest, ChangesThatAreCutShortOrOutOfOrderAreRefused) {
  Seen seen(hours(1), 1000);
  seen.Insert(1, 1, kStart);
  Seen::Change change = seen.TakeChanges().changes.at(0);
  change.generation = 5;
  Seen other(hours(1), 1000);
  EXPECT_TRUE(other.Restore(change));
  change.generation = 4;
  EXPECT_FALSE(other.Restore(change));
  change.generation = 5;
  change.bytes.pop_back();
  EXPECT_FALSE(other.Restore(change));
  change.bytes.clear();
  EXPECT_FALSE(other.Restore(change));
}

}  // namespace
}  // namespace detwatch::join
