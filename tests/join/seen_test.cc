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

TEST(SeenTest, WhatIsPutBackIsAsIfItHadNotBeenInserted) {
  const TimePoint start = FromUnixNanos(1'700'000'000'000'000'000);
  Seen seen(std::chrono::hours(1), 100);
  seen.Insert(1, 10, start);
  (void)seen.TakeChanges();
  seen.Insert(1, 11, start);
  seen.Insert(2, 20, start);
  Seen::Changes taken = seen.TakeChanges();
  seen.PutBack(1, 11, 10, start);
  seen.PutBack(2, 20, std::nullopt, start);
  EXPECT_EQ(seen.Find(1), 10U);
  EXPECT_EQ(seen.Find(2), std::nullopt);
  // Not where something else came since.
  seen.Insert(3, 30, start);
  seen.Insert(3, 31, start);
  seen.PutBack(3, 30, std::nullopt, start);
  EXPECT_EQ(seen.Find(3), 31U);
  // In what a checkpoint writes, so that a restart finds it so.
  Seen::PutBack(taken, 1, 10);
  Seen::PutBack(taken, 2, std::nullopt);
  Seen restored(std::chrono::hours(1), 100);
  for (const Seen::Change& change : taken.changes) {
    ASSERT_TRUE(restored.Restore(change));
  }
  EXPECT_EQ(restored.Find(1), 10U);
  EXPECT_EQ(restored.Find(2), std::nullopt);
  // Also by a checkpoint in which nothing was inserted.
  taken = seen.TakeChanges();
  taken.changes.clear();
  Seen::PutBack(taken, 1, 12);
  ASSERT_EQ(taken.changes.size(), 1U);
  ASSERT_TRUE(restored.Restore(taken.changes.front()));
  EXPECT_EQ(restored.Find(1), 12U);
}

TEST(SeenTest, NothingSinceCompleteSinceIsForgotten) {
  const TimePoint start = FromUnixNanos(1'700'000'000'000'000'000);
  std::mt19937 random(5);
  Seen seen(std::chrono::seconds(100), 50);
  EXPECT_LE(seen.complete_since(), start) << "nothing was forgotten yet";
  std::vector<std::pair<TimePoint, std::uint64_t>> inserted;
  TimePoint now = start;
  for (std::uint64_t key = 1; key < 3000; ++key) {
    now += std::chrono::seconds(random() % (random() % 50 == 0 ? 400 : 6));
    seen.Insert(key, key, now);
    inserted.emplace_back(now, key);
    ASSERT_LE(seen.complete_since(), now);
    for (const auto& [at, known] : inserted) {
      if (at >= seen.complete_since()) {
        ASSERT_EQ(seen.Find(known), known) << "inserted at " << ToUnixNanos(at - start.time_since_epoch());
      }
    }
    if (inserted.size() > 300) {
      inserted.erase(inserted.begin(), inserted.begin() + 100);
    }
  }
  EXPECT_GT(seen.complete_since(), start);
}

}  // namespace
}  // namespace detwatch::join
