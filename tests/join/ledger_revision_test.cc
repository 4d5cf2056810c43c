// What a revision does: told from a repeat, replaces, corrects, or comes too late.
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/join/label_key.h"
#include "lib/join/ledger.h"
#include "tests/join/ledger_support.h"

namespace detwatch::join {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(LedgerTest, ARevisionIsToldFromARepeat) {
  Label(1, MakeLabels(1, 10), kStart);
  EXPECT_EQ(Label(1, MakeLabels(1, 10), kStart).verdict, Verdict::kDuplicate);
  EXPECT_EQ(Label(1, MakeLabels(1, 11), kStart).verdict, Verdict::kConflict);
  EXPECT_EQ(Label(1, MakeLabels(0, 10), kStart).verdict, Verdict::kStale);
  auto automatic = MakeLabels(1, 10);
  automatic->source = LabelSource::kAuto;
  EXPECT_EQ(Label(1, automatic, kStart).verdict, Verdict::kConflict);
  EXPECT_EQ(totals().waiting_labels, 1U);
  Expire(kStart);
}

TEST_F(LedgerTest, AHigherRevisionReplacesLabelsThatWait) {
  Label(1, MakeLabels(0, 10), kStart);
  const LabelFate fate = Label(1, MakeLabels(2, 12, 300), kStart + hours(1));
  EXPECT_EQ(fate.verdict, Verdict::kReplace);
  EXPECT_EQ(totals().waiting_labels, 1U);
  Expire(kStart + hours(1));
  EXPECT_EQ(Predict(1, kStart + hours(2)), 12U);
}

TEST_F(LedgerTest, ReplacedLabelsWaitOnSinceTheFirstOnesCame) {
  Label(1, MakeLabels(0), kStart);
  Label(1, MakeLabels(1), kStart + hours(23));
  EXPECT_EQ(Expire(kStart + hours(24)).size(), 1U);
}

TEST_F(LedgerTest, AHigherRevisionCorrectsJudgedFramesThatAreKept) {
  Predict(1, kStart, 3);
  Predict(1, kStart, 5);
  Label(1, MakeLabels(0, 10), kStart + seconds(1));
  EXPECT_EQ(totals().kept, 2U);
  for (std::uint32_t revision = 1; revision <= 3; ++revision) {
    const LabelFate fate =
        Label(1, MakeLabels(revision, 10 + revision, 100 * revision), kStart + hours(revision));
    EXPECT_EQ(fate.verdict, Verdict::kCorrect);
    EXPECT_TRUE(fate.joined.empty());
    ASSERT_EQ(fate.corrected.size(), 2U);
    EXPECT_EQ(fate.corrected[0].model, 3U);
    EXPECT_EQ(fate.corrected[0].since, kStart + seconds(1));  // when it was judged
    EXPECT_EQ(fate.before->content_hash, 9 + revision);
    Expire(kStart + hours(revision));
    EXPECT_EQ(totals().kept, 2U);
  }
  EXPECT_EQ(Label(1, MakeLabels(2, 9), kStart + hours(4)).verdict, Verdict::kStale);
  EXPECT_EQ(Label(1, MakeLabels(3, 13), kStart + hours(4)).verdict, Verdict::kDuplicate);
  EXPECT_EQ(Label(1, MakeLabels(3, 14), kStart + hours(4)).verdict, Verdict::kConflict);
}

TEST_F(LedgerTest, HeldLabelsServeEveryModel) {
  Predict(1, kStart, 0);
  Label(1, MakeLabels(0, 10), kStart);
  EXPECT_EQ(Predict(1, kStart + hours(1), 1), 10U);  // nothing lingers any more, but they are kept
  const LabelFate fate = Label(1, MakeLabels(1, 11), kStart + hours(2));
  EXPECT_EQ(fate.verdict, Verdict::kCorrect);
  EXPECT_EQ(fate.corrected.size(), 2U);
  EXPECT_TRUE(fate.joined.empty());
  EXPECT_EQ(Predict(1, kStart + hours(3), 2), 11U);
  Expire(kStart + hours(3));
  EXPECT_EQ(Label(1, MakeLabels(2, 12), kStart + hours(3)).corrected.size(), 3U);
}

TEST_F(LedgerTest, LabelsSentAgainJudgeWhatWaitsForThem) {
  auto labels = MakeLabels(0, 10);
  labels->final = true;
  Predict(1, kStart, 0);
  Label(1, labels, kStart);
  EXPECT_EQ(Predict(1, kStart + hours(1), 1), 0U);  // nothing holds them any more
  const LabelFate again = Label(1, labels, kStart + hours(2));
  EXPECT_EQ(again.verdict, Verdict::kJudge);
  ASSERT_EQ(again.joined.size(), 1U);
  EXPECT_EQ(again.joined[0].model, 1U);
  EXPECT_EQ(Label(1, labels, kStart + hours(3)).verdict, Verdict::kDuplicate);
  Expire(kStart + hours(3));
}

TEST_F(LedgerTest, FinalLabelsEndTheCorrections) {
  Predict(1, kStart);
  Label(1, MakeLabels(0, 10), kStart);
  auto last = MakeLabels(1, 11);
  last->final = true;
  EXPECT_EQ(Label(1, last, kStart + minutes(1)).corrected.size(), 1U);
  EXPECT_EQ(totals().kept, 0U);
  EXPECT_EQ(totals().kept_bytes, 0U);
  EXPECT_EQ(totals().gone, 1U);
  EXPECT_EQ(Label(1, MakeLabels(2, 12), kStart + minutes(2)).verdict, Verdict::kFinal);
  Expire(kStart + hours(1));
  EXPECT_EQ(Label(1, MakeLabels(2, 12), kStart + hours(1)).verdict, Verdict::kTooLate);
}

TEST_F(LedgerTest, FramesJudgedByFinalLabelsAreNotKept) {
  auto labels = MakeLabels();
  labels->final = true;
  Predict(1, kStart);
  Label(1, labels, kStart);
  EXPECT_EQ(totals().kept, 0U);
  EXPECT_EQ(Label(1, MakeLabels(1), kStart).verdict, Verdict::kFinal);
}

TEST_F(LedgerTest, ACorrectedFramesLabelsLingerAsTheyAreNow) {
  Predict(1, kStart, 0);
  Label(1, MakeLabels(0, 10), kStart);
  Label(1, MakeLabels(1, 11), kStart + minutes(5));
  EXPECT_EQ(Predict(1, kStart + minutes(9), 1), 11U);
  EXPECT_EQ(ledger_->lingering(), 1U);
  Expire(kStart + minutes(10));
  EXPECT_EQ(ledger_->lingering(), 0U);  // since the first use
  EXPECT_EQ(Label(1, MakeLabels(2, 12), kStart + hours(1)).corrected.size(), 2U);
  Expire(kStart + hours(1));
}

TEST_F(LedgerTest, CorrectionsEndWithTheirTime) {
  JoinLimits limits;
  limits.corrections = hours(2);
  Limit(limits);
  Predict(1, kStart);
  Label(1, MakeLabels(0), kStart);
  EXPECT_TRUE(Expire(kStart + hours(2) - seconds(1)).empty());
  EXPECT_EQ(Label(1, MakeLabels(1), kStart + hours(2) - seconds(1)).corrected.size(), 1U);
  EXPECT_TRUE(Expire(kStart + hours(2)).empty());  // nothing of it is counted as expired
  EXPECT_EQ(totals().kept, 0U);
  EXPECT_EQ(totals().kept_bytes, 0U);
  EXPECT_EQ(Label(1, MakeLabels(2), kStart + hours(2)).verdict, Verdict::kTooLate);
  remembered_.clear();
  EXPECT_EQ(Label(1, MakeLabels(2), kStart + hours(2)).verdict, Verdict::kTooLate);  // it is gone
}

TEST_F(LedgerTest, KeptBytesNeverExceedTheLimit) {
  JoinLimits limits;
  limits.corrections_bytes = 300'000;
  Limit(limits);
  for (int i = 0; i < 6000; ++i) {
    Predict(i, kStart + seconds(i), 0, 100);
    Label(i, MakeLabels(), kStart + seconds(i));
  }
  Expire(kStart + seconds(6000));
  EXPECT_LE(totals().kept_bytes, limits.corrections_bytes);
  EXPECT_GT(totals().kept, 1000U);
  EXPECT_EQ(Label(0, MakeLabels(1), kStart + seconds(6000)).verdict, Verdict::kTooLate);
  EXPECT_EQ(Label(5999, MakeLabels(1), kStart + seconds(6000)).corrected.size(), 1U);
}

// Regression: the labels they were judged by had gone before them, and others took their place.
TEST_F(LedgerTest, JudgedFramesWhoseLabelsHaveGoneAreNotCorrected) {
  Predict(1, kStart, 0);
  Label(1, MakeLabels(0, 10), kStart);
  EXPECT_EQ(Predict(1, kStart + minutes(5), 1), 10U);
  Expire(kStart + hours(24) - seconds(1));
  EXPECT_EQ(totals().kept, 2U);
  Expire(kStart + hours(24) + minutes(1));
  EXPECT_EQ(totals().kept, 1U);  // model 1, kept five minutes longer than the labels
  EXPECT_EQ(Predict(1, kStart + hours(24) + minutes(1), 2), 0U);
  const LabelFate second = Label(1, MakeLabels(1, 11), kStart + hours(24) + minutes(1));
  EXPECT_EQ(second.joined.size(), 1U);
  EXPECT_TRUE(second.corrected.empty());
  const LabelFate third = Label(1, MakeLabels(2, 12), kStart + hours(24) + minutes(2));
  ASSERT_EQ(third.corrected.size(), 1U);
  EXPECT_EQ(third.corrected[0].model, 2U);
  EXPECT_EQ(third.before->content_hash, 11U);
  Expire(kStart + hours(24) + minutes(2));
}

// Regression: what came again after the dedup keys had forgotten it was deleted with the first one's time.
TEST_F(LedgerTest, PredictionsThatCameTwiceLeaveTwice) {
  Predict(1, kStart);
  Predict(1, kStart + hours(2));
  std::vector<Expired> expired;
  ledger_->Expire(kStart + hours(24), expired);
  EXPECT_EQ(expired.size(), 1U);
  EXPECT_EQ(Label(1, MakeLabels(), kStart + hours(25)).joined.size(), 1U);
  EXPECT_TRUE(Expire(kStart + hours(30)).empty());
  EXPECT_EQ(totals().waiting_predictions, 0U);
  EXPECT_EQ(totals().waiting_bytes, 0U);
}

TEST_F(LedgerTest, PredictionsThatCameTwiceAndWereJudgedOnceLeaveTwice) {
  Predict(1, kStart);
  Predict(1, kStart + hours(2));
  EXPECT_EQ(Label(1, MakeLabels(), kStart + hours(3)).joined.size(), 1U);
  EXPECT_EQ(Expire(kStart + hours(25)).size(), 1U);
  EXPECT_EQ(totals().waiting_predictions, 0U);
  EXPECT_EQ(totals().waiting_bytes, 0U);
}

// Regression: a start had labels again that had been let go of for their bytes.
TEST_F(LedgerTest, ARestartDoesNotBringBackWhatDidNotFit) {
  JoinLimits limits;
  limits.linger_bytes = 5000;
  Limit(limits);
  for (int i = 0; i < 10; ++i) {
    Predict(i, kStart);
    Label(i, MakeLabels(0, 1, 1000), kStart);
  }
  Expire(kStart);
  const std::size_t lingering = ledger_->lingering();
  EXPECT_LT(lingering, 10U);
  Restart(kStart);
  EXPECT_EQ(ledger_->lingering(), lingering);
}

TEST_F(LedgerTest, ABacklogLeavesOverSeveralTicks) {
  constexpr int kFrames = 45'000;
  for (int frame = 0; frame < kFrames; ++frame) {
    ASSERT_TRUE(ledger_->Wait(FrameOf(frame), 0, "predictions", kStart));
  }
  const TimePoint later = kStart + limits_.retention + seconds(1);
  std::size_t left = kFrames;
  int ticks = 0;
  while (left > 0) {
    std::vector<Expired> expired;
    ledger_->Expire(later, expired);
    const std::size_t gone = expired.size();
    ASSERT_GT(gone, 0U);
    EXPECT_LE(gone, 20'000U);
    left -= gone;
    ++ticks;
  }
  EXPECT_EQ(ticks, 3);
  EXPECT_EQ(totals().waiting_predictions, 0U);
}

TEST_F(LedgerTest, LabelsThatDoNotFitLeaveNothingBehindInTheStore) {
  JoinLimits limits;
  limits.linger_bytes = 1000;
  Limit(limits);
  const auto blobs = [&] {
    std::size_t n = 0;
    store_.ScanPrefix("jG", [&](std::string_view, std::string_view) { return ++n > 0; });
    return n;
  };
  for (int frame = 0; frame < 100; ++frame) {
    const TimePoint now = kStart + seconds(frame);
    Predict(frame, now);
    Label(frame, MakeLabels(0), now);
    Expire(now);
    ledger_->Checkpoint(++checkpoint_);
  }
  EXPECT_LT(blobs(), 20U);
  EXPECT_LE(ledger_->lingering_bytes(), 1000U);
  Restart(kStart + seconds(100));
  EXPECT_LE(ledger_->lingering_bytes(), 1000U);
  EXPECT_NE(ledger_->UseLabels(FrameOf(99), kStart + seconds(100)), nullptr);
}

TEST_F(LedgerTest, WithoutCorrectionsNothingIsKept) {
  JoinLimits limits;
  limits.corrections = Duration{0};
  Limit(limits);
  Predict(1, kStart);
  Label(1, MakeLabels(0), kStart);
  EXPECT_EQ(totals().kept_bytes, 0U);
  EXPECT_EQ(Label(1, MakeLabels(1), kStart).verdict, Verdict::kTooLate);
}

TEST_F(LedgerTest, LabelsOfAFrameThatIsGoneAreTooLateUnlessAnotherModelStillWaits) {
  Predict(1, kStart, 0);
  Predict(2, kStart, 0);
  Predict(2, kStart + hours(1), 1);
  EXPECT_EQ(Expire(kStart + hours(24)).size(), 2U);
  EXPECT_EQ(Label(1, MakeLabels(), kStart + hours(24)).verdict, Verdict::kTooLate);
  EXPECT_EQ(Label(2, MakeLabels(), kStart + hours(24)).joined.size(), 1U);
}

TEST_F(LedgerTest, LabelsThatWereKnownAndHaveGoneAreTooLateNotNew) {
  remembered_[1] = LabelKey(0, LabelSource::kHuman, 1);
  EXPECT_EQ(Label(1, MakeLabels(1), kStart).verdict, Verdict::kTooLate);
  EXPECT_EQ(totals().waiting_labels, 0U);
}

TEST_F(LedgerTest, LabelsByWhichFramesWereJudgedAlreadyDoNotWait) {
  const LabelFate fate = Label(1, MakeLabels(), kStart, true);
  EXPECT_EQ(fate.verdict, Verdict::kJudge);
  EXPECT_EQ(totals().waiting_labels, 0U);
  EXPECT_EQ(Predict(1, kStart + minutes(1), 1), 1U);
}

}  // namespace
}  // namespace detwatch::join
