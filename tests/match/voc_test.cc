// Pascal VOC's matching rules, each by name. IoUs can be read off as in coco_test.cc.

#include <gtest/gtest.h>

#include <array>

#include "lib/match/matcher.h"
#include "tests/match/oracle_support.h"

namespace detwatch::match {
namespace {

using Masks = std::array<IouMask, kMaxAreaRanges>;
constexpr Box kTruth{0, 0, 100, 10};

FrameOutcome Judge(const Frame& frame,
                   const EvaluationParams& params = EvaluationParams::Voc(Interpolation::kAllPoints, false)) {
  FrameOutcome outcome;
  Matcher(params).Match(frame.view(), outcome);
  return outcome;
}

TEST(VocTest, EqualOverlapIsATruePositive) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect({0, 0, 50, 10}, 0.9F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 1);
  EXPECT_FLOAT_EQ(outcome.detections[0].iou, 0.5F);
}

TEST(VocTest, ThereIsNoSecondChoice) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Truth({0, 0, 60, 10});  // free and good enough, but never the best
  frame.Detect(kTruth, 0.9F);
  frame.Detect(kTruth, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 1);
  EXPECT_EQ(outcome.detections[1].true_positive[0], 0);
  EXPECT_EQ(outcome.detections[1].ignored[0], 0);
}

TEST(VocTest, TheFirstOfEqualOverlapsIsAsked) {
  Frame frame;
  frame.Truth({0, 0, 15, 10});
  frame.Difficult({10, 0, 15, 10});
  frame.Detect({5, 0, 15, 10}, 0.9F);  // IoU 0.5 with each
  EXPECT_EQ(Judge(frame).detections[0].true_positive[0], 1);
}

TEST(VocTest, DifficultGroundTruthsCountForNothing) {
  Frame frame;
  frame.Difficult(kTruth);
  frame.Detect(kTruth, 0.9F);
  frame.Detect(kTruth, 0.8F);  // any number of times
  const FrameOutcome outcome = Judge(frame);
  for (const DetectionOutcome& detection : outcome.detections) {
    EXPECT_EQ(detection.true_positive[0], 0);
    EXPECT_EQ(detection.ignored[0], 1);
    EXPECT_EQ(detection.iou, 0);
  }
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 0U);
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
}

TEST(VocTest, ABetterDifficultGroundTruthHidesAFreeOne) {
  Frame frame;
  frame.Difficult(kTruth);
  frame.Truth({0, 0, 90, 10});
  frame.Detect(kTruth, 0.9F);
  EXPECT_EQ(Judge(frame).detections[0].ignored[0], 1);
}

TEST(VocTest, CrowdHasNoEffect) {
  Frame frame;
  frame.Crowd({0, 0, 1000, 1000});
  frame.Detect(kTruth, 0.9F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
  EXPECT_EQ(outcome.detections[0].ignored[0], 0);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 0) << "the union counts in full";
}

TEST(VocTest, ThereIsNoMaxDets) {
  Frame frame;
  for (int i = 0; i < 500; ++i) {
    frame.Detect({0, 20, 10, 10}, 0.9F);
  }
  frame.Truth(kTruth);
  frame.Detect(kTruth, 0.1F);
  const FrameOutcome outcome = Judge(frame);
  ASSERT_EQ(outcome.detections.size(), 501U);
  EXPECT_EQ(outcome.detections[500].true_positive[0], 1);
}

TEST(VocTest, InclusivePixelsDecideAtTheThreshold) {
  Frame frame;
  frame.Truth({0, 0, 9, 9});
  frame.Detect({0, 0, 9, 4}, 0.9F);  // 36 / 81, but 10 x 5 of 10 x 10 pixels
  EXPECT_EQ(Judge(frame).detections[0].true_positive[0], 0);
  const FrameOutcome inclusive = Judge(frame, EvaluationParams::Voc(Interpolation::k11Points, true));
  EXPECT_EQ(inclusive.detections[0].true_positive[0], 1);
  EXPECT_EQ(inclusive.detections[0].iou, 0.5F);
}

TEST(VocTest, AGroundTruthOutsideTheAreaRangeIsLikeADifficultOne) {
  Frame frame;
  frame.Truth({0, 0, 30, 30});  // small
  frame.Detect({0, 0, 30, 30}, 0.9F);
  frame.Detect({0, 0, 30, 30}, 0.8F);
  const FrameOutcome outcome = Judge(frame, VocWithCocoGrid(false));
  EXPECT_EQ(outcome.classes[0].ground_truths, (std::array<std::uint32_t, kMaxAreaRanges>{1, 1, 0, 0}));
  EXPECT_EQ(outcome.detections[0].true_positive, (Masks{0x3ff, 0x3ff, 0, 0}));
  EXPECT_EQ(outcome.detections[0].ignored, (Masks{0, 0, 0x3ff, 0x3ff}));
  EXPECT_EQ(outcome.detections[1].true_positive, (Masks{}));
  EXPECT_EQ(outcome.detections[1].ignored, (Masks{0, 0, 0x3ff, 0x3ff}));
}

TEST(VocTest, DetectionsThatTookNothingAreIgnoredOutsideTheirArea) {
  Frame frame;
  frame.Detect({0, 0, 100, 100}, 0.9F);  // large
  EXPECT_EQ(Judge(frame, VocWithCocoGrid(false)).detections[0].ignored, (Masks{0, 0x3ff, 0x3ff, 0}));
}

}  // namespace
}  // namespace detwatch::match
