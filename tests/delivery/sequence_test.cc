#include "lib/delivery/sequence.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace detwatch::delivery {
namespace {

using Kind = Verdict::Kind;
using std::chrono::milliseconds;

constexpr TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

// A run that began a minute ago; epochs like 10 began long before any idle time.
const auto kYoung = static_cast<std::uint64_t>(ToUnixNanos(kStart - std::chrono::minutes(1)));

Header Message(std::uint64_t sequence, std::uint64_t oldest_held = 1, std::uint64_t epoch = 10) {
  return {"detector", epoch, sequence, oldest_held, ""};
}

Header Hello(std::uint64_t oldest_held, std::string store_id, std::uint64_t epoch = 10) {
  return {"detector", epoch, 0, oldest_held, std::move(store_id)};
}

class SequencesTest : public ::testing::Test {
 protected:
  Verdict Reliable(const Header& header, Duration later = {}) {
    return sequences_.OnHeader(header, Transport::kReliable, kStart + later);
  }
  Verdict Subscribe(const Header& header) {
    return sequences_.OnHeader(header, Transport::kSubscribe, kStart);
  }
  [[nodiscard]] std::uint64_t Received(Transport transport = Transport::kReliable) const {
    const PublisherState* state = sequences_.Find("detector", transport);
    return state == nullptr ? ~std::uint64_t{0} : state->received;
  }

  Sequences sequences_{100, "store", std::chrono::hours(1)};
};

TEST_F(SequencesTest, AReadableHeaderAlwaysAdvances) {
  for (std::uint64_t s = 1; s <= 5; ++s) {
    EXPECT_EQ(Reliable(Message(s)).kind, Kind::kTake);
    EXPECT_EQ(Received(), s);
  }
}

// Whatever order messages come in, however often, and whatever the publisher says that it still holds.
TEST(SequencesLawTest, EverySequenceIsTakenAtMostOnce) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const Transport transport = seed % 2 == 0 ? Transport::kReliable : Transport::kSubscribe;
    Sequences sequences(10, "store");
    std::map<std::pair<std::uint64_t, std::uint64_t>, int> taken;  // by epoch and sequence
    std::uint64_t epoch = 10;
    std::uint64_t newest = 1;
    std::size_t duplicates = 0;
    for (int step = 0; step < 2000; ++step) {
      if (random() % 300 == 0) {
        ++epoch;
        newest = 1;
      }
      newest += random() % 3;
      const std::uint64_t sequence = 1 + random() % newest;
      const std::uint64_t oldest = 1 + random() % sequence;
      const std::uint64_t of = random() % 10 == 0 ? epoch - 1 : epoch;
      const Verdict verdict = sequences.OnHeader(Message(sequence, oldest, of), transport, kStart);
      duplicates += verdict.kind == Kind::kDuplicate ? 1 : 0;
      if (verdict.kind == Kind::kTake) {
        ASSERT_EQ((++taken[{of, sequence}]), 1) << "seed " << seed << " step " << step;
      }
    }
    EXPECT_GT(taken.size(), 10U) << seed;
    EXPECT_GT(duplicates, 100U) << seed;
  }
}

TEST_F(SequencesTest, WhatWasReceivedBeforeIsADuplicate) {
  (void)Reliable(Message(1));
  (void)Reliable(Message(2));
  EXPECT_EQ(Reliable(Message(2)).kind, Kind::kDuplicate);
  EXPECT_EQ(Reliable(Message(1)).kind, Kind::kDuplicate);
  EXPECT_EQ(Received(), 2U);
}

TEST_F(SequencesTest, WhatLiesBeyondAGapIsAskedForOnceIn200MsAndNotTaken) {
  (void)Reliable(Message(1));
  const Verdict first = Reliable(Message(4));
  EXPECT_EQ(first.kind, Kind::kGap);
  EXPECT_EQ(first.expected, 2U);
  EXPECT_EQ(first.lost, 0U);
  EXPECT_EQ(Reliable(Message(5), milliseconds(199)).expected, 0U);
  EXPECT_EQ(Reliable(Message(5), milliseconds(200)).expected, 2U);
  EXPECT_EQ(Received(), 1U);
  EXPECT_EQ(Reliable(Message(2), milliseconds(201)).kind, Kind::kTake);
}

