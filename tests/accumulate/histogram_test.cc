#include "lib/accumulate/histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

std::vector<Judged> RandomFrames(Random& random, const EvaluationParams& params, std::size_t n) {
  std::vector<Judged> frames;
  for (std::size_t i = 0; i < n; ++i) {
    frames.push_back(RandomJudged(random, params));
  }
  return frames;
}

bool Has(IouMask mask, std::size_t threshold) {
  return (mask >> threshold & 1) != 0;
}

class HistogramTest : public testing::Test {
 protected:
  const EvaluationParams params_ = ParamsWithPoints();
  const Shape fine_ = Shape::Fine(params_);
  const Shape coarse_ = Shape::Coarse(params_);
  Random random_{5};
};

TEST_F(HistogramTest, EveryTallyHasAPlaceOfItsOwn) {
  std::vector<int> used(fine_.tallies(), 0);
  for (std::size_t a = 0; a < fine_.areas; ++a) {
    ++used[fine_.GroundTruths(a)];
  }
  ++used[fine_.IgnoredGroundTruths()];
  ++used[fine_.Frames()];
  ++used[fine_.FramesIgnored()];
  ++used[fine_.IouSum()];
  for (std::size_t t = 0; t < fine_.thresholds; ++t) {
    for (std::size_t k = 0; k < fine_.max_dets; ++k) {
      ++used[fine_.TruePositivesByMaxDets(k, t)];
    }
    for (std::size_t c = 0; c < fine_.operating_points; ++c) {
      ++used[fine_.TruePositives(c, t)];
      ++used[fine_.FalsePositives(c, t)];
    }
  }
  for (std::size_t c = 0; c < fine_.operating_points; ++c) {
    for (std::size_t outcome = 0; outcome < 3; ++outcome) {
      ++used[fine_.FrameOutcomes(c, outcome)];
    }
  }
  EXPECT_EQ(used, std::vector<int>(fine_.tallies(), 1));
}

TEST_F(HistogramTest, TablesCountWhatTheMasksSayBinByBin) {
  const auto frames = RandomFrames(random_, params_, 300);
  const Histogram histogram = HistogramOf(fine_, params_, frames);
  for (std::size_t area = 0; area < fine_.areas; ++area) {
    const BinLayout& layout = fine_.layout(area);
    const CountTable& table = histogram.table(area);
    ASSERT_EQ(table.bins(), layout.bins());
    for (int bin = 0; bin < layout.bins(); ++bin) {
      std::int64_t detections = 0;
      std::vector<std::int64_t> tp(fine_.thresholds), fp(fine_.thresholds), ignored(fine_.thresholds);
      for (const Judged& frame : frames) {
        for (const DetectionOutcome& d : frame.detections) {
          if (layout.Bin(d.score) != bin || d.ignored[area] == (1U << fine_.thresholds) - 1) {
            continue;
          }
          ++detections;
          for (std::size_t t = 0; t < fine_.thresholds; ++t) {
            ++(Has(d.true_positive[area], t) ? tp : Has(d.ignored[area], t) ? ignored : fp)[t];
          }
        }
      }
      ASSERT_EQ(table.Detections(bin), detections);
      for (std::size_t t = 0; t < fine_.thresholds; ++t) {
        ASSERT_EQ(table.TruePositives(bin, t), tp[t]);
        ASSERT_EQ(table.FalsePositives(bin, t), fp[t]);
        ASSERT_EQ(table.Ignored(bin, t), ignored[t]);
      }
    }
  }
}

