// What holds under every rule: order, grouping, sizes, reuse.

#include "lib/match/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include "tests/match/allocation_support.h"
#include "tests/match/oracle_support.h"

namespace detwatch::match {
namespace {

using testing::ElementsAre;

constexpr Box kBox{0, 0, 10, 10};

std::vector<std::uint32_t> Indices(const FrameOutcome& outcome) {
  std::vector<std::uint32_t> indices;
  for (const DetectionOutcome& detection : outcome.detections) {
    indices.push_back(detection.index);
  }
  return indices;
}

std::vector<std::uint32_t> Classes(const FrameOutcome& outcome) {
  std::vector<std::uint32_t> classes;
  for (const ClassOutcome& judged : outcome.classes) {
    classes.push_back(Index(judged.class_id));
  }
  return classes;
}

TEST(MatcherTest, DetectionsDescendByScoreAndTiesKeepTheirOrder) {
  Frame frame;
  for (const float score : {0.5F, 1.0F, 0.0F, 0.5F, 0.9F, 0.5F}) {
    frame.Detect(kBox, score);
  }
  FrameOutcome outcome;
  Matcher(EvaluationParams::Coco()).Match(frame.view(), outcome);
  EXPECT_THAT(Indices(outcome), ElementsAre(1, 4, 0, 3, 5, 2));
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(outcome.detections[i].rank, i);
    EXPECT_EQ(outcome.detections[i].score, frame.scores[outcome.detections[i].index]);
  }
}

TEST(MatcherTest, NegativeZeroTiesWithZeroAndNegativeScoresDescend) {
  Frame frame;
  for (const float score : {-0.0F, -2.0F, 0.0F, -1.0F, -0.0F, 1e-40F}) {
    frame.Detect(kBox, score);
  }
  FrameOutcome outcome;
  Matcher(EvaluationParams::Coco()).Match(frame.view(), outcome);
  EXPECT_THAT(Indices(outcome), ElementsAre(5, 0, 2, 4, 3, 1));
}

TEST(MatcherTest, ClassesAscendAndRanksStartAnewInEach) {
  Frame frame;
  frame.Detect(kBox, 0.1F, 70);
  frame.Detect(kBox, 0.9F, 2);
  frame.Detect(kBox, 0.8F, 70);
  frame.Truth(kBox, 64);
  FrameOutcome outcome;
  Matcher(EvaluationParams::Coco()).Match(frame.view(), outcome);
  EXPECT_THAT(Classes(outcome), ElementsAre(2, 64, 70));
  EXPECT_THAT(Indices(outcome), ElementsAre(1, 2, 0));
  EXPECT_EQ(outcome.detections[0].rank, 0U);
  EXPECT_EQ(outcome.detections[1].rank, 0U);
  EXPECT_EQ(outcome.detections[2].rank, 1U);
  EXPECT_EQ(outcome.classes[2].first, 1U);
  EXPECT_EQ(outcome.classes[2].count, 2U);
}

TEST(MatcherTest, AClassWithoutDetectionsStillHasItsGroundTruths) {
  Frame frame;
  frame.Truth(kBox, 3);
  frame.Truth(kBox, 3);
  frame.Crowd(kBox, 3);
  FrameOutcome outcome;
  Matcher(EvaluationParams::Coco()).Match(frame.view(), outcome);
  ASSERT_EQ(outcome.classes.size(), 1U);
  EXPECT_EQ(outcome.classes[0].count, 0U);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 2U);
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
}

TEST(MatcherTest, AnEmptyFrameHasNoOutcome) {
  FrameOutcome outcome;
  outcome.classes.resize(3);
  outcome.detections.resize(3);
  Matcher(EvaluationParams::Coco()).Match(Frame{}.view(), outcome);
  EXPECT_TRUE(outcome.classes.empty());
  EXPECT_TRUE(outcome.detections.empty());
}

TEST(MatcherTest, EmptyFlagColumnsMeanNone) {
  Frame frame;
  frame.Truth(kBox);
  frame.Detect(kBox, 0.9F);
  frame.crowd.clear();
  frame.difficult.clear();
  for (const EvaluationParams& params :
       {EvaluationParams::Coco(), EvaluationParams::Voc(Interpolation::k11Points, false)}) {
    FrameOutcome outcome;
    Matcher(params).Match(frame.view(), outcome);
    EXPECT_NE(outcome.detections[0].true_positive[0], 0);
  }
}