TEST_F(SequencesTest, AClockSetBackDoesNotSilenceTheAsking) {
  (void)Reliable(Message(1));
  (void)Reliable(Message(4));
  EXPECT_EQ(Reliable(Message(4), -std::chrono::hours(5)).expected, 2U);
}

TEST_F(SequencesTest, OnlyWhatThePublisherDroppedIsLost) {
  (void)Reliable(Message(1));
  const Verdict verdict = Reliable(Message(5, 4));
  EXPECT_EQ(verdict.lost, 2U) << "2 and 3";
  EXPECT_EQ(verdict.kind, Kind::kGap) << "4 can still come";
  EXPECT_EQ(verdict.expected, 4U);
  EXPECT_EQ(Reliable(Message(4, 4)).kind, Kind::kTake);
  EXPECT_EQ(Reliable(Message(5, 4)).lost, 0U) << "once";
}

TEST_F(SequencesTest, AHelloMovesNothing) {
  (void)Reliable(Message(1));
  for (const std::uint64_t oldest : {std::uint64_t{4}, (std::uint64_t{1} << 63) - 1}) {
    const Verdict verdict = Reliable(Hello(oldest, "store"));
    EXPECT_EQ(verdict.kind, Kind::kHello);
    EXPECT_EQ(verdict.lost, 0U);
    EXPECT_EQ(Received(), 1U);
  }
  EXPECT_EQ(Reliable(Message(2)).kind, Kind::kTake);
}

// Whoever says it: what a run has not sent is not received, and never told as durable.
TEST_F(SequencesTest, AHelloInAStrangersNameMakesNothingDurable) {
  (void)Reliable(Hello((std::uint64_t{1} << 63) - 1, "store", kYoung));
  EXPECT_EQ(Received(), 0U);
  sequences_.Durable(sequences_.TakeMarks());
  EXPECT_EQ(sequences_.Find("detector", Transport::kReliable)->durable, 0U);
  EXPECT_EQ(Reliable(Message(1, 1, kYoung)).kind, Kind::kTake);
  EXPECT_EQ(Received(), 1U);
}

TEST_F(SequencesTest, AWildStepIsRefusedAndMovesNothing) {
  constexpr std::uint64_t kWild = std::uint64_t{1} << 62;
  (void)Reliable(Message(1));
  (void)Subscribe(Message(1, 0));
  EXPECT_EQ(Subscribe(Message(kWild, 0)).kind, Kind::kWildStep);
  EXPECT_EQ(Received(Transport::kSubscribe), 1U);
  EXPECT_EQ(Reliable(Message(kWild, 1)).kind, Kind::kWildStep);
  EXPECT_EQ(Reliable(Message(kWild, kWild)).kind, Kind::kWildStep);
  EXPECT_EQ(Received(), 1U);
  EXPECT_TRUE(sequences_.TakeMarks().size() == 2U) << "of the first messages";
  EXPECT_EQ(Reliable(Message(2)).kind, Kind::kTake);
  EXPECT_EQ(Subscribe(Message(2, 0)).kind, Kind::kTake);
  // A run that begins so, and says that this store had it all.
  (void)Reliable(Hello(kWild, "store", kYoung));
  EXPECT_EQ(Reliable(Message(kWild, kWild, kYoung)).kind, Kind::kWildStep);
  EXPECT_EQ(Reliable(Message(1, 1, kYoung)).kind, Kind::kTake);
  // The longest step there may be.
  const Verdict verdict = Subscribe(Message(3 + Sequences::kMostStep, 0));
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(verdict.lost, Sequences::kMostStep);
}

