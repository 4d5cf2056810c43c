// What becomes of halves: who waits, who leaves, and what a revision does.
#include "lib/join/ledger.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/join/ledger_support.h"

namespace detwatch::join {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(LedgerTest, PredictionsWaitForTheirLabels) {
  EXPECT_EQ(Predict(1, kStart), 0U);
  EXPECT_EQ(totals().waiting_predictions, 1U);
  const LabelFate fate = Label(1, MakeLabels(), kStart + seconds(7));
  EXPECT_EQ(fate.verdict, Verdict::kJudge);
  ASSERT_EQ(fate.joined.size(), 1U);
  EXPECT_EQ(fate.joined[0].since, kStart);
  EXPECT_EQ(fate.joined[0].bytes, std::string(40, 'p'));
  EXPECT_EQ(totals().waiting_predictions, 0U);
  EXPECT_EQ(totals().waiting_bytes, 0U);
}

TEST_F(LedgerTest, OrderOfHalvesDoesNotMatter) {
  // Two models and the labels, in every order: both are judged by them.
  std::vector<int> order = {0, 1, 2};
  int frame = 0;
  do {
    ++frame;
    int judged = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const TimePoint now = kStart + minutes(i);
      if (order[i] == 2) {
        judged += static_cast<int>(Label(frame, MakeLabels(0, 77), now).joined.size());
      } else {
        judged += Predict(frame, now, static_cast<std::uint32_t>(order[i])) == 77 ? 1 : 0;
      }
    }
    EXPECT_EQ(judged, 2);
    EXPECT_EQ(totals().waiting_predictions + totals().waiting_labels, 0U);
  } while (std::next_permutation(order.begin(), order.end()));
  Expire(kStart + minutes(2));
}

TEST_F(LedgerTest, LabelsWaitForLaterThanTheyWouldLinger) {
  EXPECT_EQ(Label(1, MakeLabels(), kStart).verdict, Verdict::kWait);
  EXPECT_EQ(totals().waiting_labels, 1U);
  EXPECT_EQ(Predict(1, kStart + hours(3)), 1U);
  EXPECT_EQ(totals().waiting_labels, 0U);
}

TEST_F(LedgerTest, LabelsLingerSoLongAfterTheirFirstUse) {
  auto labels = MakeLabels();
  labels->final = true;
  Label(1, labels, kStart);
  Predict(1, kStart + hours(5), 0);
  Expire(kStart + hours(5) + minutes(10) - seconds(1));
  EXPECT_EQ(Predict(1, kStart + hours(5) + minutes(10) - seconds(1), 1), 1U);
  EXPECT_EQ(ledger_->lingering(), 1U);
  EXPECT_EQ(Predict(1, kStart + hours(5) + minutes(10), 2), 0U);
  EXPECT_TRUE(Expire(kStart + hours(5) + minutes(10)).empty());
  EXPECT_EQ(ledger_->lingering(), 0U);
  EXPECT_EQ(ledger_->lingering_bytes(), 0U);
  EXPECT_EQ(totals().waiting_predictions, 1U);
}

TEST_F(LedgerTest, HalvesAfterTheHorizonAreCountedAsExpired) {
  Predict(1, kStart, 7);
  Label(2, MakeLabels(), kStart);
  EXPECT_TRUE(Expire(kStart + hours(24) - seconds(1)).empty());
  const auto expired = Expire(kStart + hours(24));
  ASSERT_EQ(expired.size(), 2U);
  const std::size_t predictions = expired[0].labels_missing ? 0 : 1;
  EXPECT_TRUE(expired[predictions].labels_missing);
  EXPECT_EQ(expired[predictions].model, 7U);
  EXPECT_FALSE(expired[1 - predictions].labels_missing);
  EXPECT_EQ(totals().waiting_bytes, 0U);
}

TEST_F(LedgerTest, ExpiryIsByWaitingTimeNotByFrameTime) {
  // Each half by its own arrival, whatever else of the frame came before.
  Predict(1, kStart, 0);
  Predict(1, kStart + hours(20), 1);
  EXPECT_EQ(Expire(kStart + hours(25)).size(), 1U);
  const LabelFate fate = Label(1, MakeLabels(), kStart + hours(25));
  ASSERT_EQ(fate.joined.size(), 1U);
  EXPECT_EQ(fate.joined[0].model, 1U);
}

