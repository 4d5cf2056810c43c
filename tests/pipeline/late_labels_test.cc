// What becomes of labels that come late or again: corrected, refused, told to whom.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pipeline/labels_support.h"

namespace detwatch::pipeline {
namespace {

TEST_F(CorrectionsTest, LabelTalliesSayWhatBecameOfEachMessage) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a"), At(kStart), "people");        // joined at once
  rig_->Send(Real("b"), At(kStart), "people");        // waits
  rig_->Send(Real("b"), At(kStart), "people");        // duplicate
  rig_->Send(Real("b", 0, 2), At(kStart), "people");  // conflict: refused
  rig_->Send(Seen("c"), At(kStart));
  rig_->Cut(At(kStart));
  EXPECT_EQ(Tally("people"), (LabelTally{1, 1, 0, 1, 0, 1}));
  rig_->Crash(At(kStart));
  EXPECT_EQ(Tally("people"), (LabelTally{1, 1, 0, 1, 0, 1}));
  rig_->Send(Real("c"), At(kStart + 5), "others");        // joined by the state
  rig_->Send(Real("a", 1, 2), At(kStart + 5), "people");  // corrects
  rig_->Cut(At(kStart + 5));
  EXPECT_EQ(Tally("people"), (LabelTally{2, 1, 1, 1, 0, 1}));
  EXPECT_EQ(Tally("others"), (LabelTally{1, 0, 0, 0, 0, 0}));
  const auto snapshot = rig_->Take(At(kStart + 5));
  EXPECT_EQ(snapshot->counters.labels[1], 4U);
  EXPECT_EQ(snapshot->counters.duplicate_labels[1], 1U);
  ASSERT_EQ(rig_->late.size(), 1U);
  EXPECT_EQ(rig_->late[0].reject.reason, RejectReason::kConflict);
}

TEST_F(CorrectionsTest, LabelsThatWaitForTheirClassListAreInTheTallyToo) {
  Labels labels = Real("a");
  labels.class_list = OtherClasses().hash;
  labels.class_ids = {9};
  rig_->Send(labels, At(kStart), "people");
  labels.frame.frame_id = "b";
  labels.class_ids = {55};  // not in the list
  rig_->Send(labels, At(kStart), "people");
  labels.frame.frame_id = "c";
  labels.class_list = ClassListHash{77};  // never announced
  rig_->Send(labels, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Crash(At(kStart));
  rig_->Send(OtherClasses(), At(kStart + 1), "camera");
  rig_->Cut(At(kStart + 1));
  rig_->Cut(At(kStart + 60));
  EXPECT_EQ(Tally("people"), (LabelTally{0, 1, 0, 0, 0, 2}));
  ASSERT_EQ(rig_->late.size(), 2U);
  EXPECT_EQ(rig_->late[0].sender.publisher, "people");
  EXPECT_EQ(rig_->late[0].sender.sequence, 2U);
  EXPECT_EQ(rig_->late[0].reject.reason, RejectReason::kClassUnknown);
  EXPECT_EQ(rig_->late[1].sender.sequence, 3U);
  EXPECT_EQ(rig_->late[1].reject.reason, RejectReason::kClassListUnknown);
}

TEST_F(CorrectionsTest, ATallyIsOfOneRun) {
  rig_->Send(Real("a"), At(kStart), "people");
  rig_->Cut(At(kStart));
  Header header{"people", 2, 1, 1, {}};  // the publisher starts again
  rig_->ingest->OnMessage(Transport::kReliable, wire::EncodeHeader(header), wire::EncodePayload(Real("b")),
                          At(kStart + 1));
  rig_->Cut(At(kStart + 1));
  const auto tallies = rig_->state->TakeTallies();
  ASSERT_EQ(tallies.size(), 1U);
  EXPECT_EQ(tallies[0].epoch, 2U);
  EXPECT_EQ(tallies[0].labels.waiting, 1U);
}

TEST_F(CorrectionsTest, ACorrectionThatComesTooLateIsCountedAndSaidToItsSender) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a"), At(kStart), "people");
  rig_->Cut(At(kStart));
  const double later = kStart + 24 * 3600;
  rig_->Cut(At(later));  // what is kept goes
  rig_->Send(Real("a", 1, 2), At(later), "people");
  rig_->Cut(At(later));
  EXPECT_EQ(Rejected(RejectReason::kTooLate, later), 1U);
  ASSERT_EQ(rig_->late.size(), 1U);
  EXPECT_EQ(rig_->late[0].sender.publisher, "people");
  EXPECT_EQ(rig_->late[0].sender.epoch, 1U);
  EXPECT_EQ(rig_->late[0].sender.sequence, 2U);
  EXPECT_EQ(Tally("people"), (LabelTally{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(Counts(later).true_positives, 1);  // the first ones stand
}

TEST_F(CorrectionsTest, AFrameThatWasLetGoForItsBytesIsTooLate) {
  PipelineConfig config;
  config.join.corrections_bytes = 1000;
  Start(config);
  for (int i = 0; i < 20; ++i) {
    rig_->Send(Seen(std::to_string(i)), At(kStart));
    rig_->Send(Real(std::to_string(i)), At(kStart), "people");
    rig_->Cut(At(kStart + i));
  }
  rig_->Send(Real("0", 1, 2), At(kStart + 20), "people");
  rig_->Send(Real("19", 1, 2), At(kStart + 20), "people");
  rig_->Cut(At(kStart + 20));
  EXPECT_EQ(Rejected(RejectReason::kTooLate, kStart + 20), 1U);
  EXPECT_EQ(Counts(kStart + 20).true_positives, 19);
  EXPECT_EQ(Counts(kStart + 20).false_negatives, 1);
}

TEST_F(CorrectionsTest, NothingCorrectsLabelsThatWereFinal) {
  Labels last = Real("a");
  last.final = true;
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(last, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Send(Real("a", 1, 2), At(kStart + 1), "people");
  rig_->Cut(At(kStart + 1));
  EXPECT_EQ(Rejected(RejectReason::kTooLate, kStart + 1), 1U);
  ASSERT_EQ(rig_->late.size(), 1U);
  EXPECT_EQ(rig_->late[0].reject.detail,
            "revision: the frame was judged by labels that said they were final");
}

TEST_F(CorrectionsTest, StaleLabelsAreToldAlsoWhenOnlyTheStateRemembers) {
  PipelineConfig config;
  config.join.dedup_horizon = std::chrono::minutes(1);
  Start(config);
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a", 3), At(kStart), "people");
  rig_->Cut(At(kStart));
  for (const double later : {kStart + 100, kStart + 200}) {
    rig_->Send(Seen(std::to_string(later)), At(later));
    rig_->Send(Real(std::to_string(later)), At(later), "people");
    rig_->Cut(At(later));
  }
  rig_->Send(Real("a", 2), At(kStart + 3600), "people");
  rig_->Send(Real("b", 0), At(kStart + 3600), "people");
  rig_->Cut(At(kStart + 3600));
  EXPECT_EQ(Rejected(RejectReason::kStaleRevision, kStart + 3600), 1U);
  ASSERT_EQ(rig_->late.size(), 1U);
  EXPECT_EQ(rig_->late[0].reject.reason, RejectReason::kStaleRevision);
}

// Regression: a frame was judged in ingest by labels that the state then refused, and stayed so for ever.
TEST_F(CorrectionsTest, AFrameJudgedByLabelsThatWereRefusedMeetsThoseThatStand) {
  PipelineConfig config;
  config.join.dedup_horizon = std::chrono::minutes(1);
  config.join.linger = std::chrono::minutes(1);
  Start(config);
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a", 1, 1), At(kStart), "people");
  rig_->Cut(At(kStart));
  for (const double later : {kStart + 100, kStart + 200}) {
    rig_->Send(Real(std::to_string(later)), At(later), "people");
    rig_->Cut(At(later));
  }
  // Another model, and labels that are stale, which ingest cannot know any more.
  rig_->Send(Seen("a", "slow"), At(kStart + 3600));
  rig_->Send(Real("a", 0, 2), At(kStart + 3600), "people");
  rig_->Cut(At(kStart + 3600));
  // It met the labels that stand.
  EXPECT_EQ(Counts(kStart + 3600, "slow").true_positives, 1);
  EXPECT_EQ(Counts(kStart + 3600, "slow").false_negatives, 0);
  rig_->Send(Real("a", 2, 0), At(kStart + 3700), "people");
  rig_->Cut(At(kStart + 3700));
  for (const char* model : {"yolo", "slow"}) {
    EXPECT_EQ(Counts(kStart + 3700, model).true_positives, 0);
    EXPECT_EQ(Counts(kStart + 3700, model).false_negatives, 1);
    EXPECT_EQ(Counts(kStart + 3700, model).false_positives, 1);
  }
  test::ExpectSound(*rig_->Take(At(kStart + 3700)));
}

// Regression: a slower model's frame came with the labels that the first ones were judged by, after these had
// stopped to linger, and was taken for final.
TEST_F(CorrectionsTest, APairAfterTheLabelsLingeredIsCorrectedToo) {
  rig_->Send(wire::FramePair{Seen("a"), Real("a")}, At(kStart));
  rig_->Cut(At(kStart));
  rig_->Send(wire::FramePair{Seen("a", "slow"), Real("a")}, At(kStart + 1800), "other");
  rig_->Cut(At(kStart + 1800));
  EXPECT_EQ(Counts(kStart + 1800, "slow").true_positives, 1);
  rig_->Send(Real("a", 1, 2), At(kStart + 2000), "people");
  rig_->Cut(At(kStart + 2000));
  EXPECT_EQ(Counts(kStart + 2000, "yolo").true_positives, 0);
  EXPECT_EQ(Counts(kStart + 2000, "slow").true_positives, 0);
}

TEST_F(CorrectionsTest, ACorrectionTwiceInOneCutLeavesTheLast) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a", 0, 0), At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Send(Real("a", 1, 2), At(kStart + 1), "people");
  rig_->Send(Real("a", 2, 1), At(kStart + 1), "people");
  rig_->Cut(At(kStart + 1));
  const auto counts = Counts(kStart + 1);
  EXPECT_EQ(counts.true_positives, 1);
  EXPECT_EQ(counts.false_positives, 0);
  EXPECT_EQ(counts.false_negatives, 0);
  EXPECT_DOUBLE_EQ(rig_->Take(At(kStart + 1))->views[0].groups[0].windows[0].mean.map[0][0].value, 1);
}

TEST_F(CorrectionsTest, ACorrectionInTheCutOfTheFirstLabelsIsOneToo) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a", 0, 0), At(kStart), "people");
  rig_->Send(Real("a", 1, 1), At(kStart), "people");
  rig_->Send(Seen("a", "slow"), At(kStart));
  rig_->Cut(At(kStart));
  EXPECT_EQ(Counts(kStart).true_positives, 1);
  EXPECT_EQ(Counts(kStart).false_positives, 0);
  EXPECT_EQ(Counts(kStart, "slow").true_positives, 1);
  EXPECT_EQ(rig_->Take(At(kStart))->counters.corrected_frames, 1U);
}

TEST_F(CorrectionsTest, ACorrectionReachesOnlyTheWindowsThatStillHoldTheFrame) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a", 0, 0), At(kStart), "people");
  rig_->Cut(At(kStart));
  const double later = kStart + 1800;
  rig_->Send(Real("a", 1, 1), At(later), "people");
  rig_->Cut(At(later));
  EXPECT_EQ(Counts(later, "yolo", 0).true_positives, 1);  // total
  EXPECT_EQ(Counts(later, "yolo", 1).true_positives, 0);  // 5m
  EXPECT_EQ(Counts(later, "yolo", 2).true_positives, 1);  // 1h
  EXPECT_EQ(Counts(later, "yolo", 3).true_positives, 1);  // 24h
  EXPECT_EQ(Counts(later + 3600, "yolo", 2).true_positives, 0);
}

}  // namespace
}  // namespace detwatch::pipeline
