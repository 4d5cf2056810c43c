#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "lib/accumulate/curve.h"
#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

constexpr Interpolation kInterpolations[] = {Interpolation::k101Points, Interpolation::k11Points,
                                             Interpolation::kAllPoints};

struct Binned {
  std::vector<BinCounts> bins;
  std::int64_t true_positives = 0;
};

// Bins of any texture: empty ones, only TPs, only FPs, heavy ones among light ones.
Binned RandomBins(Random& random, std::uint64_t most_bins, std::uint64_t most_per_bin) {
  Binned out;
  const double tp_rate = random.Unit();
  for (std::size_t b = random.Below(most_bins) + 1; b > 0; --b) {
    BinCounts bin;
    if (random.Chance(0.7)) {
      bin.true_positives =
          random.Chance(tp_rate) ? static_cast<std::int64_t>(random.Below(most_per_bin + 1)) : 0;
    }
    if (random.Chance(0.7)) {
      bin.false_positives = static_cast<std::int64_t>(random.Below(most_per_bin + 1));
    }
    out.true_positives += bin.true_positives;
    out.bins.push_back(bin);
  }
  return out;
}

enum class Order { kRandom, kTruePositivesFirst, kFalsePositivesFirst };

// A ranked list that falls into these bins.
std::vector<std::uint8_t> Ranked(Random& random, const std::vector<BinCounts>& bins, Order order) {
  std::vector<std::uint8_t> out;
  for (const BinCounts& bin : bins) {
    std::vector<std::uint8_t> part(static_cast<std::size_t>(bin.true_positives), 1);
    part.resize(part.size() + static_cast<std::size_t>(bin.false_positives), 0);
    if (order == Order::kRandom) {
      random.Shuffle(part);
    } else if (order == Order::kFalsePositivesFirst) {
      std::reverse(part.begin(), part.end());
    }
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

class BoundsTest : public testing::TestWithParam<Interpolation> {};

TEST_P(BoundsTest, TheExactApOfAnyOrderInsideTheBinsLiesBetweenThem) {
  Random random(11);
  for (int trial = 0; trial < 6000; ++trial) {
    const std::uint64_t most_per_bin = trial % 3 == 0 ? 2 : trial % 3 == 1 ? 12 : 80;
    const Binned binned = RandomBins(random, trial % 2 == 0 ? 6 : 40, most_per_bin);
    const std::int64_t ground_truths =
        std::max<std::int64_t>(1, binned.true_positives + static_cast<std::int64_t>(random.Below(30)));
    const ApValue ap = BinnedAveragePrecision(binned.bins, ground_truths, GetParam());
    ASSERT_LE(0, ap.lower);
    ASSERT_LE(ap.lower, ap.value);
    ASSERT_LE(ap.value, ap.upper);
    ASSERT_LE(ap.upper, 1);
    for (const Order order :
         {Order::kRandom, Order::kRandom, Order::kTruePositivesFirst, Order::kFalsePositivesFirst}) {
      const double exact = AveragePrecision(Ranked(random, binned.bins, order), ground_truths, GetParam());
      // No tolerance: rounding is part of the theorem.
      ASSERT_LE(ap.lower, exact) << "trial " << trial;
      ASSERT_GE(ap.upper, exact) << "trial " << trial;
    }
  }
}

TEST_P(BoundsTest, TheyAreTheWorstAndTheBestOrderThemselves) {
  Random random(12);
  for (int trial = 0; trial < 2000; ++trial) {
    const Binned binned = RandomBins(random, 50, 30);
    const std::int64_t ground_truths = binned.true_positives + 1;
    const ApValue ap = BinnedAveragePrecision(binned.bins, ground_truths, GetParam());
    const auto best = Ranked(random, binned.bins, Order::kTruePositivesFirst);
    const auto worst = Ranked(random, binned.bins, Order::kFalsePositivesFirst);
    ASSERT_NEAR(ap.upper, AveragePrecision(best, ground_truths, GetParam()), 1e-14);
    ASSERT_NEAR(ap.lower, AveragePrecision(worst, ground_truths, GetParam()), 1e-14);
  }
}

TEST_P(BoundsTest, WithoutFalsePositivesNothingIsUncertain) {
  const std::vector<BinCounts> bins = {{5, 0}, {1, 0}, {4000, 0}};
  const ApValue ap = BinnedAveragePrecision(bins, 4006, GetParam());
  EXPECT_NEAR(ap.lower, 1, 1e-13);
  EXPECT_NEAR(ap.value, 1, 1e-13);
  EXPECT_NEAR(ap.upper, 1, 1e-13);
}

TEST_P(BoundsTest, TheyHoldForCountsInTheMillions) {
  Random random(13);
  for (int trial = 0; trial < 6; ++trial) {
    const Binned binned = RandomBins(random, 20, 200'000);
    const std::int64_t ground_truths = binned.true_positives + 1000;
    const ApValue ap = BinnedAveragePrecision(binned.bins, ground_truths, GetParam());
    const double exact =
        AveragePrecision(Ranked(random, binned.bins, Order::kRandom), ground_truths, GetParam());
    EXPECT_LE(ap.lower, exact);
    EXPECT_GE(ap.upper, exact);
  }
}

TEST_P(BoundsTest, FinerBinsNeverWidenThem) {
  Random random(14);
  for (int trial = 0; trial < 2000; ++trial) {
    const Binned fine = RandomBins(random, 40, 20);
    std::vector<BinCounts> coarse((fine.bins.size() + 1) / 2);
    for (std::size_t b = 0; b < fine.bins.size(); ++b) {
      coarse[b / 2].true_positives += fine.bins[b].true_positives;
      coarse[b / 2].false_positives += fine.bins[b].false_positives;
    }
    const std::int64_t ground_truths = fine.true_positives + 3;
    const ApValue a = BinnedAveragePrecision(fine.bins, ground_truths, GetParam());
    const ApValue b = BinnedAveragePrecision(coarse, ground_truths, GetParam());
    ASSERT_LE(b.lower, a.lower + 1e-14);
    ASSERT_GE(b.upper, a.upper - 1e-14);
  }
}

INSTANTIATE_TEST_SUITE_P(Interpolations, BoundsTest, testing::ValuesIn(kInterpolations),
                         [](const auto& tested) { return NameOf(tested.param); });

TEST(BinnedEstimateTest, SmallBinsAgreeWithTheCubicAtEveryTruePositive) {
  Random random(21);
  for (int trial = 0; trial < 6000; ++trial) {
    const Binned binned = RandomBins(random, 60, 16);
    const std::int64_t ground_truths = binned.true_positives + 1 + static_cast<std::int64_t>(random.Below(9));
    for (const Interpolation interpolation : kInterpolations) {
      const ApValue ap = BinnedAveragePrecision(binned.bins, ground_truths, interpolation);
      const double oracle = ObviousEstimate(binned.bins, ground_truths, interpolation);
      ASSERT_NEAR(ap.value, std::clamp(oracle, ap.lower, ap.upper), 1e-12);
    }
  }
}

TEST(BinnedEstimateTest, TheCubicItselfLiesBetweenTheBounds) {
  // So clamping repairs rounding and nothing else.
  Random random(22);
  for (int trial = 0; trial < 3000; ++trial) {
    const Binned binned = RandomBins(random, 30, trial % 2 == 0 ? 16 : 300);
    const std::int64_t ground_truths = binned.true_positives + 1;
    for (const Interpolation interpolation : kInterpolations) {
      const ApValue ap = BinnedAveragePrecision(binned.bins, ground_truths, interpolation);
      const double oracle = ObviousEstimate(binned.bins, ground_truths, interpolation);
      ASSERT_GE(oracle, ap.lower - 1e-12);
      ASSERT_LE(oracle, ap.upper + 1e-12);
    }
  }
}

TEST(BinnedEstimateTest, SampledBinsAgreeWithTheCubicAtEveryTruePositive) {
  Random random(23);
  for (int trial = 0; trial < 300; ++trial) {
    const Binned binned = RandomBins(random, 40, trial % 3 == 0 ? 50 : trial % 3 == 1 ? 1000 : 20'000);
    const std::int64_t ground_truths = binned.true_positives + 10;
    for (const Interpolation interpolation : kInterpolations) {
      const double estimate = BinnedAveragePrecision(binned.bins, ground_truths, interpolation).value;
      ASSERT_NEAR(estimate, ObviousEstimate(binned.bins, ground_truths, interpolation), 1e-4)
          << "trial " << trial << " " << static_cast<int>(interpolation);
    }
  }
}

TEST(BinnedEstimateTest, AgreesWithTheValuesOfTheNumpyStudy) {
  struct Case {
    std::vector<BinCounts> bins;
    std::int64_t ground_truths;
    ApValue expected;
    double tolerance;
  };
  const std::vector<Case> cases = {
      {{{3, 0}, {0, 2}, {5, 1}, {2, 4}, {0, 9}, {1, 3}, {7, 20}},
       25,
       {0.43929306635842924, 0.42138721612099295, 0.5021922150635022},
       1e-12},
      {{{1, 3}}, 1, {0.4, 0.25, 1}, 1e-12},
      {{{16, 0}, {1, 0}}, 20, {0.8514851485148515, 0.8514851485148515, 0.8514851485148515}, 1e-12},
      {{{10, 0}, {12, 1}, {0, 1}, {4, 1}, {9, 6}, {15, 30}, {2, 70}, {1, 400}},
       60,
       {0.7448869909564726, 0.6885209411152488, 0.8007013549860429},
       1e-12},
      {{{400, 10}, {300, 40}, {250, 160}, {100, 900}},
       1200,
       {0.805454786649977, 0.7682299979367154, 0.8442035048575279},
       1e-7},
  };
  for (const Case& one : cases) {
    const ApValue ap = BinnedAveragePrecision(one.bins, one.ground_truths, Interpolation::k101Points);
    EXPECT_NEAR(ap.value, one.expected.value, one.tolerance);
    EXPECT_NEAR(ap.lower, one.expected.lower, 1e-12);
    EXPECT_NEAR(ap.upper, one.expected.upper, 1e-12);
  }
}

TEST(BinnedEstimateTest, OneSaneDetectorsApIsEstimatedWithinATenthOfThePromise) {
  // A detector whose precision falls smoothly with confidence: 690 bins, 100 000 TPs.
  Random random(24);
  std::vector<BinCounts> bins(690);
  std::int64_t true_positives = 0;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const double quality = 1 - static_cast<double>(b) / 690;
    bins[b] = {static_cast<std::int64_t>(290 * quality), static_cast<std::int64_t>(290 * (1 - quality))};
    true_positives += bins[b].true_positives;
  }
  const auto exact =
      AveragePrecision(Ranked(random, bins, Order::kRandom), true_positives, Interpolation::k101Points);
  EXPECT_NEAR(BinnedAveragePrecision(bins, true_positives, Interpolation::k101Points).value, exact, 1e-4);
}

}  // namespace
}  // namespace detwatch::accumulate