TEST(MatcherTest, ClassIdsReachUpToTheLargest) {
  Frame frame;
  for (const std::uint32_t id : {0xffffffffU, 4095U, 4096U, 0U, 0x80000000U}) {
    frame.Truth(kBox, id);
    frame.Detect(kBox, 0.9F, id);
  }
  FrameOutcome outcome;
  Matcher(EvaluationParams::Coco()).Match(frame.view(), outcome);
  EXPECT_THAT(Classes(outcome), ElementsAre(0, 4095, 4096, 0x80000000U, 0xffffffffU));
  for (const DetectionOutcome& detection : outcome.detections) {
    EXPECT_EQ(detection.true_positive[0], 0x3ff);
  }
}

TEST(MatcherTest, AFullFrameOf65535DetectionsAgreesWithTheOracle) {
  Frame frame;
  std::mt19937 random(5);
  std::uniform_real_distribution<double> place(0, 900);
  std::uniform_real_distribution<float> score(0, 1);
  for (std::uint32_t i = 0; i < 65535; ++i) {
    const Box box{place(random), place(random), 40, 40};
    if (i % 16 == 0) {
      frame.Truth(box, i % 3 * 100000);
    }
    frame.Detect(box, score(random), i % 3 * 100000);
  }
  EvaluationParams params = EvaluationParams::Coco();
  Matcher matcher(params);
  FrameOutcome outcome;
  matcher.Match(frame.view(), outcome);
  EXPECT_EQ(outcome.detections.size(), 300U);
  EXPECT_EQ(Difference(outcome, OracleOutcome(params, frame)), "");
}

TEST(MatcherTest, NothingOfAFrameIsLeftForTheNext) {
  Frame full;
  Frame other;
  std::mt19937 random(6);
  std::uniform_int_distribution<int> pixel(0, 20);
  for (Frame* frame : {&full, &other}) {
    for (std::uint32_t i = 0; i < 30; ++i) {
      frame->Truth({1.0 * pixel(random), 1.0 * pixel(random), 8, 8}, i % (frame == &full ? 9 : 4));
      frame->Detect({1.0 * pixel(random), 1.0 * pixel(random), 8, 8}, 0.5F, i % (frame == &full ? 9 : 5000));
    }
  }
  Matcher matcher(EvaluationParams::Coco());
  FrameOutcome outcome;
  for (const Frame* frame : {&full, &other, &full, &full}) {
    matcher.Match(frame->view(), outcome);
    EXPECT_EQ(Difference(outcome, OracleOutcome(matcher.params(), *frame)), "");
  }
}

TEST(MatcherTest, AWarmMatcherDoesNotAllocate) {
  if (!Allocations()) {
    GTEST_SKIP() << "this sanitizer has an operator new of its own";
  }
  Frame frame;
  for (std::uint32_t i = 0; i < 50; ++i) {
    frame.Truth({0, 0, 10.0 + i % 5, 10}, i % 3);
    frame.Detect(kBox, 0.5F, i % 7);
    frame.Detect(kBox, 0.6F, i % 7 == 0 ? 1000000 : 2);
  }
  for (const EvaluationParams& params : {EvaluationParams::Coco(), VocWithCocoGrid(true)}) {
    Matcher matcher(params);
    FrameOutcome outcome;
    matcher.Match(frame.view(), outcome);
    const auto before = Allocations();
    matcher.Match(frame.view(), outcome);
    EXPECT_EQ(Allocations(), before);
  }
}

TEST(MatcherTest, AMatcherCanBeMoved) {
  Frame frame;
  frame.Truth(kBox);
  frame.Detect(kBox, 0.9F);
  Matcher first(EvaluationParams::Voc(Interpolation::kAllPoints, true));
  Matcher second = std::move(first);
  FrameOutcome outcome;
  second.Match(frame.view(), outcome);
  EXPECT_EQ(outcome.detections[0].true_positive[0], 1);
  EXPECT_EQ(second.params().matching_rule, MatchingRule::kVoc);
}

}  // namespace
}  // namespace detwatch::match
