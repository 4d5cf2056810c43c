// Other geometries come through the door of lib/match/similarity.h and are assigned by the same rules:
// intervals on a line by their overlap, and points by their distance. Results are worked out by hand.

#include "lib/match/similarity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "lib/match/frame_matcher.h"
#include "lib/match/matcher.h"
#include "tests/match/oracle_support.h"

namespace detwatch::match {
namespace {

using Masks = std::array<IouMask, kMaxAreaRanges>;

struct Interval {
  double begin = 0;
  double end = 0;
  [[nodiscard]] double length() const { return end - begin; }
};

// IoU of intervals; against a crowd, the part of the detection that lies inside. Its area is its length.
class IntervalSimilarity {
 public:
  IntervalSimilarity(std::vector<Interval> detections, std::vector<Interval> ground_truths)
      : detections_(std::move(detections)), ground_truths_(std::move(ground_truths)) {}

  // Candidates below `least` too, down to those that have nothing in common.
  void TellEverything() { tells_everything_ = true; }
  [[nodiscard]] std::size_t told_below_least() const { return told_below_least_; }

  [[nodiscard]] double area(std::uint32_t index) const { return detections_[index].length(); }
  void StartClass(double least) {
    least_ = least;
    class_.clear();
  }
  void AddGroundTruth(std::uint32_t index, bool crowd) { class_.emplace_back(ground_truths_[index], crowd); }
  template <class Visit>
  void ForEachCandidate(std::uint32_t index, Visit&& visit) const {
    const Interval& detection = detections_[index];
    for (std::size_t i = 0; i < class_.size(); ++i) {
      const auto& [truth, crowd] = class_[i];
      const double shared =
          std::max(0.0, std::min(detection.end, truth.end) - std::max(detection.begin, truth.begin));
      const double all = crowd ? detection.length() : detection.length() + truth.length() - shared;
      const double similarity = shared / all;
      told_below_least_ += tells_everything_ && similarity < least_ ? 1 : 0;
      if (tells_everything_ || similarity >= least_) {
        visit(i, similarity);
      }
    }
  }

 private:
  std::vector<Interval> detections_;
  std::vector<Interval> ground_truths_;
  bool tells_everything_ = false;
  mutable std::size_t told_below_least_ = 0;
  double least_ = 0;
  std::vector<std::pair<Interval, bool>> class_;
};

// Points of no area, in steps of a tenth: 1 at the same place, 0 from ten away.
class PointSimilarity {
 public:
  PointSimilarity(std::vector<double> detections, std::vector<double> ground_truths)
      : detections_(std::move(detections)), ground_truths_(std::move(ground_truths)) {}

  [[nodiscard]] double area(std::uint32_t /*index*/) const { return 0; }
  void StartClass(double /*least*/) { class_.clear(); }
  void AddGroundTruth(std::uint32_t index, bool /*crowd*/) { class_.push_back(ground_truths_[index]); }
  template <class Visit>
  void ForEachCandidate(std::uint32_t index, Visit&& visit) const {
    for (std::size_t i = 0; i < class_.size(); ++i) {
      visit(i, std::max(0.0, 1 - std::abs(detections_[index] - class_[i]) / 10));
    }
  }

 private:
  std::vector<double> detections_;
  std::vector<double> ground_truths_;
  std::vector<double> class_;
};

static_assert(Similarity<IntervalSimilarity>);
static_assert(Similarity<PointSimilarity>);
static_assert(!Similarity<Interval>);

// The columns of a frame of one class unless said otherwise.
struct Columns {
  std::vector<float> scores;
  std::vector<ClassId> detection_classes = std::vector<ClassId>(scores.size());
  std::vector<double> areas;
  std::vector<ClassId> ground_truth_classes = std::vector<ClassId>(areas.size());
  std::vector<std::uint8_t> crowd = {};
  std::vector<std::uint8_t> difficult = {};