TEST_F(HistogramTest, OperatingPointsAndMaxDetsAreCountedExactly) {
  const auto frames = RandomFrames(random_, params_, 300);
  const Histogram histogram = HistogramOf(coarse_, params_, frames);
  for (std::size_t t = 0; t < coarse_.thresholds; ++t) {
    for (std::size_t c = 0; c < coarse_.operating_points; ++c) {
      std::int64_t tp = 0;
      std::int64_t fp = 0;
      for (const Judged& frame : frames) {
        for (const DetectionOutcome& d : frame.detections) {
          if (d.score >= params_.operating_points[c]) {
            tp += Has(d.true_positive[0], t);
            fp += !Has(d.true_positive[0], t) && !Has(d.ignored[0], t);
          }
        }
      }
      EXPECT_EQ(histogram.Tally(coarse_.TruePositives(c, t)), tp);
      EXPECT_EQ(histogram.Tally(coarse_.FalsePositives(c, t)), fp);
    }
    for (std::size_t k = 0; k < coarse_.max_dets; ++k) {
      std::int64_t tp = 0;
      for (const Judged& frame : frames) {
        for (const DetectionOutcome& d : frame.detections) {
          tp += d.rank < params_.max_dets[k] && Has(d.true_positive[0], t);
        }
      }
      EXPECT_EQ(histogram.Tally(coarse_.TruePositivesByMaxDets(k, t)), tp);
    }
  }
}

TEST_F(HistogramTest, IouIsSummedOverTruePositivesAtTheFirstOperatingPoint) {
  Judged frame;
  frame.outcome.ground_truths = {3, 0, 0, 0};
  frame.outcome.count = 4;
  const auto add = [&](float score, float iou, IouMask tp) {
    DetectionOutcome d;
    d.score = score;
    d.iou = iou;
    d.true_positive[0] = tp;
    frame.detections.push_back(d);
  };
  add(0.9F, 0.75F, 0b111111);
  add(0.5F, 0.5F, 0b1);     // exactly on the point: counts
  add(0.49F, 0.9F, 0b1);    // below it
  add(0.9F, 0.0F, 0b1000);  // not a TP at IoU 0.50
  const Histogram histogram = HistogramOf(fine_, params_, {frame});
  EXPECT_EQ(histogram.Tally(fine_.IouSum()), static_cast<std::int64_t>(1.25 * 4294967296.0));
}

