// Random frames of every awkward kind, judged by the matcher and by the oracle.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "lib/match/matcher.h"
#include "tests/match/oracle_support.h"

namespace detwatch::match {
namespace {

// What makes frames of a kind awkward; the defaults are plain frames.
struct Kind {
  std::string name;
  int most_truths = 12;
  int most_detections = 40;
  std::uint32_t classes = 3;
  std::uint32_t class_stride = 1;  // class ids are multiples of it
  double whole_pixels = 0;         // probability: coordinates are small integers, so IoUs are often equal
  double score_step = 0;           // scores are multiples of it; 0: any
  double crowd = 0;
  double difficult = 0;
  double zero_size = 0;
  double edge_area = 0;       // probability that an area is exactly at the end of a range
  double segment_area = 0.2;  // probability that the area is not width x height
  int frames = 200;
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds(11);
  kinds[0].name = "Plain";
  kinds[1].name = "Grid";
  kinds[1].whole_pixels = 1;
  kinds[2].name = "ScoreTies";
  kinds[2].score_step = 0.1;
  kinds[3].name = "Crowds";
  kinds[3].crowd = 0.4;
  kinds[3].whole_pixels = 0.5;
  kinds[4].name = "EdgeAreas";
  kinds[4].edge_area = 0.7;
  kinds[5].name = "MoreThanMaxDets";
  kinds[5].most_detections = 260;
  kinds[5].classes = 2;
  kinds[5].score_step = 0.01;
  kinds[5].frames = 100;
  kinds[6].name = "ZeroSizes";
  kinds[6].zero_size = 0.4;
  kinds[6].whole_pixels = 0.5;
  kinds[7].name = "ManyTruthsOfOneClass";
  kinds[7].most_truths = 200;
  kinds[7].most_detections = 150;
  kinds[7].classes = 1;
  kinds[7].crowd = 0.05;
  kinds[7].whole_pixels = 0.5;
  kinds[7].frames = 40;
  kinds[8].name = "Difficult";
  kinds[8].difficult = 0.4;
  kinds[8].whole_pixels = 0.5;
  kinds[9].name = "HugeClassIds";
  kinds[9].classes = 40;
  kinds[9].class_stride = 107374182;  // 40 of them end just below 2^32
  kinds[10].name = "EverythingAtOnce";
  kinds[10] = {"EverythingAtOnce", 60, 200, 2, 5000, 0.5, 0.05, 0.2, 0.2, 0.1, 0.3, 0.5, 150};
  return kinds;
}

class Maker {
 public:
  Maker(const Kind& kind, unsigned seed) : kind_(kind), random_(seed) {}

  Frame Make() {
    Frame frame;
    const int truths = Integer(0, kind_.most_truths);
    const int detections = Integer(0, kind_.most_detections);
    for (int i = 0; i < truths; ++i) {
      Box box = RandomBox();
      if (i > 0 && Chance(0.1)) {  // two ground truths in one place
        box = frame.ground_truth_boxes.back();
      }
      double area = -1;
      if (Chance(kind_.edge_area)) {
        area = EdgeArea();
      } else if (Chance(kind_.segment_area)) {
        area = box.Area() * Uniform(0.3, 1);
      }
      frame.Truth(box, RandomClass(), area);
      frame.crowd.back() = Chance(kind_.crowd) ? 1 : 0;
      frame.difficult.back() = Chance(kind_.difficult) ? 1 : 0;
    }
    for (int i = 0; i < detections; ++i) {
      if (truths > 0 && Chance(0.7)) {  // near a ground truth, mostly of its class
        const auto near = static_cast<std::size_t>(Integer(0, truths - 1));
        const Box box = Shifted(frame.ground_truth_boxes[near]);
        const std::uint32_t class_id = Chance(0.9) ? Index(frame.ground_truth_classes[near]) : RandomClass();
        frame.Detect(box, RandomScore(), class_id);
      } else {
        frame.Detect(RandomBox(), RandomScore(), RandomClass());
      }
    }
    return frame;
  }

 private:
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  int Integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(double probability) { return Uniform(0, 1) < probability; }
  std::uint32_t RandomClass() {
    return static_cast<std::uint32_t>(Integer(0, static_cast<int>(kind_.classes) - 1)) * kind_.class_stride;
  }
  double EdgeArea() {
    constexpr double kEdges[] = {0, 32.0 * 32, 96.0 * 96, 1e10};
    return kEdges[Integer(0, 3)];
  }

  float RandomScore() {
    const double score = Uniform(0, 1);
    return static_cast<float>(kind_.score_step > 0 ? std::floor(score / kind_.score_step) * kind_.score_step
                                                   : score);
  }

