#include "lib/accumulate/ring.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

std::vector<RingRecord> Frame(Ordinal ordinal, std::size_t n) {
  std::vector<RingRecord> out;
  for (std::size_t i = 0; i < n; ++i) {
    DetectionOutcome outcome;
    outcome.score = 1.0F - static_cast<float>(i) / 1000.0F;
    outcome.index = static_cast<std::uint32_t>(i);
    out.push_back(RingRecord::From(outcome, ordinal));
  }
  return out;
}

std::vector<Ordinal> Ordinals(const Ring& ring, Ordinal first = 0) {
  std::vector<RingRecord> records;
  ring.CopyFrom(first, records);
  std::vector<Ordinal> out;
  for (const RingRecord& record : records) {
    out.push_back(record.ordinal());
  }
  return out;
}

TEST(RingTest, ARecordKeepsWhatAnOutcomeSays) {
  DetectionOutcome outcome;
  outcome.score = 0.25F;
  outcome.index = 70'000;
  outcome.true_positive = {1, 2, 3, 4};
  outcome.ignored = {5, 6, 7, 8};
  const Ordinal ordinal = (Ordinal{1} << 48) - 2;
  const RingRecord record = RingRecord::From(outcome, ordinal);
  EXPECT_EQ(record.score, 0.25F);
  EXPECT_EQ(record.index, 65'535);
  EXPECT_EQ(record.ordinal(), ordinal);
  EXPECT_EQ(record.true_positive, outcome.true_positive);
  EXPECT_EQ(record.ignored, outcome.ignored);
}

TEST(RingTest, TheOldestLeaveFirst) {
  Ring ring(5);
  ring.Append(Frame(1, 2));
  ring.Append(Frame(2, 2));
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{1, 1, 2, 2}));
  EXPECT_TRUE(ring.Covers(0));
  ring.Append(Frame(3, 2));
  // One record too many; its frame leaves as a whole and is no longer covered.
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{2, 2, 3, 3}));
  EXPECT_FALSE(ring.Covers(1));
  EXPECT_TRUE(ring.Covers(2));
}

TEST(RingTest, AFrameLargerThanTheRingIsEvictedItself) {
  Ring ring(5);
  ring.Append(Frame(1, 1));
  ring.Append(Frame(2, 6));
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_FALSE(ring.Covers(2));
  EXPECT_TRUE(ring.Covers(3));
  ring.Append(Frame(3, 5));
  EXPECT_EQ(ring.size(), 5U);
  EXPECT_TRUE(ring.Covers(3));
}

TEST(RingTest, TheRestOfAFrameThatWasEvictedInPartIsNotTaken) {
  Ring ring(4);
  ring.Append(Frame(1, 3));
  ring.Append(Frame(1, 2));  // evicts frame 1, of which this is more
  EXPECT_EQ(ring.size(), 0U);
  ring.Append(Frame(1, 1));
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_FALSE(ring.Covers(1));
}

TEST(RingTest, ARingWithoutRoomHoldsNothingAndCoversTheFutureOnly) {
  Ring ring(0);
  ring.Append(Frame(4, 1));
  EXPECT_EQ(ring.size(), 0U);
  EXPECT_FALSE(ring.Covers(4));
  EXPECT_TRUE(ring.Covers(5));
}

TEST(RingTest, MarkEvictedCoversOnlyWhatComesAfter) {
  Ring ring(100);
  ring.Append(Frame(1, 2));
  ring.Append(Frame(2, 2));
  ring.Append(Frame(3, 2));
  ring.MarkEvicted(2);
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{3, 3}));
  EXPECT_FALSE(ring.Covers(2));
  EXPECT_TRUE(ring.Covers(3));
  ring.MarkEvicted(1);  // nothing comes back
  EXPECT_FALSE(ring.Covers(2));
}

TEST(RingTest, RemoveTakesOutOneFrame) {
  Ring ring(100);
  for (Ordinal ordinal = 1; ordinal <= 4; ++ordinal) {
    ring.Append(Frame(ordinal, 2));
  }
  ring.Remove(2);
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{1, 1, 3, 3, 4, 4}));
  EXPECT_TRUE(ring.Covers(1));  // a removed frame is not a missing one
  ring.Remove(2);
  ring.Remove(99);
  EXPECT_EQ(ring.size(), 6U);
}

TEST(RingTest, RemoveOfAnEvictedFrameDoesNothing) {
  Ring ring(4);
  for (Ordinal ordinal = 1; ordinal <= 4; ++ordinal) {
    ring.Append(Frame(ordinal, 2));
  }
  ring.Remove(1);
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{3, 3, 4, 4}));
}

TEST(RingTest, InsertPutsACorrectedFrameBackInItsPlace) {
  Ring ring(100);
  ring.Append(Frame(1, 1));
  ring.Append(Frame(2, 1));
  ring.Append(Frame(3, 1));
  ring.Remove(2);
  ring.Insert(Frame(2, 3));
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{1, 2, 2, 2, 3}));
  ring.Insert(Frame(9, 1));  // also past the end
  EXPECT_EQ(Ordinals(ring).back(), 9U);
  ring.Insert({});
  EXPECT_EQ(ring.size(), 6U);
}

