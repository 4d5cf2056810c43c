#include "lib/match/grid.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace detwatch::match {
namespace {

using Masks = std::array<IouMask, kMaxAreaRanges>;

TEST(GridTest, ReachedHasThePrefixOfThresholdsInEveryConfiguredArea) {
  EvaluationParams params = EvaluationParams::Coco();
  params.area_ranges.resize(2);
  const Grid grid(params);
  EXPECT_EQ(Unpack(grid.Reached(0.49)), (Masks{}));
  EXPECT_EQ(Unpack(grid.Reached(0.5)), (Masks{1, 1, 0, 0}));
  EXPECT_EQ(Unpack(grid.Reached(0.77)), (Masks{0x3f, 0x3f, 0, 0}));
  EXPECT_EQ(grid.Reached(1), grid.all());
}

TEST(GridTest, NotANumberReachesNothing) {
  EXPECT_EQ(Grid(EvaluationParams::Coco()).Reached(std::numeric_limits<double>::quiet_NaN()), 0U);
}

TEST(GridTest, OnlyCocoLowersAThresholdOfOne) {
  EvaluationParams params = EvaluationParams::Coco();
  params.iou_thresholds = {1};
  EXPECT_NE(Grid(params).Reached(1 - 1e-10), 0U);
  EXPECT_EQ(Grid(params).Reached(std::nextafter(1 - 1e-10, 0)), 0U);
  params.matching_rule = MatchingRule::kVoc;
  EXPECT_EQ(Grid(params).Reached(std::nextafter(1, 0)), 0U);
  EXPECT_NE(Grid(params).Reached(1), 0U);
}

TEST(GridTest, SixteenThresholdsFillTheirLanes) {
  EvaluationParams params = EvaluationParams::Coco();
  params.iou_thresholds.clear();
  for (int t = 1; t <= 16; ++t) {
    params.iou_thresholds.push_back(t / 16.0);
  }
  EXPECT_EQ(Grid(params).all(), ~Lanes{0});
}

TEST(GridTest, OutsideLeavesOutBothEnds) {
  const Grid grid(EvaluationParams::Coco());
  EXPECT_EQ(Unpack(grid.Outside(1024)), (Masks{0, 0, 0, 0x3ff}));
  EXPECT_EQ(Unpack(grid.Outside(std::nextafter(1024, 0))), (Masks{0, 0, 0x3ff, 0x3ff}));
  EXPECT_EQ(Unpack(grid.Outside(std::nextafter(1024, 2000))), (Masks{0, 0x3ff, 0, 0x3ff}));
  EXPECT_EQ(Unpack(grid.Outside(2e10)), (Masks{0x3ff, 0x3ff, 0x3ff, 0x3ff}));
}

TEST(GridTest, TheHeadlineIsTheThresholdNearestToAHalfInTheFirstArea) {
  EvaluationParams params = EvaluationParams::Coco();
  EXPECT_EQ(Unpack(Grid(params).headline()), (Masks{1, 0, 0, 0}));
  params.iou_thresholds = {0.3, 0.45, 0.75};
  EXPECT_EQ(Unpack(Grid(params).headline()), (Masks{2, 0, 0, 0}));
}

}  // namespace
}  // namespace detwatch::match