TEST_F(HistogramTest, FrameOutcomesAskWhetherAnObjectIsThere) {
  const auto frame = [](std::uint32_t ground_truths, std::uint32_t ignored, const std::vector<float>& scores,
                        IouMask ignored_mask = 0) {
    Judged judged;
    judged.outcome.ground_truths[0] = ground_truths;
    judged.outcome.ignored_ground_truths = ignored;
    judged.outcome.count = static_cast<std::uint32_t>(scores.size());
    for (const float score : scores) {
      DetectionOutcome d;
      d.score = score;
      d.ignored[0] = ignored_mask;
      judged.detections.push_back(d);
    }
    return judged;
  };
  struct Case {
    Judged judged;
    std::array<std::int64_t, 4> expected;  // tp, fp, fn, frames ignored, at point 0 (confidence 0.5)
  };
  const std::vector<Case> cases = {
      {frame(1, 0, {0.6F}), {1, 0, 0, 0}},  // whether the boxes meet does not matter
      {frame(1, 0, {0.4F}), {0, 0, 1, 0}},  // below the point
      {frame(2, 1, {}), {0, 0, 1, 0}},
      {frame(0, 0, {0.9F, 0.8F}), {0, 1, 0, 0}},  // once a frame
      {frame(0, 0, {0.4F}), {0, 0, 0, 0}},        // a true negative is what remains
      {frame(0, 1, {0.9F}), {0, 0, 0, 1}},        // only ignored ground truths: in no cell
      {frame(1, 1, {0.9F}, 0b1), {0, 0, 1, 0}},   // ignored at IoU 0.50: predicts nothing
      {frame(1, 0, {0.9F}, 0b10), {1, 0, 0, 0}},  // ignored elsewhere: does
      {frame(0, 0, {0.9F}, 0b1111111111), {0, 0, 0, 0}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Histogram histogram = HistogramOf(fine_, params_, {cases[i].judged});
    EXPECT_EQ(histogram.Tally(fine_.FrameOutcomes(0, 0)), cases[i].expected[0]) << "case " << i;
    EXPECT_EQ(histogram.Tally(fine_.FrameOutcomes(0, 1)), cases[i].expected[1]) << "case " << i;
    EXPECT_EQ(histogram.Tally(fine_.FrameOutcomes(0, 2)), cases[i].expected[2]) << "case " << i;
    EXPECT_EQ(histogram.Tally(fine_.FramesIgnored()), cases[i].expected[3]) << "case " << i;
  }
}

TEST_F(HistogramTest, ADetectionIgnoredEverywhereTouchesNoRow) {
  Judged frame;
  frame.outcome.count = 1;
  DetectionOutcome d;
  d.score = 0.7F;
  d.ignored.fill(0b1111111111);
  frame.detections = {d};
  Histogram histogram = HistogramOf(fine_, params_, {frame});
  histogram.AddTally(fine_.Frames(), -1);
  EXPECT_TRUE(histogram.IsZero());
}

TEST_F(HistogramTest, MergeCommutesAndAssociates) {
  const Histogram a = HistogramOf(fine_, params_, RandomFrames(random_, params_, 60));
  const Histogram b = HistogramOf(fine_, params_, RandomFrames(random_, params_, 60));
  const Histogram c = HistogramOf(fine_, params_, RandomFrames(random_, params_, 60));
  Histogram ab = a;
  ab.Add(b);
  Histogram ba = b;
  ba.Add(a);
  EXPECT_EQ(ab, ba);
  EXPECT_NE(ab, a);
  Histogram ab_c = ab;
  ab_c.Add(c);
  Histogram bc = b;
  bc.Add(c);
  Histogram a_bc = a;
  a_bc.Add(bc);
  EXPECT_EQ(ab_c, a_bc);
  Histogram with_nothing = a;
  with_nothing.Add(Histogram(fine_));
  EXPECT_EQ(with_nothing, a);
}

TEST_F(HistogramTest, MergeIsTheCountOfBoth) {
  auto frames = RandomFrames(random_, params_, 80);
  const std::vector<Judged> first(frames.begin(), frames.begin() + 30);
  const std::vector<Judged> second(frames.begin() + 30, frames.end());
  Histogram sum = HistogramOf(fine_, params_, first);
  sum.Add(HistogramOf(fine_, params_, second));
  EXPECT_EQ(sum, HistogramOf(fine_, params_, frames));
}

TEST_F(HistogramTest, SubtractUndoesAdd) {
  const Histogram a = HistogramOf(fine_, params_, RandomFrames(random_, params_, 60));
  const Histogram b = HistogramOf(fine_, params_, RandomFrames(random_, params_, 60));
  Histogram sum = a;
  sum.Add(b);
  sum.Subtract(b);
  EXPECT_EQ(sum, a);
  sum.Subtract(a);
  EXPECT_TRUE(sum.IsZero());
  EXPECT_FALSE(a.IsZero());
}

TEST_F(HistogramTest, CountingWithANegativeSignTakesAFrameBack) {
  const auto frames = RandomFrames(random_, params_, 40);
  Histogram histogram = HistogramOf(fine_, params_, frames);
  for (const Judged& frame : frames) {
    histogram.Count(params_, frame.outcome, frame.detections, -1);
    histogram.AddTally(fine_.Frames(), -1);
  }
  EXPECT_TRUE(histogram.IsZero());
}

TEST_F(HistogramTest, CoarseningCommutesWithAdd) {
  const auto one = RandomFrames(random_, params_, 60);
  const auto two = RandomFrames(random_, params_, 60);
  const Histogram a = HistogramOf(fine_, params_, one);
  const Histogram b = HistogramOf(fine_, params_, two);
  Histogram coarse_of_sum(coarse_);
  Histogram sum = a;
  sum.Add(b);
  coarse_of_sum.Add(sum);
  Histogram sum_of_coarse(coarse_);
  sum_of_coarse.Add(a);
  sum_of_coarse.Add(b);
  EXPECT_EQ(coarse_of_sum, sum_of_coarse);
  // And both are what counting into coarse bins gives.
  Histogram counted = HistogramOf(coarse_, params_, one);
  counted.Add(HistogramOf(coarse_, params_, two));
  EXPECT_EQ(coarse_of_sum, counted);
}

TEST_F(HistogramTest, CompactForgetsZeroRowsAndKeepsTheValue) {
  const Histogram a = HistogramOf(fine_, params_, RandomFrames(random_, params_, 20));
  const Histogram b = HistogramOf(fine_, params_, RandomFrames(random_, params_, 200));
  Histogram sum = a;
  sum.Add(b);
  sum.Subtract(b);
  const std::size_t before = sum.bytes();
  sum.Compact();
  EXPECT_EQ(sum, a);
  EXPECT_LT(sum.bytes(), before);
  sum.Add(b);  // rows can come back
  sum.Subtract(a);
  EXPECT_EQ(sum, b);
}

TEST_F(HistogramTest, ClearIsZeroAndKeepsItsMemory) {
  const auto frames = RandomFrames(random_, params_, 100);
  Histogram histogram = HistogramOf(fine_, params_, frames);
  const std::size_t before = histogram.bytes();
  histogram.Clear();
  EXPECT_TRUE(histogram.IsZero());
  EXPECT_EQ(histogram.bytes(), before);
  for (const Judged& frame : frames) {
    histogram.Count(params_, frame.outcome, frame.detections);
    histogram.AddTally(fine_.Frames(), 1);
  }
  EXPECT_EQ(histogram, HistogramOf(fine_, params_, frames));
}

TEST_F(HistogramTest, ValuesAreEqualWhateverRowsExist) {
  const Histogram a = HistogramOf(fine_, params_, RandomFrames(random_, params_, 5));
  const Histogram b = HistogramOf(fine_, params_, RandomFrames(random_, params_, 50));
  Histogram with_zero_rows = a;
  with_zero_rows.Add(b);
  with_zero_rows.Subtract(b);
  EXPECT_EQ(with_zero_rows, a);
  EXPECT_EQ(a, with_zero_rows);
  EXPECT_NE(a, Histogram(coarse_));
}

TEST_F(HistogramTest, ASaturatedClassStaysWithinItsMemoryBudget) {
  // 80 classes in total and three windows shall fit into 40 MB; every bin of every area is touched here.
  const auto saturated = [&](const Shape& shape) {
    Histogram histogram(shape);
    for (std::size_t area = 0; area < shape.areas; ++area) {
      for (const double edge : shape.layout(area).edges()) {
        Judged frame;
        frame.outcome.count = 1;
        DetectionOutcome d;
        d.score = static_cast<float>(edge);
        d.true_positive.fill(1);
        d.ignored = {0, 2, 2, 2};
        frame.detections = {d};
        histogram.Count(params_, frame.outcome, frame.detections);
      }
    }
    return histogram.bytes();
  };
  EXPECT_LT(80 * (saturated(fine_) + 3 * saturated(coarse_)), 40'000'000);
}

TEST(HistogramOfVocTest, OneThresholdOneAreaAndNoTruncationAreCounted) {
  const EvaluationParams params = EvaluationParams::Voc(Interpolation::kAllPoints, false);
  const Shape shape = Shape::Fine(params);
  Judged frame;
  frame.outcome.count = 200;
  frame.outcome.ground_truths[0] = 150;
  for (std::uint32_t i = 0; i < 200; ++i) {
    DetectionOutcome d;
    d.score = 0.75F;
    d.rank = i;
    d.true_positive[0] = i < 120 ? 1 : 0;
    frame.detections.push_back(d);
  }
  const Histogram histogram = HistogramOf(shape, params, {frame});
  EXPECT_EQ(histogram.Tally(shape.TruePositivesByMaxDets(0, 0)), 120);
  EXPECT_EQ(histogram.Tally(shape.TruePositives(0, 0)), 120);
  EXPECT_EQ(histogram.Tally(shape.FalsePositives(0, 0)), 80);
}

}  // namespace
}  // namespace detwatch::accumulate
