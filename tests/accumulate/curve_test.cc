#include "lib/accumulate/curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

constexpr Interpolation kInterpolations[] = {Interpolation::k101Points, Interpolation::k11Points,
                                             Interpolation::kAllPoints};

TEST(CurveTest, AgreesWithTheObviousReadingOfEveryInterpolation) {
  Random random(3);
  for (int trial = 0; trial < 6000; ++trial) {
    const std::size_t n = random.Below(trial % 100 == 0 ? 3000 : 60);
    const double rate = random.Unit();
    std::vector<std::uint8_t> ranked;
    std::int64_t hits = 0;
    for (std::size_t i = 0; i < n; ++i) {
      ranked.push_back(random.Chance(rate) ? 1 : 0);
      hits += ranked.back();
    }
    const auto ground_truths = std::max<std::int64_t>(1, hits + static_cast<std::int64_t>(random.Below(20)));
    for (const Interpolation interpolation : kInterpolations) {
      const double expected = ObviousAveragePrecision(ranked, ground_truths, interpolation);
      const double actual = AveragePrecision(ranked, ground_truths, interpolation);
      if (interpolation == Interpolation::kAllPoints) {
        ASSERT_NEAR(actual, expected, 1e-13);
      } else {
        ASSERT_EQ(actual, expected);  // to the bit
      }
    }
  }
}

TEST(CurveTest, RecallPointsAreMultiplesOfOneHundredthAndNotHundredthParts) {
  // 35 * 0.01 is above 35 / 100, so with 100 ground truths the 35th TP does not reach recall point 35.
  ASSERT_GT(35 * 0.01, 35.0 / 100);
  const std::vector<std::uint8_t> ranked(35, 1);
  EXPECT_DOUBLE_EQ(AveragePrecision(ranked, 100, Interpolation::k101Points), 35.0 / 101);
  const std::vector<std::uint8_t> one_more(36, 1);
  EXPECT_DOUBLE_EQ(AveragePrecision(one_more, 100, Interpolation::k101Points), 37.0 / 101);
  // The binned curve reads the same points.
  const std::vector<BinCounts> bins = {{35, 0}};
  EXPECT_DOUBLE_EQ(BinnedAveragePrecision(bins, 100, Interpolation::k101Points).value, 35.0 / 101);
}

TEST(CurveTest, ThePerfectSingleDetectionIsJustBelowOneInCoco) {
  const std::vector<std::uint8_t> ranked = {1};
  EXPECT_EQ(AveragePrecision(ranked, 1, Interpolation::k11Points), 1.0);
  EXPECT_EQ(AveragePrecision(ranked, 1, Interpolation::kAllPoints), 1.0);
  EXPECT_NEAR(AveragePrecision(ranked, 1, Interpolation::k101Points), 1.0, 1e-14);
}

TEST(CurveTest, APageOfKnownValues) {
  // TP FP TP FP TP of 4 ground truths: precisions at TPs 1, 2/3, 3/5 at recalls 1/4, 1/2, 3/4.
  const std::vector<std::uint8_t> ranked = {1, 0, 1, 0, 1};
  EXPECT_NEAR(AveragePrecision(ranked, 4, Interpolation::kAllPoints), (1 + 2.0 / 3 + 0.6) / 4, 1e-15);
  // Recalls 0, .1, .2 | .3, .4, .5 | .6, .7 (above 0.75: none).
  EXPECT_NEAR(AveragePrecision(ranked, 4, Interpolation::k11Points), (3 + 3 * 2.0 / 3 + 2 * 0.6) / 11, 1e-15);
  EXPECT_NEAR(AveragePrecision(ranked, 4, Interpolation::k101Points), (26 + 25 * 2.0 / 3 + 25 * 0.6) / 101,
              1e-14);
}

TEST(CurveTest, WithoutGroundTruthsApIsUndefined) {
  const std::vector<std::uint8_t> ranked = {0, 0};
  const std::vector<BinCounts> bins = {{0, 2}};
  for (const Interpolation interpolation : kInterpolations) {
    EXPECT_TRUE(std::isnan(AveragePrecision(ranked, 0, interpolation)));
    const ApValue binned = BinnedAveragePrecision(bins, 0, interpolation);
    EXPECT_TRUE(std::isnan(binned.value) && std::isnan(binned.lower) && std::isnan(binned.upper));
  }
}

TEST(CurveTest, GroundTruthsWithoutDetectionsGiveZero) {
  for (const Interpolation interpolation : kInterpolations) {
    EXPECT_EQ(AveragePrecision({}, 3, interpolation), 0);
    EXPECT_EQ(BinnedAveragePrecision({}, 3, interpolation).value, 0);
    EXPECT_EQ(BinnedAveragePrecision({}, 3, interpolation).upper, 0);
    const std::vector<BinCounts> only_false = {{0, 5}};
    EXPECT_EQ(BinnedAveragePrecision(only_false, 3, interpolation).upper, 0);
  }
}

}  // namespace
}  // namespace detwatch::accumulate