TEST(RingTest, InsertBelowWhatWasEvictedIsIgnored) {
  Ring ring(4);
  for (Ordinal ordinal = 1; ordinal <= 4; ++ordinal) {
    ring.Append(Frame(ordinal, 2));
  }
  ring.Insert(Frame(2, 1));
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{3, 3, 4, 4}));
}

TEST(RingTest, InsertIntoAFullRingEvictsTheOldest) {
  Ring ring(4);
  ring.Append(Frame(1, 2));
  ring.Append(Frame(3, 2));
  ring.Insert(Frame(2, 1));
  EXPECT_EQ(Ordinals(ring), (std::vector<Ordinal>{2, 3, 3}));
  EXPECT_FALSE(ring.Covers(1));
}

TEST(RingTest, CopyFromStartsAtAnOrdinalAndClearsFirst) {
  Ring ring(100);
  ring.Append(Frame(1, 2));
  ring.Append(Frame(5, 2));
  std::vector<RingRecord> out = Frame(7, 3);
  ring.CopyFrom(2, out);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].ordinal(), 5U);
  EXPECT_EQ(out[0], Frame(5, 2)[0]);
}

// A list that remembers everything, and which frames lost a record.
struct Model {
  std::size_t capacity;
  std::vector<RingRecord> records;
  Ordinal lost_below = 0;

  void Trim() {
    while (records.size() > capacity) {
      lost_below = records.front().ordinal() + 1;
      DropLost();
    }
  }
  void DropLost() {
    std::erase_if(records, [&](const RingRecord& r) { return r.ordinal() < lost_below; });
  }
};

TEST(RingTest, CoversExactlyWhatWasNotEvicted) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    const std::size_t capacity = 1 + random.Below(200);
    Ring ring(capacity);
    Model model{capacity, {}, 0};
    Ordinal next = 1;
    for (int step = 0; step < 400; ++step) {
      const Ordinal some = random.Below(next + 1);
      switch (random.Below(10)) {
        case 0:
          ring.Remove(some);
          std::erase_if(model.records, [&](const RingRecord& r) { return r.ordinal() == some; });
          break;
        case 1: {
          const auto frame = Frame(some, random.Below(6));
          ring.Insert(frame);
          if (some >= model.lost_below) {
            model.records.insert(model.records.end(), frame.begin(), frame.end());
            std::stable_sort(model.records.begin(), model.records.end(),
                             [](const auto& a, const auto& b) { return a.ordinal() < b.ordinal(); });
            model.Trim();
          }
          break;
        }
        case 2:
          if (random.Chance(0.1)) {
            ring.MarkEvicted(some);
            model.lost_below = std::max(model.lost_below, some + 1);
            model.DropLost();
          }
          break;
        default: {
          // Several frames at once, as a cut brings them; sometimes more than fits.
          std::vector<RingRecord> batch;
          for (std::uint64_t frames = random.Below(6); frames > 0; --frames) {
            next += random.Below(3);
            const auto frame = Frame(next, random.Below(random.Chance(0.02) ? 300 : 9));
            batch.insert(batch.end(), frame.begin(), frame.end());
            ++next;
          }
          ring.Append(batch);
          model.records.insert(model.records.end(), batch.begin(), batch.end());
          model.DropLost();
          model.Trim();
        }
      }
      std::vector<RingRecord> out;
      ring.CopyFrom(0, out);
      ASSERT_EQ(out, model.records) << "seed " << seed << " step " << step;
      ASSERT_LE(ring.size(), capacity);
      ASSERT_TRUE(ring.Covers(model.lost_below));
      ASSERT_FALSE(model.lost_below > 0 && ring.Covers(model.lost_below - 1));
    }
  }
}

TEST(RingTest, MemoryStaysWithinAnEighthOfTheCapacity) {
  Ring ring(4096);
  for (Ordinal ordinal = 1; ordinal < 20'000; ++ordinal) {
    ring.Append(Frame(ordinal, 7));
    ASSERT_LE(ring.bytes(), (4096 + 4096 / 8) * sizeof(RingRecord));
  }
  EXPECT_GT(ring.size(), 4080U);
}

TEST(RingTest, AnUnlimitedRingForgetsNothing) {
  Ring ring(Ring::kUnlimited);
  for (Ordinal ordinal = 1; ordinal <= 5000; ++ordinal) {
    ring.Append(Frame(ordinal, 3));
  }
  EXPECT_EQ(ring.size(), 15'000U);
  EXPECT_TRUE(ring.Covers(0));
  EXPECT_EQ(Ordinals(ring, 4999).size(), 6U);
}

}  // namespace
}  // namespace detwatch::accumulate