TEST_F(SequencesTest, ANewPublisherBeginsAtItsOldestWithoutLoss) {
  EXPECT_EQ(Reliable(Hello(5, "another store")).lost, 0U);
  const Verdict verdict = Reliable(Message(5, 5));
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(verdict.lost, 0U);
  EXPECT_EQ(Received(), 5U);
}

// A publisher that waited for its first frame said hello again, by then with the id of this store in it, and
// all that it had sent to another store was called lost.
TEST_F(SequencesTest, WhatAPublisherGaveUpBeforeItMetThisStoreIsNotLostByItsNextHello) {
  (void)Reliable(Hello(5, "another store", kYoung));
  (void)Reliable(Hello(7, "store", kYoung));
  EXPECT_EQ(Reliable(Message(8, 8, kYoung)).lost, 3U) << "5, 6 and 7";
}

TEST_F(SequencesTest, AHelloWithAWildOldestHidesNoLoss) {
  (void)Reliable(Hello(5, "another store"));
  (void)Reliable(Hello(std::uint64_t{1} << 62, ""));
  EXPECT_EQ(Reliable(Message(8, 8)).lost, 3U);
}

TEST_F(SequencesTest, ARunThatHadOnlySaidHelloBeginsAfterARestartAsIfItWereNew) {
  sequences_.Restore({"detector", Transport::kReliable, 10, 0}, kStart);
  (void)Reliable(Hello(5, "another store"));
  EXPECT_EQ(Reliable(Message(5, 5)).lost, 0U);
  sequences_.Restore({"detector", Transport::kReliable, 10, 0}, kStart);
  (void)Reliable(Hello(5, "store"));
  EXPECT_EQ(Reliable(Message(5, 5)).lost, 4U) << "it had met this store before the restart";
}

TEST_F(SequencesTest, AWildStepOfAStrangerLeavesNoRow) {
  EXPECT_EQ(Reliable(Message(1ULL << 62, 1)).kind, Kind::kWildStep);
  EXPECT_EQ(sequences_.size(), 0U);
  EXPECT_EQ(Subscribe(Message(1ULL << 62, 0)).kind, Kind::kTake) << "a stranger may begin anywhere";
}

TEST_F(SequencesTest, AWildStepBeginsNoRun) {
  (void)Subscribe(Message(1, 0));
  EXPECT_EQ(Subscribe(Message(1ULL << 62, 0, 11)).kind, Kind::kWildStep);
  EXPECT_EQ(sequences_.Find("detector", Transport::kSubscribe)->epoch, 10U);
}

TEST_F(SequencesTest, ANewPublisherThatNamesThisStoreHasLostWhatItGaveUp) {
  EXPECT_EQ(Reliable(Hello(5, "store", kYoung)).lost, 0U);
  EXPECT_EQ(Reliable(Message(5, 5, kYoung)).lost, 4U) << "the store was rolled back";
  EXPECT_EQ(Reliable(Message(6, 5, kYoung)).lost, 0U) << "once";
  EXPECT_EQ(Received(), 6U);
}

// Everything it ever had acknowledged was once called lost when it came back after a week without a network.
TEST_F(SequencesTest, AForgottenPublisherLostNothing) {
  (void)Reliable(Hello(1, "", kYoung));
  (void)Reliable(Message(1, 1, kYoung));
  sequences_.Durable(sequences_.TakeMarks());
  sequences_.Expire(kStart + std::chrono::hours(2));
  ASSERT_EQ(sequences_.size(), 0U);
  (void)Reliable(Hello(2, "store", kYoung), std::chrono::hours(2));
  EXPECT_EQ(Reliable(Message(2, 2, kYoung), std::chrono::hours(2)).lost, 0U);
  EXPECT_EQ(Received(), 2U);
  EXPECT_EQ(Reliable(Message(5, 5, kYoung), std::chrono::hours(2)).lost, 2U) << "from now on it is known";
}

TEST_F(SequencesTest, ANewPublisherThatSpeaksWithoutHelloIsAskedForItsOldest) {
  const Verdict verdict = Reliable(Message(9, 7));
  EXPECT_EQ(verdict.kind, Kind::kGap);
  EXPECT_EQ(verdict.expected, 7U);
  EXPECT_EQ(verdict.lost, 0U);
}