  [[nodiscard]] FrameColumns view() const {
    return {scores, detection_classes, areas, ground_truth_classes, crowd, difficult};
  }
};

template <Similarity G>
FrameOutcome Judge(const EvaluationParams& params, const Columns& columns, G& geometry) {
  FrameOutcome outcome;
  FrameMatcher(params).Match(columns.view(), geometry, outcome);
  return outcome;
}

void ExpectOutcome(const DetectionOutcome& detection, const Masks& true_positive, const Masks& ignored,
                   double similarity) {
  SCOPED_TRACE(detection.index);
  EXPECT_EQ(detection.true_positive, true_positive);
  EXPECT_EQ(detection.ignored, ignored);
  EXPECT_FLOAT_EQ(detection.iou, static_cast<float>(similarity));
}

TEST(SimilarityTest, AnyGeometryIsAssignedByTheSameRules) {
  EvaluationParams params = EvaluationParams::Coco();
  params.iou_thresholds = {0.5, 0.75};
  params.area_ranges = {{"all", 0, 1e10}, {"short", 0, 8}};
  IntervalSimilarity intervals({{0, 10}, {2, 12}, {190, 230}, {150, 160}, {155, 165}, {50, 53}},
                               {{0, 10}, {5, 15}, {100, 200}, {50, 54}});
  const Columns columns{.scores = {0.9F, 0.8F, 0.7F, 0.6F, 0.5F, 0.4F},
                        .areas = {10, 10, 100, 4},
                        .crowd = {0, 0, 1, 0},
                        .difficult = {1, 1, 1, 1}};  // which COCO does not know
  const FrameOutcome outcome = Judge(params, columns, intervals);
  ASSERT_EQ(outcome.detections.size(), 6U);
  // The first ground truth itself; among the short ones that is ignored.
  ExpectOutcome(outcome.detections[0], {3, 0}, {0, 3}, 1);
  // 8/12 of the first, which is taken, so 7/13 of the second: at 0.5 only, and it is too long for "short"
  // itself.
  ExpectOutcome(outcome.detections[1], {1, 0}, {0, 3}, 7.0 / 13);
  // A quarter of it is in the crowd.
  ExpectOutcome(outcome.detections[2], {0, 0}, {0, 3}, 0);
  // Both are inside the crowd.
  ExpectOutcome(outcome.detections[3], {0, 0}, {3, 3}, 0);
  ExpectOutcome(outcome.detections[4], {0, 0}, {3, 3}, 0);
  // 3/4 of the short one: equality reaches.
  ExpectOutcome(outcome.detections[5], {3, 3}, {0, 0}, 0.75);
  ASSERT_EQ(outcome.classes.size(), 1U);
  EXPECT_EQ(outcome.classes[0].ground_truths, (std::array<std::uint32_t, kMaxAreaRanges>{3, 1, 0, 0}));
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
}

TEST(SimilarityTest, AnyGeometryIsAssignedByVocsRuleToo) {
  IntervalSimilarity intervals({{0, 10}, {2, 12}, {100, 160}, {150, 160}, {7, 15}},
                               {{0, 10}, {5, 15}, {100, 200}, {50, 54}});
  const Columns columns{.scores = {0.9F, 0.8F, 0.7F, 0.6F, 0.5F},
                        .areas = {10, 10, 100, 4},
                        .crowd = {1, 1, 1, 1},  // which VOC does not know
                        .difficult = {0, 0, 1, 0}};
  const FrameOutcome outcome =
      Judge(EvaluationParams::Voc(Interpolation::kAllPoints, false), columns, intervals);
  ASSERT_EQ(outcome.detections.size(), 5U);
  ExpectOutcome(outcome.detections[0], {1}, {0}, 1);
  ExpectOutcome(outcome.detections[1], {0}, {0}, 0);  // 8/12 of one that is taken; there is no second choice
  ExpectOutcome(outcome.detections[2], {0}, {1}, 0);  // 60/100 of the difficult one
  ExpectOutcome(outcome.detections[3], {0}, {0}, 0);  // 10/100 of it, as it is no crowd here
  ExpectOutcome(outcome.detections[4], {1}, {0}, 0.8);
  EXPECT_EQ(outcome.classes[0].ground_truths[0], 3U);
  EXPECT_EQ(outcome.classes[0].ignored_ground_truths, 1U);
}

TEST(SimilarityTest, TiesGoByTheRuleAndNotByTheGeometry) {
  // The first point is 0.8 like each ground truth; the second 0.8 like the last one and 0.4 like the other.
  PointSimilarity points({2, 6}, {0, 4});
  const Columns columns{.scores = {0.9F, 0.8F}, .areas = {0, 0}};
  EvaluationParams coco = EvaluationParams::Coco();
  coco.iou_thresholds = {0.5};
  coco.area_ranges.resize(1);
  const FrameOutcome last = Judge(coco, columns, points);
  ExpectOutcome(last.detections[0], {1}, {0}, 0.8);
  ExpectOutcome(last.detections[1], {0}, {0}, 0);
  const FrameOutcome first = Judge(EvaluationParams::Voc(Interpolation::k11Points, false), columns, points);
  ExpectOutcome(first.detections[0], {1}, {0}, 0.8);
  ExpectOutcome(first.detections[1], {1}, {0}, 0.8);
}

// Intervals of three classes on whole numbers, so that equal similarities happen, and the same as boxes of
// height 1.
struct Line {
  explicit Line(std::mt19937& random) {
    std::uniform_int_distribution<int> below(0, 19);
    for (int i = below(random); i > 0; --i) {
      Add(random, boxes.ground_truth_boxes, ground_truths);
      const double length = ground_truths.back().length();
      boxes.ground_truth_areas.push_back(below(random) < 10 ? length : length / 2);
      boxes.ground_truth_classes.push_back(static_cast<ClassId>(below(random) % 3));
      boxes.crowd.push_back(below(random) < 3 ? 1 : 0);
      boxes.difficult.push_back(below(random) < 3 ? 1 : 0);
    }
    for (int i = below(random); i > 0; --i) {
      Add(random, boxes.detection_boxes, detections);
      boxes.scores.push_back(static_cast<float>(below(random)) / 20);
      boxes.detection_classes.push_back(static_cast<ClassId>(below(random) % 3));
    }
  }

