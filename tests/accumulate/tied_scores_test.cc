// Detectors with few different scores: all of a bin's detections have one, and their order is that of
// arrival. Arrival is unrelated to correctness here; an estimate is held against the mean of the exact AP
// over random arrivals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "lib/accumulate/summary.h"
#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

// Of one score: how many TPs and FPs.
struct Group {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
};

struct Scores {
  std::map<float, Group> groups;
  std::int64_t detections = 0;
  std::int64_t true_positives = 0;
  std::int64_t ground_truths = 0;

  void Add(float score, bool hit) {
    Group& group = groups[score];
    ++(hit ? group.true_positives : group.false_positives);
    ++detections;
    true_positives += hit ? 1 : 0;
  }
};

EvaluationParams OneThreshold(Interpolation interpolation) {
  EvaluationParams params = interpolation == Interpolation::k101Points
                                ? EvaluationParams::Coco()
                                : EvaluationParams::Voc(interpolation, false);
  params.iou_thresholds = {0.5};
  return params;
}

Histogram Counted(const EvaluationParams& params, const Shape& shape, const Scores& scores) {
  Judged frame;
  for (std::size_t area = 0; area < params.areas(); ++area) {
    frame.outcome.ground_truths[area] = static_cast<std::uint32_t>(scores.ground_truths);
  }
  for (const auto& [score, group] : scores.groups) {
    DetectionOutcome one;
    one.score = score;
    one.true_positive.fill(1);
    frame.detections.insert(frame.detections.end(), static_cast<std::size_t>(group.true_positives), one);
    one.true_positive.fill(0);
    frame.detections.insert(frame.detections.end(), static_cast<std::size_t>(group.false_positives), one);
  }
  frame.outcome.count = static_cast<std::uint32_t>(frame.detections.size());
  return HistogramOf(shape, params, {frame});
}

ApValue Estimate(const EvaluationParams& params, const Histogram& histogram, std::size_t area = 0) {
  return Summarise(params, histogram, nullptr).ap[area][0];
}

// Exact AP of one random arrival.
double OneArrival(Random& random, const Scores& scores, Interpolation interpolation) {
  std::vector<std::uint8_t> ranked;
  for (auto group = scores.groups.rbegin(); group != scores.groups.rend(); ++group) {
    std::vector<std::uint8_t> part(static_cast<std::size_t>(group->second.true_positives), 1);
    part.resize(part.size() + static_cast<std::size_t>(group->second.false_positives), 0);
    random.Shuffle(part);
    ranked.insert(ranked.end(), part.begin(), part.end());
  }
  return AveragePrecision(ranked, scores.ground_truths, interpolation);
}

// The mean over so many that its own error is a tenth of what is promised, or little more.
double MeanOverArrivals(Random& random, const Scores& scores, Interpolation interpolation) {
  const std::int64_t arrivals = std::clamp<std::int64_t>(400'000 / scores.detections, 60, 2000);
  double sum = 0;
  for (std::int64_t i = 0; i < arrivals; ++i) {
    sum += OneArrival(random, scores, interpolation);
  }
  return sum / static_cast<double>(arrivals);
}

// In both layouts the estimate is `within` of what random arrivals give, and its bounds hold one of them.
void ExpectNear(Random& random, const Scores& scores, double within,
                Interpolation interpolation = Interpolation::k101Points) {
  const EvaluationParams params = OneThreshold(interpolation);
  const double exact = MeanOverArrivals(random, scores, interpolation);
  const double one = OneArrival(random, scores, interpolation);
  for (const Shape& shape : {Shape::Fine(params), Shape::Coarse(params)}) {
    const ApValue ap = Estimate(params, Counted(params, shape, scores));
    EXPECT_NEAR(ap.value, exact, within)
        << scores.groups.size() << " scores, " << scores.detections << " detections, "
        << scores.true_positives << " of " << scores.ground_truths << " found, " << NameOf(interpolation)
        << ", " << shape.layout(0).name();
    EXPECT_LE(ap.lower, ap.value);
    EXPECT_LE(ap.value, ap.upper);
    EXPECT_LE(ap.lower, one + 1e-12);
    EXPECT_GE(ap.upper, one - 1e-12);
  }
}

// From 50 to 20 000, as many of each size.
std::int64_t RandomSize(Random& random) {
  return static_cast<std::int64_t>(50 * std::pow(400, random.Unit()));
}

void Miss(Random& random, Scores& scores) {
  scores.ground_truths =
      scores.true_positives +
      static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(scores.true_positives / 2 + 1)));
}

