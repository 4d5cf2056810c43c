#include "daemon/tools/scene.h"

#include <gtest/gtest.h>

#include "daemon/tools/eval.h"

namespace detwatch::tools {
namespace {

// The frames [from, to) of a scene as a data set.
dataset::Dataset Frames(const SceneOptions& options, int from, int to) {
  Scene scene(options);
  dataset::Dataset data;
  data.classes = Scene::Classes();
  for (int i = 0; i < to; ++i) {
    dataset::Frame frame = scene.Next();
    if (i >= from) {
      data.frames.push_back(std::move(frame));
    }
  }
  return data;
}

// mAP over all thresholds, areas all and small, and precision at confidence 0.5.
struct Accuracy {
  double map = 0, small = 0, precision = 0;
};

Accuracy Judge(const dataset::Dataset& data) {
  const auto report = Evaluate(data, EvalOptions{});
  EXPECT_TRUE(report.has_value());
  const std::size_t mean = report->params.thresholds();
  return {report->mean.map[0][mean].value, report->mean.map[1][mean].value,
          report->mean.micro[0][0].Precision()};
}

SceneOptions WithDrift(std::string_view text) {
  SceneOptions options;
  options.drifts.push_back(ParseDrift(text).value());
  return options;
}

TEST(SceneTest, TheSameSeedGivesTheSameFrames) {
  SceneOptions options;
  options.seed = 42;
  Scene a(options);
  Scene b(options);
  options.seed = 43;
  Scene other(options);
  bool differs = false;
  for (int i = 0; i < 200; ++i) {
    const dataset::Frame frame = a.Next();
    const dataset::Frame same = b.Next();
    ASSERT_EQ(frame.labels.boxes, same.labels.boxes);
    ASSERT_EQ(frame.predictions.boxes, same.predictions.boxes);
    ASSERT_EQ(frame.predictions.scores, same.predictions.scores);
    ASSERT_EQ(frame.predictions.class_ids, same.predictions.class_ids);
    differs = differs || other.Next().labels.boxes != frame.labels.boxes;
  }
  EXPECT_TRUE(differs);
}

TEST(SceneTest, ObjectsMoveAndStayInThePicture) {
  Scene scene(SceneOptions{});
  std::vector<Box> before = scene.Next().labels.boxes;
  bool moved = false;
  for (int i = 0; i < 500; ++i) {
    const dataset::Frame frame = scene.Next();
    moved = moved || frame.labels.boxes != before;
    for (const Box& box : frame.labels.boxes) {
      ASSERT_GE(box.x, 0);
      ASSERT_GE(box.y, 0);
      ASSERT_LE(box.x + box.w, 1280.001);
      ASSERT_LE(box.y + box.h, 720.001);
    }
    for (const float score : frame.predictions.scores) {
      ASSERT_GE(score, 0);
      ASSERT_LE(score, 1);
    }
  }
  EXPECT_TRUE(moved);
}

TEST(SceneTest, TheDetectorIsGoodButNotPerfect) {
  const Accuracy accuracy = Judge(Frames(SceneOptions{}, 0, 1000));
  EXPECT_GT(accuracy.map, 0.35);
  EXPECT_LT(accuracy.map, 0.9);
}

TEST(SceneTest, BeforeItsFrameADriftChangesNothing) {
  const dataset::Dataset drifting = Frames(WithDrift("clutter@100:5"), 0, 100);
  const dataset::Dataset steady = Frames(SceneOptions{}, 0, 100);
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_EQ(drifting.frames[i].predictions.scores, steady.frames[i].predictions.scores);
  }
}

TEST(SceneTest, DriftLowersAccuracyFromItsFrameOn) {
  const Accuracy steady = Judge(Frames(SceneOptions{}, 300, 1300));
  const Accuracy shifted = Judge(Frames(WithDrift("box-shift@300:0.2"), 300, 1300));
  EXPECT_LT(shifted.map, steady.map - 0.1);
  const Accuracy blind = Judge(Frames(WithDrift("small-misses@300:0.9"), 300, 1300));
  EXPECT_LT(blind.small, steady.small - 0.1);
  const Accuracy cluttered = Judge(Frames(WithDrift("clutter@300:5"), 300, 1300));
  EXPECT_LT(cluttered.precision, steady.precision - 0.1);
  const Accuracy confident = Judge(Frames(WithDrift("over-confidence@300:3"), 300, 1300));
  EXPECT_LT(confident.precision, steady.precision - 0.05);
}

TEST(SceneTest, ADriftIsAKindAFrameAndAnAmount) {
  EXPECT_EQ(ParseDrift("small-misses@600:0.5")->amount, 0.5);
  EXPECT_EQ(ParseDrift("small-misses@600")->from, 600U);
  for (const char* wrong : {"", "clutter", "clutter@", "clutter@x", "clutter@5:", "clutter@5:-1", "fog@5"}) {
    EXPECT_FALSE(ParseDrift(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace detwatch::tools