TEST_F(SequencesTest, ANewPublisherThatKeepsNothingBeginsWhereItIs) {
  const Verdict verdict = Reliable(Message(9, 0));
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(verdict.lost, 0U);
  EXPECT_EQ(Received(), 9U);
}

TEST_F(SequencesTest, AnOldestBeyondTheMessageItselfIsTheMessage) {
  (void)Reliable(Message(1));
  const Verdict verdict = Reliable(Message(3, 1'000'000));
  EXPECT_EQ(verdict.lost, 1U);
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(Received(), 3U);
}

TEST_F(SequencesTest, AHigherEpochSupersedesAndALowerOneIsStale) {
  (void)Reliable(Message(1));
  (void)Reliable(Message(2));
  EXPECT_EQ(Reliable(Message(1, 1, 11)).kind, Kind::kTake);
  EXPECT_EQ(Received(), 1U);
  EXPECT_EQ(Reliable(Message(3, 1, 10)).kind, Kind::kStaleEpoch);
  EXPECT_EQ(Reliable(Hello(3, "store", 10)).kind, Kind::kStaleEpoch);
  EXPECT_EQ(Received(), 1U);
}

TEST_F(SequencesTest, HolesOnSubscribeAreLostAndTheMessageIsTaken) {
  EXPECT_EQ(Subscribe(Message(7, 0)).lost, 0U) << "the first message sets the baseline";
  const Verdict verdict = Subscribe(Message(10, 0));
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(verdict.lost, 2U);
  EXPECT_EQ(Subscribe(Message(10, 0)).kind, Kind::kDuplicate);
  EXPECT_EQ(Subscribe(Message(9, 0)).kind, Kind::kDuplicate);
}

TEST_F(SequencesTest, ALaterRunOnSubscribeCountsFromOne) {
  (void)Subscribe(Message(7, 0));
  const Verdict verdict = Subscribe(Message(3, 0, 11));
  EXPECT_EQ(verdict.kind, Kind::kTake);
  EXPECT_EQ(verdict.lost, 2U);
}

TEST_F(SequencesTest, AHelloOnSubscribeIsNothing) {
  EXPECT_EQ(Subscribe(Hello(0, "")).kind, Kind::kHello);
  EXPECT_EQ(Subscribe(Message(7, 0)).lost, 0U);
  EXPECT_EQ(Subscribe(Hello(9, "", 11)).kind, Kind::kHello);
  EXPECT_EQ(Subscribe(Message(8, 0)).kind, Kind::kTake) << "the run goes on";
}

TEST_F(SequencesTest, TheSocketsOfOneNameAreApart) {
  (void)Reliable(Message(1));
  (void)Reliable(Message(2));
  EXPECT_EQ(Subscribe(Message(1, 0)).kind, Kind::kTake);
  EXPECT_EQ(Received(Transport::kReliable), 2U);
  EXPECT_EQ(Received(Transport::kSubscribe), 1U);
  EXPECT_EQ(sequences_.size(), 2U);
}

TEST_F(SequencesTest, PublishersBeyondTheLimitAreRefusedAndThoseKnownAreNot) {
  Sequences sequences(1, "store");
  (void)sequences.OnHeader(Message(1), Transport::kReliable, kStart);
  Header other = Message(1);
  other.publisher = "other";
  EXPECT_EQ(sequences.OnHeader(other, Transport::kReliable, kStart).kind, Kind::kRefused);
  EXPECT_EQ(sequences.OnHeader(Message(1), Transport::kSubscribe, kStart).kind, Kind::kRefused);
  EXPECT_EQ(sequences.OnHeader(Message(2), Transport::kReliable, kStart).kind, Kind::kTake);
  EXPECT_EQ(sequences.size(), 1U);
}

