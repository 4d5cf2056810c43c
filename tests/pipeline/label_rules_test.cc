// The rules about labels: refused ones judge nothing, held ones serve everybody, and each is told once.
#include <gtest/gtest.h>

#include "tests/pipeline/labels_support.h"

namespace detwatch::pipeline {
namespace {

// Whatever becomes of it: joined, waiting, duplicate, late or refused.
TEST_F(CorrectionsTest, EachLabelMessageIsInOneFieldOfTheTally) {
  PipelineConfig config;
  config.labels.sources = {LabelSource::kHuman};
  Start(config);
  const auto sum = [](const LabelTally& t) {
    return t.joined + t.waiting + t.duplicate + t.late + t.refused;
  };
  std::uint64_t sent = 0;
  const auto send = [&](const wire::Message& message, std::uint64_t refused) {
    rig_->Send(message, At(kStart + 1), "people");
    rig_->Cut(At(kStart + 1));
    const LabelTally tally = Tally("people");
    EXPECT_EQ(sum(tally), ++sent);
    EXPECT_EQ(tally.refused, refused);
  };
  Labels wrong = Real("a");
  wrong.areas = {-1};  // does not decode
  send(wrong, 1);
  send(wire::FramePair{Seen("a"), wrong}, 2);
  Labels unknown = Real("b");
  unknown.class_ids = {77};
  send(unknown, 3);
  send(wire::FramePair{Seen("b"), unknown}, 4);
  Labels filtered = Real("c");
  filtered.source = LabelSource::kAuto;
  send(filtered, 5);
  send(wire::FramePair{Seen("c"), filtered}, 6);
  Predictions other = Seen("c");
  other.scores = {0.5F};
  send(wire::FramePair{other, filtered}, 7);  // its predictions are a conflict as well
  send(wire::FramePair{Seen("d"), Real("d")}, 7);
  send(wire::FramePair{Seen("d"), Real("d")}, 7);                // duplicates, both
  send(wire::FramePair{Seen("e"), Real("d", 0, 2)}, 8);          // the halves name different frames
  send(wire::FramePair{Seen("d", "slow"), Real("d", 0, 2)}, 9);  // a conflict
  const LabelTally tally = Tally("people");
  EXPECT_EQ(tally.joined, 1U);
  EXPECT_EQ(tally.duplicate, 1U);
}

// Its predictions are judged by the labels that stand, or wait; never by those that were refused.
TEST_F(CorrectionsTest, RefusedLabelsJudgeNothing) {
  rig_->Send(wire::FramePair{Seen("a"), Real("a", 1)}, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Send(wire::FramePair{Seen("a", "slow"), Real("a", 1, 2)}, At(kStart + 1), "people");  // a conflict
  rig_->Send(wire::FramePair{Seen("a", "late"), Real("a", 0, 2)}, At(kStart + 1), "people");  // stale
  rig_->Cut(At(kStart + 1));
  for (const char* model : {"yolo", "slow", "late"}) {
    EXPECT_EQ(Counts(kStart + 1, model).true_positives, 1) << model;
    EXPECT_EQ(Counts(kStart + 1, model).false_negatives, 0) << model;
  }
  EXPECT_EQ(rig_->late.size(), 2U);
}

// A frame that is gone: its labels are too late, also the second and the third time, and after a crash.
TEST_F(CorrectionsTest, ARefusalStaysOne) {
  PipelineConfig config;
  config.join.retention = std::chrono::seconds(100);
  Start(config);
  rig_->Send(Seen("a"), At(kStart));
  rig_->Cut(At(kStart));
  rig_->Cut(At(kStart + 101));
  for (int i = 0; i < 4; ++i) {
    const double now = kStart + 102 + i;
    rig_->Send(Real("a"), At(now), "people");
    if (i % 2 == 1) {
      rig_->Send(Real("a"), At(now), "people");  // twice in one cut
    }
    rig_->Cut(At(now));
    if (i == 1) {
      rig_->Crash(At(now));
    }
  }
  EXPECT_EQ(rig_->late.size(), 6U);
  for (const LateReject& late : rig_->late) {
    EXPECT_EQ(late.reject.reason, RejectReason::kTooLate);
  }
  EXPECT_EQ(Tally("people").late, 6U);
  EXPECT_EQ(rig_->Take(At(kStart + 110))->counters.duplicate_labels[1], 0U);
}

// Regression: labels of a higher revision were refused, and lower ones of the frame then judged predictions.
// The refused ones stayed remembered, so both were told something else when they came again.
class ARefusedRevisionTest : public CorrectionsTest {
 protected:
  void SetUp() override {
    PipelineConfig config;
    config.join.retention = std::chrono::seconds(100);
    Start(config);
    lower_.final = true;
    rig_->Send(Seen("a"), At(kStart));
    rig_->Cut(At(kStart));
    rig_->Cut(At(kStart + 101));  // the frame is gone
  }
  // Long after nothing of the frame is held.
  void ExpectTheSameAnswers() {
    rig_->Cut(At(kStart + 1000));
    rig_->Send(Real("a", 2), At(kStart + 1001), "people");
    rig_->Send(lower_, At(kStart + 1001), "people");
    rig_->Cut(At(kStart + 1001));
    const LabelTally tally = Tally("people");
    EXPECT_EQ(tally.late, 2U);
    EXPECT_EQ(tally.joined, 1U);
    EXPECT_EQ(tally.duplicate, 1U) << "the lower ones, which stand";
    EXPECT_EQ(tally.refused, 0U);
  }
  Labels lower_ = Real("a", 1);
};

TEST_F(ARefusedRevisionTest, IsNotRememberedWhenLowerOnesAreAcceptedInTheSameCut) {
  rig_->Send(Real("a", 2), At(kStart + 102), "people");
  rig_->Send(wire::FramePair{Seen("a", "slow"), lower_}, At(kStart + 102), "people");
  rig_->Cut(At(kStart + 102));
  rig_->Crash(At(kStart + 102));
  ExpectTheSameAnswers();
}

TEST_F(ARefusedRevisionTest, IsNotRememberedWhenLowerOnesAreAcceptedBeforeIngestHearsOfIt) {
  rig_->Send(Real("a", 2), At(kStart + 102), "people");
  rig_->Cut(At(kStart + 102), false);
  const Absorbed first = rig_->absorbed;
  rig_->Send(wire::FramePair{Seen("a", "slow"), lower_}, At(kStart + 103), "people");
  rig_->Cut(At(kStart + 103), false);
  ASSERT_TRUE(rig_->store.Commit());
  rig_->ingest->OnAbsorbed(first);
  rig_->ingest->OnAbsorbed(rig_->absorbed);
  ExpectTheSameAnswers();
}

// Regression: the refusal was forgotten with the cut in which ingest heard of it, though labels had come
// before.
TEST_F(ARefusedRevisionTest, IsNotComparedWithWhatCameInTheSameCutBeforeIngestHeardOfIt) {
  rig_->Send(Real("a", 2), At(kStart + 102), "people");
  rig_->Cut(At(kStart + 102), false);
  rig_->Send(wire::FramePair{Seen("a", "slow"), lower_}, At(kStart + 103), "people");
  ASSERT_TRUE(rig_->store.Commit());
  rig_->ingest->OnAbsorbed(rig_->absorbed);
  rig_->Cut(At(kStart + 103));
  ExpectTheSameAnswers();
}

// Regression: a restart took what was put back for a refusal after what was accepted since.
TEST_F(ARefusedRevisionTest, IsNotPutBackByARestartInThePlaceOfWhatStands) {
  rig_->Send(Real("a", 2), At(kStart + 102), "people");
  rig_->Cut(At(kStart + 102), false);
  const Absorbed first = rig_->absorbed;
  rig_->Send(wire::FramePair{Seen("a", "slow"), lower_}, At(kStart + 103), "people");
  rig_->Cut(At(kStart + 103), false);
  rig_->ingest->OnAbsorbed(first);
  rig_->Cut(At(kStart + 104), false);
  ASSERT_TRUE(rig_->store.Commit());
  rig_->Crash(At(kStart + 104));
  ExpectTheSameAnswers();
}

// Regression: what was refused once stayed refused in the eyes of what came after it, though it was accepted
// since.
TEST_F(CorrectionsTest, LabelsThatWereRefusedAreKnownOnceTheyAreAccepted) {
  PipelineConfig config;
  config.join.linger = std::chrono::seconds(10);
  config.join.corrections = Duration{0};
  Start(config);
  Labels second = Real("a", 2);
  second.final = true;
  rig_->Send(wire::FramePair{Seen("a"), Real("a")}, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Cut(At(kStart + 30));
  rig_->Send(second, At(kStart + 31), "people");  // too late
  rig_->Cut(At(kStart + 31));
  rig_->Send(wire::FramePair{Seen("a", "slow"), second}, At(kStart + 32), "people");  // judges
  rig_->Send(Real("a", 3), At(kStart + 32), "people");                                // too late
  rig_->Cut(At(kStart + 32));
  rig_->Cut(At(kStart + 100));
  rig_->Send(Real("a", 1), At(kStart + 101), "people");
  rig_->Cut(At(kStart + 101));
  const LabelTally tally = Tally("people");
  EXPECT_EQ(tally.joined, 2U);
  EXPECT_EQ(tally.late, 2U);
  EXPECT_EQ(tally.refused, 1U) << "of a lower revision than those that were accepted";
}

// Regression: dedup keys had forgotten the labels that wait, and the repeat by which ingest judged said that
// it was final. The frame was not kept, and its labels were.
TEST_F(CorrectionsTest, WhatIsJudgedByARepeatIsCorrectableIfTheLabelsThatStandAre) {
  PipelineConfig config;
  config.join.dedup_horizon = std::chrono::seconds(10);
  Start(config);
  rig_->Send(Real("a"), At(kStart), "people");
  rig_->Cut(At(kStart));
  Labels final = Real("a");
  final.final = true;
  rig_->Send(wire::FramePair{Seen("b"), Real("b")}, At(kStart + 50), "people");  // forgets what came before
  rig_->Send(wire::FramePair{Seen("a"), final}, At(kStart + 50), "people");
  rig_->Cut(At(kStart + 50));
  EXPECT_EQ(rig_->Take(At(kStart + 50))->gauges.kept_frames, 2U);
  rig_->Send(Real("a", 1, 2), At(kStart + 51), "people");
  rig_->Cut(At(kStart + 51));
  EXPECT_EQ(Tally("people").corrected, 1U);
  EXPECT_EQ(Counts(kStart + 51).true_positives, 1) << "of b";
}

// Regression: the labels that were kept for corrections had gone, and what they judged had not. Labels of a
// higher revision took their place, and a correction took back an outcome that never was: counts below zero.
TEST_F(CorrectionsTest, WhatOtherLabelsJudgedIsNotCorrected) {
  PipelineConfig config;
  config.join.corrections = std::chrono::seconds(3);
  Start(config);
  rig_->Send(wire::FramePair{Seen("a"), Real("a")}, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Send(Seen("a", "slow"), At(kStart + 2));
  rig_->Cut(At(kStart + 2));
  rig_->Cut(At(kStart + 4));  // the labels linger, and are not kept any more
  rig_->Send(wire::FramePair{Seen("a", "late"), Real("a", 1, 2)}, At(kStart + 4), "people");
  rig_->Cut(At(kStart + 4));
  rig_->Send(Real("a", 2), At(kStart + 4), "people");
  rig_->Cut(At(kStart + 4));
  for (const char* model : {"slow", "late"}) {
    EXPECT_EQ(Counts(kStart + 4, model).true_positives, 1) << model;
    EXPECT_EQ(Counts(kStart + 4, model).false_positives, 0) << model;
    EXPECT_EQ(Counts(kStart + 4, model).false_negatives, 0) << model;
  }
  EXPECT_GT(rig_->Take(At(kStart + 4))->gauges.kept_bytes, 0U);
  rig_->Cut(At(kStart + 20));
  EXPECT_EQ(rig_->Take(At(kStart + 20))->gauges.kept_frames, 0U);
  EXPECT_EQ(rig_->Take(At(kStart + 20))->gauges.kept_bytes, 0U) << "everything is let go of";
}

// After a final correction nothing is held of the frame, and dedup keys forget it as well.
TEST_F(CorrectionsTest, LabelsOfAFrameThatWasLetGoOfAreTooLate) {
  PipelineConfig config;
  config.join.linger = std::chrono::seconds(1);
  config.join.dedup_frames = 1;
  Start(config);
  rig_->Send(wire::FramePair{Seen("a"), Real("a")}, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Cut(At(kStart + 10));
  Labels final = Real("a", 1);
  final.final = true;
  rig_->Send(final, At(kStart + 11), "people");
  rig_->Cut(At(kStart + 11));
  EXPECT_EQ(Tally("people").corrected, 1U);
  for (const char* other : {"b", "c", "d", "e"}) {
    rig_->Send(Real(other), At(kStart + 12), "others");
    rig_->Cut(At(kStart + 12));
  }
  rig_->Send(Real("a", 2), At(kStart + 13), "people");
  rig_->Cut(At(kStart + 13));
  EXPECT_EQ(Tally("people").late, 1U);
  EXPECT_EQ(Tally("people").waiting, 0U);
}

// Regression: a store that had nothing did not expect labels that came in its first second.
TEST_F(CorrectionsTest, RefusedLabelsJudgeNothingInTheFirstCutOfAStore) {
  PipelineConfig config;
  config.join.dedup_frames = 1;
  Start(config);
  rig_->Send(wire::FramePair{Seen("a"), Real("a", 1)}, At(kStart), "people");
  for (const char* other : {"b", "c", "d", "e"}) {  // dedup keys forget
    rig_->Send(Real(other), At(kStart), "people");
  }
  Labels stale = Real("a", 0, 2);
  stale.final = true;
  rig_->Send(wire::FramePair{Seen("a", "slow"), stale}, At(kStart), "people");
  rig_->Cut(At(kStart));
  EXPECT_EQ(Counts(kStart, "slow").true_positives, 1);
  EXPECT_EQ(Counts(kStart, "slow").false_positives, 0);
}

// Regression: within one cut, labels of a frame came after others that dedup keys had forgotten by then.
TEST_F(CorrectionsTest, NewerLabelsInTheCutOfRefusedOnesAreSettled) {
  PipelineConfig config;
  config.join.dedup_frames = 1;
  Start(config);
  rig_->Send(wire::FramePair{Seen("a"), Real("a")}, At(kStart), "people");
  rig_->Cut(At(kStart));
  for (const char* other : {"b", "c", "d", "e"}) {
    rig_->Send(Real(other), At(kStart), "people");
  }
  rig_->Cut(At(kStart));
  rig_->Send(wire::FramePair{Seen("a", "slow"), Real("a", 0, 2)}, At(kStart), "people");  // a conflict
  for (const char* other : {"f", "g", "h", "i"}) {
    rig_->Send(Real(other), At(kStart), "people");
  }
  rig_->Send(wire::FramePair{Seen("a", "late"), Real("a", 1)}, At(kStart), "people");
  rig_->Cut(At(kStart));
  for (const char* model : {"yolo", "slow", "late"}) {
    EXPECT_EQ(Counts(kStart, model).true_positives, 1) << model;
    EXPECT_EQ(Counts(kStart, model).false_positives, 0) << model;
    EXPECT_EQ(Counts(kStart, model).false_negatives, 0) << model;
  }
}

// Predictions that alone are more than may wait: their publisher hears it, and hears it again.
TEST_F(CorrectionsTest, PredictionsTooLargeToWaitAreRefusedToTheirPublisher) {
  PipelineConfig config;
  config.join.bytes = 60;
  Start(config);
  for (int i = 0; i < 2; ++i) {
    rig_->Send(Seen("a"), At(kStart + i), "camera");
    rig_->Cut(At(kStart + i));
  }
  ASSERT_EQ(rig_->late.size(), 2U);
  EXPECT_EQ(rig_->late[0].sender.publisher, "camera");
  EXPECT_EQ(rig_->late[0].reject.reason, RejectReason::kMemory);
}

// Labels by people are held for corrections, and serve a model that is slower than they linger.
TEST_F(CorrectionsTest, KeptLabelsServeSlowModels) {
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(Real("a"), At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Send(Seen("a", "slow"), At(kStart + 7200));
  rig_->Cut(At(kStart + 7200));
  EXPECT_EQ(Counts(kStart + 7200, "slow").true_positives, 1);
  rig_->Send(Real("a", 1, 2), At(kStart + 7300), "people");
  rig_->Cut(At(kStart + 7300));
  EXPECT_EQ(Counts(kStart + 7300, "slow").true_positives, 0) << "corrected with the others";
}

TEST_F(CorrectionsTest, LabelsSentAgainJudgeWhatWaitsForThem) {
  Labels final = Real("a");
  final.final = true;
  rig_->Send(Seen("a"), At(kStart));
  rig_->Send(final, At(kStart), "people");
  rig_->Cut(At(kStart));
  rig_->Cut(At(kStart + 1200));  // nothing lingers any more
  rig_->Send(Seen("a", "slow"), At(kStart + 1300));
  rig_->Cut(At(kStart + 1300));
  EXPECT_EQ(Counts(kStart + 1300, "slow").true_positives, 0);
  rig_->Send(final, At(kStart + 1400), "people");
  rig_->Cut(At(kStart + 1400));
  EXPECT_EQ(Counts(kStart + 1400, "slow").true_positives, 1);
  rig_->Send(final, At(kStart + 1500), "people");
  rig_->Cut(At(kStart + 1500));
  EXPECT_EQ(Tally("people"), (LabelTally{2, 0, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace detwatch::pipeline
