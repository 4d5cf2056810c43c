// COCO's matching rules, each by name. Boxes start at a common corner, so that
// IoUs can be read off: a 100 x 10 ground truth and an n x 10 detection inside it have IoU n / 100.

#include <gtest/gtest.h>

#include "lib/match/box_similarity.h"
#include "lib/match/matcher.h"
#include "tests/match/oracle_support.h"

namespace detwatch::match {
namespace {

constexpr IouMask kAllTen = 0x3ff;
constexpr Box kTruth{0, 0, 100, 10};

// Inside kTruth, with this IoU in percent.
Box WithIou(double percent) {
  return {0, 0, percent, 10};
}

FrameOutcome Judge(const Frame& frame, const EvaluationParams& params = EvaluationParams::Coco()) {
  FrameOutcome outcome;
  Matcher(params).Match(frame.view(), outcome);
  return outcome;
}

TEST(CocoTest, ADetectionIsATruePositiveAtTheThresholdsItReaches) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect(WithIou(72), 0.9F);
  const FrameOutcome outcome = Judge(frame);
  ASSERT_EQ(outcome.detections.size(), 1U);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 0x1f);  // 0.50 to 0.70
  EXPECT_EQ(outcome.detections[0].ignored[0], 0);
  EXPECT_FLOAT_EQ(outcome.detections[0].iou, 0.72F);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
}

TEST(CocoTest, EqualIouMatches) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect(WithIou(75), 0.9F);
  EXPECT_EQ(Judge(frame).detections[0].true_positive[0], 0x3f);  // 0.75 included
}

TEST(CocoTest, TheNinthThresholdIsNotNineTenths) {
  Frame frame;
  const double ninth = 0.8999999999999999;
  frame.Truth({0, 0, 1, 1});
  frame.Detect({0, 0, ninth, 1}, 0.9F);
  ASSERT_EQ(IntersectionOverUnion(frame.detection_boxes[0], frame.ground_truth_boxes[0], false), ninth);
  ASSERT_LT(ninth, 0.9);
  EXPECT_EQ(Judge(frame).detections[0].true_positive[0], 0x1ff);
}

TEST(CocoTest, AThresholdOfOneIsReachedDespiteRounding) {
  EvaluationParams params = EvaluationParams::Coco();
  params.iou_thresholds = {1};
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect({0, 0, 100 - 1e-9, 10}, 0.9F);
  frame.Truth(kTruth, 1);
  frame.Detect({0, 0, 100 - 1e-6, 10}, 0.9F, 1);
  const FrameOutcome outcome = Judge(frame, params);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 1);
  EXPECT_EQ(outcome.detections[1].true_positive[0], 0);
}

// A law of the header.
TEST(MatcherTest, EqualIouMatchesAndTheLastOfEqualsWins) {
  // The first detection lies evenly between two ground truths; which one it took shows in what is left.
  Frame frame;
  frame.Truth({0, 0, 15, 10});
  frame.Truth({10, 0, 15, 10});
  frame.Detect({5, 0, 15, 10}, 0.9F);
  ASSERT_EQ(IntersectionOverUnion(frame.detection_boxes[0], frame.ground_truth_boxes[0], false), 0.5);
  ASSERT_EQ(IntersectionOverUnion(frame.detection_boxes[0], frame.ground_truth_boxes[1], false), 0.5);
  frame.Detect({0, 0, 15, 10}, 0.8F);   // exactly the first, which must still be free
  frame.Detect({10, 0, 15, 10}, 0.7F);  // exactly the second, which is taken at 0.50
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 1);
  EXPECT_EQ(outcome.detections[1].true_positive[0], kAllTen);
  EXPECT_EQ(outcome.detections[2].true_positive[0], kAllTen & ~1);
}

TEST(CocoTest, TheBestFreeGroundTruthIsTakenWhateverItsPlace) {
  for (const bool best_first : {true, false}) {
    Frame frame;
    frame.Truth(best_first ? WithIou(90) : WithIou(60));
    frame.Truth(best_first ? WithIou(60) : WithIou(90));
    frame.Detect(kTruth, 0.9F);
    EXPECT_FLOAT_EQ(Judge(frame).detections[0].iou, 0.9F);
  }
}