TEST_F(LedgerTest, WhatExpiresTogetherMayBeMoreThanOnePortion) {
  for (int i = 0; i < 3500; ++i) {
    Predict(i, kStart + seconds(i / 100));
  }
  EXPECT_EQ(Expire(kStart + hours(24) - seconds(1)).size(), 0U);
  EXPECT_EQ(Expire(kStart + hours(24) + seconds(9)).size(), 1000U);
  EXPECT_EQ(Expire(kStart + hours(24) + seconds(33)).size(), 2400U);
  EXPECT_EQ(Expire(kStart + hours(24) + seconds(34)).size(), 100U);
  EXPECT_EQ(totals().gone, 3500U);
  Expire(kStart + hours(50));
  EXPECT_EQ(totals().gone, 0U);
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(LedgerTest, WaitingBytesNeverExceedTheLimit) {
  JoinLimits limits;
  limits.bytes = 500'000;
  Limit(limits);
  std::size_t expired = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (i % 3 == 0) {
      Label(i, MakeLabels(0, 1, static_cast<std::size_t>(i % 50)), kStart + seconds(i));
    } else {
      Predict(i, kStart + seconds(i), 0, static_cast<std::size_t>(i % 50));
    }
    if (i % 3000 == 2999) {  // more than a portion at once
      expired += Expire(kStart + seconds(i)).size();
      ASSERT_LE(totals().waiting_bytes, limits.bytes);
    }
  }
  expired += Expire(kStart + seconds(20'000)).size();
  EXPECT_EQ(totals().waiting_predictions + totals().waiting_labels + expired, 20'000U);
  EXPECT_GT(totals().waiting_predictions, 1000U);
  // The oldest left first.
  EXPECT_TRUE(Label(1, MakeLabels(), kStart + seconds(20'000)).joined.empty());
  EXPECT_EQ(Label(19'999, MakeLabels(), kStart + seconds(20'000)).joined.size(), 1U);
}

TEST_F(LedgerTest, GoneFramesAreRememberedWithinTheirShareOfTheBytes) {
  JoinLimits limits;
  limits.bytes = 160'000;  // room for 78 gone ones
  Limit(limits);
  for (int i = 0; i < 3000; ++i) {
    Predict(i, kStart + seconds(i));
  }
  Expire(kStart + seconds(3000));
  EXPECT_LE(totals().gone, 78U);
  EXPECT_GE(totals().gone, 70U);
}

TEST_F(LedgerTest, AHalfLargerThanTheLimitIsRefused) {
  JoinLimits limits;
  limits.bytes = 1000;
  Limit(limits);
  Predict(1, kStart);
  EXPECT_FALSE(ledger_->Wait(FrameOf(2), 0, std::string(1000, 'p'), kStart));
  EXPECT_EQ(Label(2, MakeLabels(0, 1, 999), kStart).verdict, Verdict::kTooLarge);
  EXPECT_TRUE(Expire(kStart).empty());  // the others did not have to go for them
  EXPECT_EQ(totals().waiting_predictions, 1U);
}

TEST_F(LedgerTest, LabelsThatLingerStayWithinTheirBytes) {
  JoinLimits limits;
  limits.linger_bytes = 20'000;
  Limit(limits);
  for (int i = 0; i < 100; ++i) {
    Predict(i, kStart + seconds(i));
    auto labels = MakeLabels(0, 1, 1000);
    labels->final = true;
    Label(i, labels, kStart + seconds(i));
    Expire(kStart + seconds(i));
    ASSERT_LE(ledger_->lingering_bytes(), limits.linger_bytes);
  }
  EXPECT_GT(ledger_->lingering(), 10U);
  EXPECT_EQ(Predict(0, kStart + seconds(100), 1), 0U);
  EXPECT_EQ(Predict(99, kStart + seconds(100), 1), 1U);
}

}  // namespace
}  // namespace detwatch::join
