#include "lib/match/rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "lib/match/matcher.h"

namespace detwatch::match {
namespace {

GroundTruth MakeTruth(const Box& box, double threshold, bool crowd, double plus) {
  GroundTruth truth;
  truth.box = box;
  truth.extent = MakeExtent(box, plus);
  truth.extent.area = crowd ? 0 : truth.extent.area;
  truth.least_share = LeastShare(threshold, crowd);
  truth.crowd = crowd;
  return truth;
}

TEST(MayReachTest, NeverHidesAPairThatTheExactFormulaAccepts) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  int reached = 0;
  for (int i = 0; i < 200000; ++i) {
    // Far from the origin the sums round coarsely; tiny boxes there are mostly rounding.
    const double origin = i % 4 == 0 ? 1e9 * uniform(random) : 0;
    const double size = std::exp2(40 * uniform(random) - 24);
    const auto side = [&] {
      return i % 3 == 0 ? size * std::floor(5 * uniform(random)) : size * uniform(random);
    };
    const Box detection{origin + side(), origin + side(), side(), side()};
    const Box box = i % 7 == 0 ? detection : Box{origin + side() / 2, origin + side() / 2, side(), side()};
    for (const double plus : {0.0, 1.0}) {
      for (const bool crowd : {false, true}) {
        if (plus > 0 && crowd) {
          continue;  // VOC knows no crowd
        }
        const double exact =
            plus > 0 ? VocOverlap(detection, box, true) : IntersectionOverUnion(detection, box, crowd);
        // At the pair's own IoU as the threshold nothing may be lost to rounding.
        for (const double threshold : {exact, 0.5}) {
          if (threshold > 0 && threshold <= 1 && exact >= threshold) {
            ++reached;
            ASSERT_TRUE(MayReach(MakeExtent(detection, plus), MakeTruth(box, threshold, crowd, plus), plus))
                << "IoU " << exact << " at frame " << i;
          }
        }
      }
    }
  }
  EXPECT_GT(reached, 100000);
}

TEST(MayReachTest, DropsPairsThatOverlapTooLittleOrNotAtAll) {
  const Extent detection = MakeExtent({0, 0, 10, 10}, 0);
  EXPECT_TRUE(MayReach(detection, MakeTruth({0, 0, 10, 6}, 0.5, false, 0), 0));
  EXPECT_FALSE(MayReach(detection, MakeTruth({0, 0, 10, 4}, 0.5, false, 0), 0));
  EXPECT_FALSE(MayReach(detection, MakeTruth({10, 0, 10, 10}, 0.5, false, 0), 0));
  EXPECT_FALSE(MayReach(detection, MakeTruth({90, 90, 10, 10}, 0.5, false, 0), 0)) << "two negative overlaps";
  EXPECT_TRUE(MayReach(detection, MakeTruth({5, 0, 900, 900}, 0.5, true, 0), 0));
  EXPECT_FALSE(MayReach(detection, MakeTruth({6, 0, 900, 900}, 0.5, true, 0), 0));
}

}  // namespace
}  // namespace detwatch::match
