#include "lib/wire/columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace detwatch::wire {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

std::optional<Reject> Convert(const std::vector<double>& values, BoxLayout layout, std::vector<Box>& boxes,
                              BoxScale scale = {}) {
  boxes.assign(values.size() / 4, Box{});
  return ConvertBoxes("boxes", values.data(), layout, scale, boxes);
}

// What ConvertBoxes promises, said one value at a time.
RejectReason OracleReason(const std::vector<double>& v, BoxLayout layout) {
  double w = v[2];
  double h = v[3];
  double x = v[0];
  double y = v[1];
  if (layout == BoxLayout::kXyxy) {
    w = v[2] - v[0];
    h = v[3] - v[1];
  }
  if (layout == BoxLayout::kCxcywh) {
    x = v[0] - v[2] / 2;
    y = v[1] - v[3] / 2;
  }
  for (const double value : {v[0], v[1], v[2], v[3], x, y, w, h}) {
    if (!std::isfinite(value) || std::abs(value) > 1e9) {
      return RejectReason::kBoxNotFinite;
    }
  }
  return w < 0 || h < 0 ? RejectReason::kBoxNegativeSize : RejectReason::kCount;
}

TEST(ColumnsTest, EveryLayoutBecomesLeftTopWidthHeight) {
  std::vector<Box> boxes;
  EXPECT_FALSE(Convert({10, 20, 30, 40}, BoxLayout::kXywh, boxes));
  EXPECT_EQ(boxes.front(), (Box{10, 20, 30, 40}));
  EXPECT_FALSE(Convert({10, 20, 40, 60}, BoxLayout::kXyxy, boxes));
  EXPECT_EQ(boxes.front(), (Box{10, 20, 30, 40}));
  EXPECT_FALSE(Convert({25, 40, 30, 40}, BoxLayout::kCxcywh, boxes));
  EXPECT_EQ(boxes.front(), (Box{10, 20, 30, 40}));
}

TEST(ColumnsTest, NormalisedBoxesAreScaledByTheImage) {
  std::vector<Box> boxes;
  EXPECT_FALSE(Convert({0.25, 0.5, 0.5, 0.75}, BoxLayout::kXyxy, boxes, {640, 480}));
  EXPECT_EQ(boxes.front(), (Box{160, 240, 160, 120}));
  EXPECT_FALSE(Convert({0.5, 0.5, 0.5, 0.25}, BoxLayout::kCxcywh, boxes, {640, 480}));
  EXPECT_EQ(boxes.front(), (Box{160, 180, 320, 120}));
}

TEST(ColumnsTest, WidthsOfFloatCornersAreComputedInDouble) {
  // In float32 the difference would round to 16777216.
  const std::vector<float> corners = {-1.0F, 0.0F, 16777216.0F, 1.0F};
  std::vector<Box> boxes(1);
  EXPECT_FALSE(ConvertBoxes("boxes", corners.data(), BoxLayout::kXyxy, {}, boxes));
  EXPECT_EQ(boxes.front().w, 16777217.0);
}

TEST(ColumnsTest, AwkwardValuesAnywhereAgreeWithTheOracle) {
  const double awkward[] = {
      0,     -0.0, 1,     -1,     1e9,          -1e9,         std::nextafter(1e9, 2e9), 2e9, -2e9, 5e8,
      1e300, kInf, -kInf, 5e-324, std::nan(""), -std::nan("")};
  std::vector<Box> boxes;
  for (const BoxLayout layout : {BoxLayout::kXywh, BoxLayout::kXyxy, BoxLayout::kCxcywh}) {
    for (const double a : awkward) {
      for (const double c : awkward) {
        for (const bool second_axis : {false, true}) {
          // Behind a good box, so that the position counts.
          std::vector<double> values = {1, 1, 2, 2, 3, 3, 4, 4};
          values[second_axis ? 5 : 4] = a;
          values[second_axis ? 7 : 6] = c;
          const RejectReason expected = OracleReason({values.begin() + 4, values.end()}, layout);
          const auto wrong = Convert(values, layout, boxes);
          const RejectReason got = wrong ? wrong->reason : RejectReason::kCount;
          ASSERT_EQ(got, expected) << "layout " << static_cast<int>(layout) << " " << a << " " << c;
          if (wrong) {
            ASSERT_EQ(wrong->detail.find("boxes[1]: ("), 0U) << wrong->detail;
          }
        }
      }
    }
  }
}

TEST(ColumnsTest, ScoresFromZeroToOneAreTakenAndNothingElse) {
  const float good[] = {0.0F, -0.0F, 1.0F, 0.5F, std::numeric_limits<float>::denorm_min()};
  for (const float score : good) {
    std::vector<float> scores(3);
    const std::vector<float> values = {0.5F, score, 0.5F};
    EXPECT_FALSE(CopyScores("scores", values.data(), scores)) << score;
    EXPECT_EQ(scores[1], score);
    EXPECT_FALSE(std::signbit(scores[1])) << "-0 orders below 0 by its bits";
  }
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float bad[] = {std::nextafter(1.0F, 2.0F),
                       -std::numeric_limits<float>::denorm_min(),
                       -1.0F,
                       2.0F,
                       inf,
                       -inf,
                       nan,
                       -nan,
                       std::numeric_limits<float>::lowest()};
  for (const float score : bad) {
    std::vector<float> scores(3);
    const std::vector<float> values = {0.5F, score, 0.5F};
    const auto wrong = CopyScores("scores", values.data(), scores);
    ASSERT_TRUE(wrong) << score;
    EXPECT_EQ(wrong->reason, RejectReason::kScoreOutOfRange);
    EXPECT_EQ(wrong->detail.find("scores[1]: "), 0U) << wrong->detail;
  }
}

TEST(ColumnsTest, AreasAreFiniteNotNegativeAndAtMostThatOfTheLargestBox) {
  EXPECT_FALSE(CheckAreas("areas", {0, 0.5, 1e18}));
  EXPECT_FALSE(CheckAreas("areas", {kMaxCoordinate * kMaxCoordinate}));
  for (const double area : {-1.0, 1.1e18, kInf, std::nan("")}) {
    const auto wrong = CheckAreas("areas", {1, area});
    ASSERT_TRUE(wrong) << area;
    EXPECT_EQ(wrong->reason, RejectReason::kAreaInvalid);
    EXPECT_EQ(wrong->detail.find("areas[1]: "), 0U) << wrong->detail;
  }
}

}  // namespace
}  // namespace detwatch::wire