TEST(CocoTest, ASecondDetectionTakesTheNextBestGroundTruth) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Truth(WithIou(60));
  frame.Detect(kTruth, 0.9F);
  frame.Detect(kTruth, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].iou, 1);
  EXPECT_FLOAT_EQ(outcome.detections[1].iou, 0.6F);
  EXPECT_EQ(outcome.detections[1].true_positive[0], 0x7);  // 0.50, 0.55, 0.60
}

TEST(CocoTest, ADuplicateIsAFalsePositive) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect(kTruth, 0.9F);
  frame.Detect(kTruth, 0.8F);
  const DetectionOutcome duplicate = Judge(frame).detections[1];
  EXPECT_EQ(duplicate.true_positive[0], 0);
  EXPECT_EQ(duplicate.ignored[0], 0);
  EXPECT_EQ(duplicate.iou, 0);
}

TEST(CocoTest, AGroundTruthIsTakenOnlyAtTheThresholdsWhereItWasMatched) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Detect(WithIou(60), 0.9F);
  frame.Detect(kTruth, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 0x7);
  EXPECT_EQ(outcome.detections[1].true_positive[0], kAllTen & ~0x7);  // not a prefix
  EXPECT_FLOAT_EQ(outcome.detections[0].iou, 0.6F);
  EXPECT_EQ(outcome.detections[1].iou, 0) << "not a true positive at the headline threshold";
}

TEST(CocoTest, ClassesDoNotMeet) {
  Frame frame;
  frame.Truth(kTruth, 1);
  frame.Detect(kTruth, 0.9F, 2);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 0);
  ASSERT_EQ(outcome.classes.size(), 2U);
  EXPECT_EQ(outcome.classes[0].count, 0U);
  EXPECT_EQ(outcome.classes[1].ground_truths[0], 0U);
}

// A law of the header.
TEST(MatcherTest, ACrowdTakesManyDetections) {
  Frame frame;
  frame.Crowd({0, 0, 1000, 1000});
  for (int i = 0; i < 20; ++i) {
    frame.Detect({10.0 * i, 0, 10, 10}, 0.9F);
  }
  const FrameOutcome outcome = Judge(frame);
  for (const DetectionOutcome& detection : outcome.detections) {
    EXPECT_EQ(detection.true_positive[0], 0);
    EXPECT_EQ(detection.ignored[0], kAllTen);
    EXPECT_EQ(detection.iou, 0);
  }
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 0U);
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
}

TEST(CocoTest, ARealGroundTruthComesBeforeABetterCrowd) {
  Frame frame;
  frame.Crowd({0, 0, 1000, 1000});  // IoU 1 with everything inside
  frame.Truth(kTruth);
  frame.Detect(WithIou(60), 0.9F);
  const DetectionOutcome detection = Judge(frame).detections[0];
  EXPECT_EQ(detection.true_positive[0], 0x7);
  EXPECT_EQ(detection.ignored[0], kAllTen & ~0x7) << "the crowd has it where the real one is out of reach";
  EXPECT_FLOAT_EQ(detection.iou, 0.6F);
}

TEST(CocoTest, ADuplicateInsideACrowdIsIgnored) {
  Frame frame;
  frame.Truth(kTruth);
  frame.Crowd({0, 0, 1000, 1000});
  frame.Detect(kTruth, 0.9F);
  frame.Detect(kTruth, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], kAllTen);
  EXPECT_EQ(outcome.detections[1].ignored[0], kAllTen);
}

TEST(CocoTest, AnIgnoredGroundTruthThatIsNoCrowdIsTakenOnce) {
  // A large ground truth is ignored among the small ones; the small duplicate is not excused twice.
  Frame frame;
  frame.Truth({0, 0, 30, 30}, 0, 5000);
  frame.Detect({0, 0, 30, 30}, 0.9F);
  frame.Detect({0, 0, 30, 30}, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].ignored[1], kAllTen);
  EXPECT_EQ(outcome.detections[1].ignored[1], 0);
  EXPECT_EQ(outcome.detections[1].true_positive[1], 0);
}

