#include <gtest/gtest.h>

#include "lib/match/box_similarity.h"

namespace detwatch::match {
namespace {

TEST(IntersectionOverUnionTest, IsTheSharedPartOfTheUnion) {
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {5, 0, 10, 10}, false), 50.0 / 150);
  EXPECT_EQ(IntersectionOverUnion({3, 4, 10, 10}, {3, 4, 10, 10}, false), 1);
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {2, 3, 4, 5}, false), 20.0 / 100);
}

TEST(IntersectionOverUnionTest, IsSymmetricWithoutACrowd) {
  const Box a{0.1, 0.2, 7.3, 4.9};
  const Box b{2.2, 1.1, 8.8, 6.5};
  EXPECT_EQ(IntersectionOverUnion(a, b, false), IntersectionOverUnion(b, a, false));
}

TEST(IntersectionOverUnionTest, AgainstACrowdTheDenominatorIsTheDetectionsArea) {
  EXPECT_DOUBLE_EQ(IntersectionOverUnion({0, 0, 10, 10}, {5, 0, 100, 100}, true), 0.5);
  EXPECT_EQ(IntersectionOverUnion({1, 1, 2, 2}, {0, 0, 100, 100}, true), 1);
}

TEST(IntersectionOverUnionTest, TouchingBoxesDoNotOverlap) {
  EXPECT_EQ(IntersectionOverUnion({0, 0, 10, 10}, {10, 0, 10, 10}, false), 0);
  EXPECT_EQ(IntersectionOverUnion({0, 0, 10, 10}, {0, 10, 10, 10}, false), 0);
  EXPECT_EQ(IntersectionOverUnion({0, 0, 10, 10}, {10, 10, 10, 10}, true), 0);
}

TEST(IntersectionOverUnionTest, TwoNegativeOverlapsAreNotAPositiveOne) {
  EXPECT_EQ(IntersectionOverUnion({0, 0, 1, 1}, {50, 50, 1, 1}, false), 0);
}

TEST(IntersectionOverUnionTest, BoxesOfZeroSizeOverlapNothingNotEvenThemselves) {
  EXPECT_EQ(IntersectionOverUnion({5, 5, 0, 0}, {5, 5, 0, 0}, false), 0);
  EXPECT_EQ(IntersectionOverUnion({5, 5, 0, 4}, {0, 0, 10, 10}, false), 0);
  EXPECT_EQ(IntersectionOverUnion({5, 5, 4, 0}, {0, 0, 10, 10}, true), 0);
}

TEST(VocOverlapTest, WithoutInclusivePixelsItIsThePlainIou) {
  const Box a{0.1, 0.2, 7.3, 4.9};
  const Box b{2.2, 1.1, 8.8, 6.5};
  EXPECT_EQ(VocOverlap(a, b, false), IntersectionOverUnion(a, b, false));
}

TEST(VocOverlapTest, InclusivePixelsAddOneToEverySide) {
  // Corners 0..9 and 5..14: ten pixels wide each, five shared.
  EXPECT_DOUBLE_EQ(VocOverlap({0, 0, 9, 9}, {5, 0, 9, 9}, true), 50.0 / 150);
}

TEST(VocOverlapTest, InclusiveBoxesThatShareAnEdgePixelOverlap) {
  EXPECT_EQ(VocOverlap({0, 0, 9, 9}, {9, 0, 9, 9}, false), 0);
  EXPECT_DOUBLE_EQ(VocOverlap({0, 0, 9, 9}, {9, 0, 9, 9}, true), 10.0 / 190);
  EXPECT_EQ(VocOverlap({0, 0, 9, 9}, {10, 0, 9, 9}, true), 0);
  EXPECT_EQ(VocOverlap({0, 0, 9, 9}, {0, 10, 9, 9}, true), 0);
}

TEST(VocOverlapTest, AnInclusiveBoxOfZeroSizeIsOnePixel) {
  EXPECT_EQ(VocOverlap({5, 5, 0, 0}, {5, 5, 0, 0}, true), 1);
}

}  // namespace
}  // namespace detwatch::match
