#include "lib/match/box_similarity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace detwatch::match {
namespace {

bool Reaches(const Box& detection, const TruthBox& truth, bool inclusive_pixels) {
  return inclusive_pixels ? MayReach<true>(MakeExtent(detection, 1), truth)
                          : MayReach<false>(MakeExtent(detection, 0), truth);
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
            ASSERT_TRUE(Reaches(detection, MakeTruthBox(box, threshold, crowd, plus), plus > 0))
                << "IoU " << exact << " at frame " << i;
          }
        }
      }
    }
  }
  EXPECT_GT(reached, 100000);
}

TEST(MayReachTest, DropsPairsThatOverlapTooLittleOrNotAtAll) {
  const Box detection{0, 0, 10, 10};
  EXPECT_TRUE(Reaches(detection, MakeTruthBox({0, 0, 10, 6}, 0.5, false, 0), false));
  EXPECT_FALSE(Reaches(detection, MakeTruthBox({0, 0, 10, 4}, 0.5, false, 0), false));
  EXPECT_FALSE(Reaches(detection, MakeTruthBox({10, 0, 10, 10}, 0.5, false, 0), false));
  EXPECT_FALSE(Reaches(detection, MakeTruthBox({90, 90, 10, 10}, 0.5, false, 0), false))
      << "two negative overlaps";
  EXPECT_TRUE(Reaches(detection, MakeTruthBox({5, 0, 900, 900}, 0.5, true, 0), false));
  EXPECT_FALSE(Reaches(detection, MakeTruthBox({6, 0, 900, 900}, 0.5, true, 0), false));
}

}  // namespace
}  // namespace detwatch::match