  Box RandomBox() {
    Box box{Uniform(0, 300), Uniform(0, 300), std::exp(Uniform(1, 5.5)), std::exp(Uniform(1, 5.5))};
    if (Chance(kind_.whole_pixels)) {
      box = {static_cast<double>(Integer(0, 12)), static_cast<double>(Integer(0, 12)),
             static_cast<double>(Integer(1, 8)), static_cast<double>(Integer(1, 8))};
    }
    if (Chance(kind_.edge_area)) {
      constexpr double kSides[] = {32, 96, 1e5};
      box.w = box.h = kSides[Integer(0, 2)];
    }
    return ZeroSometimes(box);
  }

  Box Shifted(const Box& box) {
    if (Chance(0.1)) {
      return box;
    }
    if (Chance(kind_.whole_pixels)) {
      return ZeroSometimes({box.x + Integer(-1, 1), box.y + Integer(-1, 1),
                            std::max(0.0, box.w + Integer(-1, 1)), std::max(0.0, box.h + Integer(-1, 1))});
    }
    const double by = Uniform(0, 0.3);
    const double keep = Chance(kind_.edge_area) ? 0 : by;  // the size, so areas at an edge stay there
    return ZeroSometimes({box.x + box.w * Uniform(-by, by), box.y + box.h * Uniform(-by, by),
                          box.w * (1 + Uniform(-keep, keep)), box.h * (1 + Uniform(-keep, keep))});
  }

  Box ZeroSometimes(Box box) {
    if (Chance(kind_.zero_size)) {
      (Chance(0.5) ? box.w : box.h) = 0;
    }
    return box;
  }

  const Kind& kind_;
  std::mt19937 random_;
};

struct NamedParams {
  std::string name;
  EvaluationParams params;
};

std::vector<NamedParams> Params() {
  // Neither round numbers of anything nor an unclipped last threshold.
  EvaluationParams odd = EvaluationParams::Coco();
  odd.iou_thresholds = {0.1, 0.3, 1};
  odd.area_ranges = {{"all", 0, 1e10}, {"middling", 20, 5000}};
  odd.max_dets = {2, 7};
  EvaluationParams full = EvaluationParams::Coco();
  full.iou_thresholds.clear();
  for (int t = 1; t <= 16; ++t) {
    full.iou_thresholds.push_back(t / 16.0);
  }
  return {{"Coco", EvaluationParams::Coco()},
          {"CocoOdd", odd},
          {"CocoSixteenThresholds", full},
          {"Voc", EvaluationParams::Voc(Interpolation::k11Points, false)},
          {"VocInclusivePixels", EvaluationParams::Voc(Interpolation::kAllPoints, true)},
          {"VocAreas", VocWithCocoGrid(false)},
          {"VocAreasInclusivePixels", VocWithCocoGrid(true)}};
}

class MatcherRandomTest : public testing::TestWithParam<Kind> {};

TEST_P(MatcherRandomTest, AgreesWithTheOracle) {
  for (const auto& [name, params] : Params()) {
    SCOPED_TRACE(name);
    Maker maker(GetParam(), 1);
    Matcher matcher(params);
    FrameOutcome outcome;
    int true_positives = 0;
    for (int i = 0; i < GetParam().frames; ++i) {
      const Frame frame = maker.Make();
      matcher.Match(frame.view(), outcome);
      ASSERT_EQ(Difference(outcome, OracleOutcome(params, frame)), "") << "frame " << i;
      for (const DetectionOutcome& detection : outcome.detections) {
        true_positives += detection.true_positive[0] != 0 ? 1 : 0;
      }
    }
    EXPECT_GT(true_positives, GetParam().frames) << "these frames hardly test anything";
  }
}

TEST_P(MatcherRandomTest, PrefixesDoNotDependOnTheRest) {
  for (const auto& [name, params] : Params()) {
    SCOPED_TRACE(name);
    Maker maker(GetParam(), 2);
    for (const std::uint32_t k : {1U, 3U, 7U}) {
      EvaluationParams cut = params;
      cut.max_dets = {k};
      Matcher whole(params);
      Matcher prefix(cut);
      FrameOutcome all;
      FrameOutcome first;
      for (int i = 0; i < GetParam().frames / 10; ++i) {
        const Frame frame = maker.Make();
        whole.Match(frame.view(), all);
        prefix.Match(frame.view(), first);
        ASSERT_EQ(first.classes.size(), all.classes.size());
        FrameOutcome expected;
        for (ClassOutcome judged : all.classes) {
          const auto begin = all.detections.begin() + judged.first;
          judged.first = static_cast<std::uint32_t>(expected.detections.size());
          judged.count = std::min(judged.count, k);
          expected.detections.insert(expected.detections.end(), begin, begin + judged.count);
          expected.classes.push_back(judged);
        }
        ASSERT_EQ(Difference(first, expected), "") << "the first " << k << " of frame " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, MatcherRandomTest, testing::ValuesIn(Kinds()),
                         [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace detwatch::match