TEST_F(SequencesTest, MarksAreWhatAdvancedSinceTheLastOnes) {
  EXPECT_TRUE(sequences_.TakeMarks().empty());
  (void)Reliable(Message(1));
  (void)Reliable(Message(2));
  (void)Reliable(Message(2));
  const auto marks = sequences_.TakeMarks();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].publisher, "detector");
  EXPECT_EQ(marks[0].epoch, 10U);
  EXPECT_EQ(marks[0].received, 2U);
  (void)Reliable(Message(2));
  (void)Reliable(Message(9));
  (void)Reliable(Hello(1, "store"));
  EXPECT_TRUE(sequences_.TakeMarks().empty()) << "repeats, gaps and hellos advance nothing";
}

TEST_F(SequencesTest, DurableIsWhatTheCutHeldNotWhatCameSince) {
  (void)Reliable(Message(1));
  const auto marks = sequences_.TakeMarks();
  (void)Reliable(Message(2));
  EXPECT_EQ(sequences_.Find("detector", Transport::kReliable)->durable, 0U);
  sequences_.Durable(marks);
  EXPECT_EQ(sequences_.Find("detector", Transport::kReliable)->durable, 1U);
}

TEST_F(SequencesTest, AMarkOfAnEarlierEpochMakesNothingDurable) {
  (void)Reliable(Message(1));
  (void)Reliable(Message(2));
  const auto marks = sequences_.TakeMarks();
  (void)Reliable(Message(1, 1, 11));
  sequences_.Durable(marks);
  EXPECT_EQ(sequences_.Find("detector", Transport::kReliable)->durable, 0U);
}

TEST_F(SequencesTest, ARestoredRowGoesOnWhereTheCheckpointStood) {
  sequences_.Restore({"detector", Transport::kReliable, 10, 5}, kStart);
  EXPECT_EQ(sequences_.Find("detector", Transport::kReliable)->durable, 5U);
  EXPECT_EQ(Reliable(Message(5)).kind, Kind::kDuplicate);
  EXPECT_EQ(Reliable(Message(6)).kind, Kind::kTake);
  EXPECT_EQ(Reliable(Message(1, 1, 9)).kind, Kind::kStaleEpoch);
  EXPECT_EQ(sequences_.TakeMarks().size(), 1U);
}

TEST_F(SequencesTest, RowsExpireAfterIdleDays) {
  (void)Reliable(Message(1));
  (void)Subscribe(Message(1));
  (void)Reliable(Hello(2, "store"), std::chrono::minutes(30));
  sequences_.Durable(sequences_.TakeMarks());
  sequences_.Expire(kStart + std::chrono::hours(1));
  EXPECT_EQ(sequences_.size(), 2U);
  sequences_.Expire(kStart + std::chrono::hours(1) + milliseconds(1));
  EXPECT_EQ(sequences_.size(), 1U) << "a hello is a sign of life";
  EXPECT_NE(sequences_.Find("detector", Transport::kReliable), nullptr);
  sequences_.Expire(kStart + std::chrono::hours(2));
  EXPECT_EQ(sequences_.size(), 0U);
  EXPECT_TRUE(sequences_.TakeMarks().empty());
}

// The cut that held the forgotten row once made durable for the new one what that had never received.
TEST_F(SequencesTest, ARowIsNotForgottenWhileItsCutIsUnderWay) {
  (void)Reliable(Message(1));
  const auto marks = sequences_.TakeMarks();
  sequences_.Expire(kStart + std::chrono::hours(2));
  EXPECT_EQ(sequences_.size(), 1U);
  sequences_.Durable(marks);
  sequences_.Expire(kStart + std::chrono::hours(2));
  EXPECT_EQ(sequences_.size(), 0U);
}

TEST_F(SequencesTest, ARowThatExpiredAndCameBackIsMarkedOnce) {
  (void)Reliable(Message(1));
  sequences_.Durable(sequences_.TakeMarks());
  sequences_.Expire(kStart + std::chrono::hours(2));
  (void)Reliable(Message(2, 2));
  const auto marks = sequences_.TakeMarks();
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0].received, 2U);
}

}  // namespace
}  // namespace detwatch::delivery
