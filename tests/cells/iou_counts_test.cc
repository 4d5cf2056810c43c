#include "lib/cells/iou_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace detwatch::cells {
namespace {

const EvaluationParams kParams = EvaluationParams::Coco();

std::vector<DetectionOutcome> Detections(const std::vector<float>& ious) {
  std::vector<DetectionOutcome> out;
  for (const float iou : ious) {
    DetectionOutcome& detection = out.emplace_back();
    detection.score = 0.9F;
    detection.iou = iou;
    detection.true_positive[0] = static_cast<IouMask>(1U << kParams.HeadlineIou());
  }
  return out;
}

double Quantile(std::vector<float> ious, double q) {
  IouCounts counts;
  counts.Count(kParams, Detections(ious), 1);
  return counts.Quantile(q);
}

TEST(IouCountsTest, QuantilesByHand) {
  EXPECT_TRUE(std::isnan(Quantile({}, 0.5)));
  // One in the bin from 0.50 to 0.52, three in the one from 0.90 to 0.92.
  EXPECT_DOUBLE_EQ(Quantile({0.51F, 0.91F, 0.905F, 0.915F}, 0.25), 0.52);
  EXPECT_DOUBLE_EQ(Quantile({0.51F, 0.91F, 0.905F, 0.915F}, 0.125), 0.51);
  EXPECT_DOUBLE_EQ(Quantile({0.51F, 0.91F, 0.905F, 0.915F}, 0.5), 0.90 + 0.02 / 3);
  EXPECT_DOUBLE_EQ(Quantile({1.0F, 1.0F}, 1), 1);
}

TEST(IouCountsTest, OnlyWhatTheMeanIsOver) {
  std::vector<DetectionOutcome> detections = Detections({0.8F, 0.6F, 0.6F});
  detections[1].score = kParams.operating_points[0] / 2;
  detections[2].true_positive[0] = 0;
  IouCounts counts;
  counts.Count(kParams, detections, 1);
  IouCounts only;
  only.Count(kParams, Detections({0.8F}), 1);
  EXPECT_TRUE(counts == only);
}

TEST(IouCountsTest, QuantilesAreWithinABin) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(0.5F, 1.0F);
  for (int round = 0; round < 100; ++round) {
    std::vector<float> ious(1 + random() % 300);
    std::generate(ious.begin(), ious.end(), [&] { return uniform(random); });
    IouCounts counts;
    counts.Count(kParams, Detections(ious), 1);
    std::sort(ious.begin(), ious.end());
    for (const double q : {0.1, 0.5, 0.9}) {
      const auto at = static_cast<std::size_t>(std::ceil(q * static_cast<double>(ious.size()))) - 1;
      ASSERT_NEAR(counts.Quantile(q), ious[at], 0.02 + 1e-6) << ious.size() << " values, q " << q;
    }
  }
}

TEST(IouCountsTest, IouCountsAreAGroup) {
  const auto a = Detections({0.55F, 0.95F});
  const auto b = Detections({0.55F, 0.7F, 1.0F});
  IouCounts counts;
  counts.Count(kParams, b, -1);
  counts.Count(kParams, a, 1);
  std::string bytes;
  counts.Append(bytes);
  ByteReader in(bytes);
  IouCounts read;
  ASSERT_TRUE(read.Read(in) && in.AtEnd());
  EXPECT_TRUE(read == counts) << "negative counts travel too";
  IouCounts other;
  other.Count(kParams, b, 1);
  read.Add(other);
  IouCounts only;
  only.Count(kParams, a, 1);
  EXPECT_TRUE(read == only);
}

TEST(IouCountsTest, WhatIsNotOursIsTold) {
  IouCounts counts;
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("\x01", 1), std::string_view("\x01\x32\x02", 3)}) {
    ByteReader in(bytes);
    EXPECT_FALSE(counts.Read(in));
  }
}

}  // namespace
}  // namespace detwatch::cells