  static void Add(std::mt19937& random, std::vector<Box>& boxes, std::vector<Interval>& intervals) {
    const double begin = std::uniform_int_distribution<int>(0, 30)(random);
    const double length = std::uniform_int_distribution<int>(1, 12)(random);
    boxes.push_back({begin, 0, length, 1});
    intervals.push_back({begin, begin + length});
  }

  Frame boxes;
  std::vector<Interval> detections;
  std::vector<Interval> ground_truths;
};

std::vector<EvaluationParams> ParamsOfBothRules() {
  EvaluationParams coco = EvaluationParams::Coco();
  coco.iou_thresholds = {0.2, 0.5, 0.75};
  coco.area_ranges = {{"all", 0, 1e10}, {"short", 0, 4}, {"long", 4, 1e10}};
  EvaluationParams voc = coco;
  voc.matching_rule = MatchingRule::kVoc;
  return {coco, voc};
}

TEST(SimilarityTest, IntervalsAreAssignedAsBoxesOfOneHeightAre) {
  for (const EvaluationParams& params : ParamsOfBothRules()) {
    std::mt19937 random(5);
    Matcher matcher(params);
    FrameMatcher rules(params);
    FrameOutcome of_boxes;
    FrameOutcome of_intervals;
    std::size_t true_positives = 0;
    for (int i = 0; i < 2000; ++i) {
      const Line line(random);
      IntervalSimilarity intervals(line.detections, line.ground_truths);
      matcher.Match(line.boxes.view(), of_boxes);
      rules.Match(line.boxes.view(), intervals, of_intervals);
      ASSERT_EQ(Difference(of_intervals, of_boxes), "") << "frame " << i;
      for (const DetectionOutcome& detection : of_intervals.detections) {
        true_positives += detection.true_positive[0] != 0 ? 1 : 0;
      }
    }
    EXPECT_GT(true_positives, 2000U) << "these frames hardly test anything";
  }
}

TEST(SimilarityTest, WhatAGeometryLeavesOutChangesNothing) {
  for (const EvaluationParams& params : ParamsOfBothRules()) {
    std::mt19937 random(6);
    FrameMatcher rules(params);
    FrameOutcome some;
    FrameOutcome all;
    std::size_t told_below_least = 0;
    for (int i = 0; i < 2000; ++i) {
      const Line line(random);
      IntervalSimilarity brief(line.detections, line.ground_truths);
      IntervalSimilarity talkative(line.detections, line.ground_truths);
      talkative.TellEverything();
      rules.Match(line.boxes.view(), brief, some);
      rules.Match(line.boxes.view(), talkative, all);
      ASSERT_EQ(Difference(all, some), "") << "frame " << i;
      told_below_least += talkative.told_below_least();
    }
    EXPECT_GT(told_below_least, 10000U) << "hardly anything was left out";
  }
}

}  // namespace
}  // namespace detwatch::match
