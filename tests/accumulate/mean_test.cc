#include <gtest/gtest.h>

#include <cmath>

#include "lib/accumulate/mean_sums.h"
#include "lib/accumulate/summary.h"
#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

class MeanTest : public testing::Test {
 protected:
  MeanTest() {
    Random random(51);
    for (int i = 0; i < 12; ++i) {
      std::vector<Judged> frames;
      for (int k = 0; k < 20; ++k) {
        frames.push_back(RandomJudged(random, params_));
        if (i % 3 == 0) {  // a class that nobody labelled, with detections
          frames.back().outcome.ground_truths = {};
          for (DetectionOutcome& d : frames.back().detections) {
            d.true_positive = {};
          }
        }
      }
      summaries_.push_back(Summarise(params_, HistogramOf(Shape::Coarse(params_), params_, frames), nullptr));
    }
    for (const ClassSummary& summary : summaries_) {
      classes_.push_back(&summary);
    }
  }

  const EvaluationParams params_ = ParamsWithPoints();
  std::vector<ClassSummary> summaries_;
  std::vector<const ClassSummary*> classes_;
};

TEST_F(MeanTest, MapIsTheMeanOverClassesWithGroundTruthsAndOverThresholds) {
  const MeanSummary mean = Mean(params_, classes_);
  EXPECT_EQ(mean.classes, 8);
  for (std::size_t area = 0; area < params_.areas(); ++area) {
    double all = 0;
    double all_upper = 0;
    double recall = 0;
    for (std::size_t t = 0; t < params_.thresholds(); ++t) {
      double value = 0;
      double lower = 0;
      for (const ClassSummary& one : summaries_) {
        if (one.ground_truths[area] > 0) {
          value += one.ap[area][t].value / 8;
          lower += one.ap[area][t].lower / 8;
          all += one.ap[area][t].value / 80;
          all_upper += one.ap[area][t].upper / 80;
          recall += one.recall[area][t] / 80;
        }
      }
      EXPECT_NEAR(mean.map[area][t].value, value, 1e-12);
      EXPECT_NEAR(mean.map[area][t].lower, lower, 1e-12);
    }
    EXPECT_NEAR(mean.map[area][params_.thresholds()].value, all, 1e-12);
    EXPECT_NEAR(mean.map[area][params_.thresholds()].upper, all_upper, 1e-12);
    EXPECT_NEAR(mean.ar[area], recall, 1e-12);
  }
}

TEST_F(MeanTest, ArByMaxDetsLeavesOutClassesWithoutGroundTruths) {
  const MeanSummary mean = Mean(params_, classes_);
  for (std::size_t k = 0; k < params_.max_dets.size(); ++k) {
    double sum = 0;
    for (const ClassSummary& one : summaries_) {
      for (std::size_t t = 0; one.ground_truths[0] > 0 && t < params_.thresholds(); ++t) {
        sum += one.recall_by_max_dets[k][t] / 80;
      }
    }
    EXPECT_NEAR(mean.ar_by_max_dets[k], sum, 1e-12);
  }
}

TEST_F(MeanTest, MicroSumsFalsePositivesOfClassesWithoutGroundTruthsToo) {
  const MeanSummary mean = Mean(params_, classes_);
  for (std::size_t c = 0; c < params_.operating_points.size(); ++c) {
    OperatingCounts sum;
    std::int64_t unlabelled = 0;
    FrameCounts frames;
    for (const ClassSummary& one : summaries_) {
      sum.true_positives += one.operating[c][2].true_positives;
      sum.false_positives += one.operating[c][2].false_positives;
      sum.false_negatives += one.operating[c][2].false_negatives;
      unlabelled += one.ground_truths[0] == 0 ? one.operating[c][2].false_positives : 0;
      frames.tp += one.frames[c].tp;
      frames.tn += one.frames[c].tn;
    }
    EXPECT_EQ(mean.micro[c][2].true_positives, sum.true_positives);
    EXPECT_EQ(mean.micro[c][2].false_positives, sum.false_positives);
    EXPECT_EQ(mean.micro[c][2].false_negatives, sum.false_negatives);
    EXPECT_GT(unlabelled, 0);
    EXPECT_EQ(mean.frames[c].tp, frames.tp);
    EXPECT_EQ(mean.frames[c].tn, frames.tn);
  }
}