// With fewer than 50 TPs the AP of one arrival itself scatters by 0.02 and more.
constexpr std::int64_t kEnough = 50;

class TiedInterpolationTest : public testing::TestWithParam<Interpolation> {};

// VOC2007 reads one of its 11 points at the first TP, where precision of a random order is anything up to 1;
// the AP of one arrival scatters there by 0.02 and more.
double Promised(Interpolation interpolation) {
  return interpolation == Interpolation::k11Points ? 0.02 : 0.006;
}

TEST_P(TiedInterpolationTest, OneScoreIsNearTheMeanOverArrivals) {
  Random random(41);
  const float at[] = {0, 1, 0.5F, 0.8F, 1e-6F};
  for (int trial = 0; trial < 60; ++trial) {
    Scores scores;
    const double precision = random.Unit();
    for (std::int64_t i = RandomSize(random); i > 0; --i) {
      scores.Add(at[trial % 5], random.Chance(precision));
    }
    Miss(random, scores);
    if (scores.true_positives >= kEnough) {
      ExpectNear(random, scores, Promised(GetParam()), GetParam());
    }
  }
}

TEST_P(TiedInterpolationTest, TwoScoresAreNearTheMeanOverArrivals) {
  Random random(42);
  const float pairs[][2] = {{0, 1}, {0.25F, 0.75F}, {0.9F, 0.95F}, {0.5F, 1}, {0, 0.001F}};
  for (int trial = 0; trial < 80; ++trial) {
    Scores scores;
    const double high = random.Unit();
    const double low = trial % 4 == 0 ? random.Unit() : high * random.Unit();
    const double share = random.Unit();
    for (std::int64_t i = RandomSize(random); i > 0; --i) {
      const bool first = random.Chance(share);
      scores.Add(pairs[trial % 5][first ? 1 : 0], random.Chance(first ? high : low));
    }
    Miss(random, scores);
    if (scores.true_positives >= kEnough) {
      ExpectNear(random, scores, Promised(GetParam()), GetParam());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Interpolations, TiedInterpolationTest,
                         testing::Values(Interpolation::k101Points, Interpolation::k11Points,
                                         Interpolation::kAllPoints),
                         [](const auto& tested) { return NameOf(tested.param); });

// Scores on a grid of `values`; confident, modest or anything; a score means something.
Scores OnAGrid(Random& random, int values, std::int64_t detections) {
  Scores scores;
  const double crowding = 0.3 + 4 * random.Unit();  // above 1: most scores are low
  const double floor = random.Unit() / 3;
  const double slope = 0.4 + 0.25 * random.Unit();
  for (; detections > 0; --detections) {
    const double raw = std::pow(random.Unit(), crowding);
    const auto step = static_cast<float>(std::floor(raw * (values + 1)));
    const float score = std::min(1.0F, step / static_cast<float>(values));
    scores.Add(score, random.Chance(floor + slope * static_cast<double>(score)));
  }
  Miss(random, scores);
  return scores;
}

class GridTest : public testing::TestWithParam<int> {};

TEST_P(GridTest, AClassIsWithinTwoThousandths) {
  Random random(43);
  int held = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const auto detections = static_cast<std::int64_t>(800 * std::pow(25, random.Unit()));
    const Scores scores = OnAGrid(random, GetParam(), detections);
    if (scores.true_positives >= 1000) {
      ExpectNear(random, scores, 0.002);
      ++held;
    }
  }
  EXPECT_GT(held, 10);
}

INSTANTIATE_TEST_SUITE_P(Values, GridTest, testing::Values(100, 128, 200, 1000));

class CoarseScoresTest : public testing::TestWithParam<int> {};

TEST_P(CoarseScoresTest, TheMeanOverTwentyClassesIsWithinTwoThousandths) {
  Random random(44);
  const EvaluationParams params = OneThreshold(Interpolation::k101Points);
  for (int trial = 0; trial < 6; ++trial) {
    double exact = 0;
    double fine = 0;
    double coarse = 0;
    for (int c = 0; c < 20; ++c) {
      const Scores scores =
          OnAGrid(random, GetParam() - 1, static_cast<std::int64_t>(500 + random.Below(3000)));
      exact += MeanOverArrivals(random, scores, Interpolation::k101Points) / 20;
      fine += Estimate(params, Counted(params, Shape::Fine(params), scores)).value / 20;
      coarse += Estimate(params, Counted(params, Shape::Coarse(params), scores)).value / 20;
    }
    EXPECT_NEAR(fine, exact, 0.002);
    EXPECT_NEAR(coarse, exact, 0.002);
  }
}

INSTANTIATE_TEST_SUITE_P(Values, CoarseScoresTest, testing::Values(2, 5, 11));

TEST(TiedScoresTest, EveryAreaRangeKnowsThem) {
  Random random(45);
  const EvaluationParams params = OneThreshold(Interpolation::k101Points);
  Scores scores;
  for (int i = 0; i < 2000; ++i) {
    const bool sure = random.Chance(0.6);
    scores.Add(sure ? 1 : 0, random.Chance(sure ? 0.7 : 0.3));
  }
  scores.ground_truths = 1500;
  const double exact = MeanOverArrivals(random, scores, Interpolation::k101Points);
  for (const Shape& shape : {Shape::Fine(params), Shape::Coarse(params)}) {
    const Histogram histogram = Counted(params, shape, scores);
    for (std::size_t area = 0; area < params.areas(); ++area) {
      EXPECT_NEAR(Estimate(params, histogram, area).value, exact, 0.006) << area;
    }
  }
}

TEST(TiedScoresTest, WhatCameAndWentAgainUnties) {
  // A correction that takes back the only other score leaves a tied bin; one that moves it does not.
  const EvaluationParams params = OneThreshold(Interpolation::k101Points);
  const Shape shape = Shape::Coarse(params);
  Scores tied;
  Scores other;
  for (int i = 0; i < 900; ++i) {
    tied.Add(0.7F, i % 3 != 0);
  }
  tied.ground_truths = 700;
  other.Add(0.7001F, true);
  other.ground_truths = 1;
  const Histogram alone = Counted(params, shape, tied);
  const Histogram extra = Counted(params, shape, other);
  ASSERT_EQ(shape.layout(0).Bin(0.7F), shape.layout(0).Bin(0.7001F));
  const int bin = shape.layout(0).Bin(0.7F);
  EXPECT_TRUE(alone.table(0).Tied(bin));
  Histogram sum = alone;
  sum.Add(extra);
  EXPECT_FALSE(sum.table(0).Tied(bin));
  sum.Subtract(extra);
  EXPECT_TRUE(sum.table(0).Tied(bin));
  EXPECT_EQ(Estimate(params, sum).value, Estimate(params, alone).value);
}

TEST(ScoreSumsTest, OneScoreIsToldFromMany) {
  Random random(46);
  for (int trial = 0; trial < 2000; ++trial) {
    const auto score = static_cast<float>(random.Unit());
    const std::int64_t n = 2 + static_cast<std::int64_t>(random.Below(50));
    ScoreSums sums;
    for (std::int64_t i = 0; i < n; ++i) {
      sums.Add(ScoreSums::Of(score));
    }
    EXPECT_TRUE(sums.OneScore(n));
    // The nearest other score there is.
    sums.Add(ScoreSums::Of(std::nextafter(score, 2.0F)));
    EXPECT_FALSE(sums.OneScore(n + 1));
    sums.Add(ScoreSums::Of(std::nextafter(score, 2.0F)).Negated());
    EXPECT_TRUE(sums.OneScore(n));
  }
}

TEST(ScoreSumsTest, TakingBackFirstAndAddingLaterLeavesNothing) {
  const EvaluationParams params = OneThreshold(Interpolation::k101Points);
  const Shape shape = Shape::Fine(params);
  Scores scores;
  Random random(47);
  for (int i = 0; i < 500; ++i) {
    scores.Add(static_cast<float>(random.Unit()), random.Chance(0.5));
  }
  scores.ground_truths = 400;
  const Histogram counted = Counted(params, shape, scores);
  Histogram sum(shape);
  sum.Subtract(counted);
  EXPECT_FALSE(sum.IsZero());
  sum.Add(counted);
  EXPECT_TRUE(sum.IsZero());
  EXPECT_EQ(sum, Histogram(shape));
}

}  // namespace
}  // namespace detwatch::accumulate