TEST(CocoTest, AreaRangesContainBothEnds) {
  Frame frame;
  frame.Truth({0, 0, 32, 32});
  frame.Truth({200, 0, 96, 96});
  const ClassOutcome judged = Judge(frame).classes[0];
  EXPECT_EQ(judged.ground_truths, (std::array<std::uint32_t, kMaxAreaRanges>{2, 1, 2, 1}));
}

TEST(CocoTest, UnmatchedDetectionsAreIgnoredOutsideTheirArea) {
  Frame frame;
  frame.Detect({0, 0, 32, 32}, 0.9F);  // small and medium at once
  frame.Detect({0, 0, 97, 97}, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  using Masks = std::array<IouMask, kMaxAreaRanges>;
  EXPECT_EQ(outcome.detections[0].ignored, (Masks{0, 0, 0, kAllTen}));
  EXPECT_EQ(outcome.detections[1].ignored, (Masks{0, kAllTen, kAllTen, 0}));
}

TEST(CocoTest, GroundTruthsUseTheirAreaAndDetectionsTheirBox) {
  Frame frame;
  frame.Truth({0, 0, 100, 100}, 0, 900);  // a thin diagonal object: small, in a large box
  frame.Detect({0, 0, 100, 100}, 0.9F);
  frame.Detect({300, 0, 100, 100}, 0.8F);
  const FrameOutcome outcome = Judge(frame);
  using Masks = std::array<IouMask, kMaxAreaRanges>;
  EXPECT_EQ(outcome.detections[0].true_positive, (Masks{kAllTen, kAllTen, 0, 0}));
  EXPECT_EQ(outcome.detections[0].ignored, (Masks{0, 0, kAllTen, kAllTen})) << "it took an ignored one";
  EXPECT_EQ(outcome.detections[1].ignored, (Masks{0, kAllTen, kAllTen, 0}));
}

TEST(CocoTest, TheUpperEndOfAllIsALimitToo) {
  Frame frame;
  frame.Truth({0, 0, 2e5, 1e5});
  frame.Truth({0, 3e5, 1e5, 1e5});  // exactly 1e10
  frame.Detect({5e5, 0, 2e5, 1e5}, 0.9F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
  EXPECT_EQ(outcome.detections[0].ignored[0], kAllTen);
}

TEST(CocoTest, DifficultHasNoEffect) {
  Frame frame;
  frame.Difficult(kTruth);
  frame.Detect(kTruth, 0.9F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.detections[0].true_positive[0], kAllTen);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
}

TEST(CocoTest, BoxesOfZeroSizeMatchNothingButCount) {
  Frame frame;
  frame.Truth({10, 10, 0, 5});
  frame.Detect({10, 10, 0, 5}, 0.9F);
  const FrameOutcome outcome = Judge(frame);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 0);
  EXPECT_EQ(outcome.detections[0].ignored[0], 0);
}

TEST(CocoTest, MaxDetsKeepsTheBestOfAFrameAndClassIgnoredOnesIncluded) {
  EvaluationParams params = EvaluationParams::Coco();
  params.max_dets = {1, 2};
  Frame frame;
  frame.Crowd({500, 0, 100, 100});
  frame.Truth(kTruth);
  frame.Detect(kTruth, 0.1F);  // true, but third
  frame.Detect({500, 0, 10, 10}, 0.9F);
  frame.Detect({520, 0, 10, 10}, 0.8F);
  frame.Detect(kTruth, 0.05F, 1);  // another class has its own two
  const FrameOutcome outcome = Judge(frame, params);
  ASSERT_EQ(outcome.classes.size(), 2U);
  EXPECT_EQ(outcome.classes[0].count, 2U);
  EXPECT_EQ(outcome.detections[0].ignored[0], kAllTen);
  EXPECT_EQ(outcome.detections[1].ignored[0], kAllTen);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 1U);
  EXPECT_EQ(outcome.classes[1].count, 1U);
}

}  // namespace
}  // namespace detwatch::match