TEST_F(MeanTest, MacroLeavesOutUndefinedPrecisionAndCountsItsRecallAsZero) {
  ClassSummary silent;  // ground truths, no detections
  silent.ground_truths[0] = 5;
  silent.operating[0][0] = {.true_positives = 0, .false_positives = 0, .false_negatives = 5};
  ClassSummary good;
  good.ground_truths[0] = 4;
  good.operating[0][0] = {.true_positives = 3, .false_positives = 1, .false_negatives = 1};
  ClassSummary unlabelled;
  unlabelled.operating[0][0] = {.true_positives = 0, .false_positives = 7, .false_negatives = 0};
  const std::vector<const ClassSummary*> classes = {&silent, &good, &unlabelled};
  const MeanSummary mean = Mean(params_, classes);
  EXPECT_DOUBLE_EQ(mean.macro[0][0].precision, 0.75);
  EXPECT_DOUBLE_EQ(mean.macro[0][0].recall, 0.375);
  EXPECT_DOUBLE_EQ(mean.macro[0][0].f1, 0.375);
  EXPECT_DOUBLE_EQ(mean.micro[0][0].Precision(), 3.0 / 11);
}

TEST_F(MeanTest, MeanIouWeighsClassesByTheirTruePositives) {
  const std::size_t headline = params_.HeadlineIou();
  ClassSummary a;
  a.operating[0][headline].true_positives = 30;
  a.iou_mean = 0.9;
  ClassSummary b;
  b.operating[0][headline].true_positives = 10;
  b.iou_mean = 0.5;
  ClassSummary none;
  none.iou_mean = std::nan("");
  const std::vector<const ClassSummary*> classes = {&a, &b, &none};
  EXPECT_DOUBLE_EQ(Mean(params_, classes).iou_mean, 0.8);
}

TEST_F(MeanTest, WithoutGroundTruthsAnywhereAllMeansAreUndefined) {
  const MeanSummary mean = Mean(params_, {});
  EXPECT_EQ(mean.classes, 0);
  EXPECT_TRUE(mean.exact);
  EXPECT_TRUE(std::isnan(mean.map[0][0].value));
  EXPECT_TRUE(std::isnan(mean.map[3][params_.thresholds()].upper));
  EXPECT_TRUE(std::isnan(mean.ar[0]));
  EXPECT_TRUE(std::isnan(mean.ar_by_max_dets[2]));
  EXPECT_TRUE(std::isnan(mean.macro[0][0].f1));
  EXPECT_TRUE(std::isnan(mean.micro[0][0].Precision()));
  EXPECT_TRUE(std::isnan(mean.iou_mean));
}

TEST_F(MeanTest, ExactMeansThatEveryClassThatEntersIsExact) {
  ClassSummary exact;
  exact.exact = true;
  exact.ground_truths[0] = 1;
  ClassSummary binned = exact;
  binned.exact = false;
  ClassSummary outside;  // binned, but without ground truths it is in no mean
  const std::vector<const ClassSummary*> all_exact = {&exact, &outside};
  EXPECT_TRUE(Mean(params_, all_exact).exact);
  const std::vector<const ClassSummary*> mixed = {&exact, &binned};
  EXPECT_FALSE(Mean(params_, mixed).exact);
}

TEST_F(MeanTest, MeansOfPartsAreTheMean) {
  summaries_[1].exact = false;
  const MeanSummary whole = Mean(params_, classes_);
  EXPECT_FALSE(whole.exact);
  for (std::size_t split = 0; split <= classes_.size(); ++split) {
    MeanSums first;
    MeanSums second;
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      (c < split ? first : second).Add(params_, *classes_[c]);
    }
    first.Add(second);
    const MeanSummary parts = first.Mean(params_);
    EXPECT_EQ(parts.exact, whole.exact);
    EXPECT_EQ(parts.classes, whole.classes);
    EXPECT_EQ(parts.ground_truths, whole.ground_truths);
    EXPECT_NEAR(parts.iou_mean, whole.iou_mean, 1e-13);
    for (std::size_t area = 0; area < params_.areas(); ++area) {
      EXPECT_NEAR(parts.ar[area], whole.ar[area], 1e-13);
      for (std::size_t t = 0; t <= params_.thresholds(); ++t) {
        EXPECT_NEAR(parts.map[area][t].value, whole.map[area][t].value, 1e-13);
        EXPECT_NEAR(parts.map[area][t].upper, whole.map[area][t].upper, 1e-13);
      }
    }
    for (std::size_t k = 0; k < params_.max_dets.size(); ++k) {
      EXPECT_NEAR(parts.ar_by_max_dets[k], whole.ar_by_max_dets[k], 1e-13);
    }
    for (std::size_t t = 0; t < params_.thresholds(); ++t) {
      EXPECT_EQ(parts.micro[0][t].false_positives, whole.micro[0][t].false_positives);
      EXPECT_NEAR(parts.macro[0][t].f1, whole.macro[0][t].f1, 1e-13);
    }
    EXPECT_EQ(parts.frames[0].fp, whole.frames[0].fp);
  }
}

}  // namespace
}  // namespace detwatch::accumulate
