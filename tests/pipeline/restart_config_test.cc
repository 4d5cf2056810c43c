// A restart with another configuration: what goes on, and what starts again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pipeline/rig_support.h"

namespace detwatch::pipeline {
namespace {

using test::At;
using test::Rig;

constexpr double kStart = 1'700'000'000;

Predictions Seen(const std::string& id, const std::string& model = "yolo") {
  Predictions predictions;
  predictions.frame = {"gate", id};
  predictions.model = {model, "1"};
  predictions.class_list = test::ThreeClasses().hash;
  predictions.boxes = {{10, 10, 50, 60}};
  predictions.scores = {0.9F};
  predictions.class_ids = {1};
  return predictions;
}

Labels Real(const std::string& id, std::uint32_t revision = 0, std::uint32_t class_id = 1) {
  Labels labels;
  labels.frame = {"gate", id};
  labels.class_list = test::ThreeClasses().hash;
  labels.boxes = {{10, 10, 50, 60}};
  labels.areas = {3000};
  labels.class_ids = {class_id};
  labels.source = LabelSource::kHuman;
  labels.revision = revision;
  return labels;
}

class RestartConfigTest : public ::testing::Test {
 protected:
  void SetUp() override { Fill(); }
  void Fill() {
    rig_.Send(test::ThreeClasses(), At(kStart));
    for (int i = 0; i < 3; ++i) {
      rig_.Send(Seen(std::to_string(i)), At(kStart));
      rig_.Send(Real(std::to_string(i)), At(kStart));
    }
    rig_.Send(Seen("waits"), At(kStart));
    rig_.Cut(At(kStart));
  }
  void Again(const PipelineConfig& config, double now) {
    rig_.config = config;
    rig_.Crash(At(now));
  }
  const snapshot::Window& Window(double now, const std::string& name, std::size_t view = 0) {
    taken_ = rig_.Take(At(now));
    for (const snapshot::Window& window : taken_->views.at(view).groups.at(0).windows) {
      if (window.name == name) {
        return window;
      }
    }
    throw std::runtime_error("no window " + name);
  }
  static std::int64_t TruePositives(const snapshot::Window& window) {
    return window.mean.micro[0][0].true_positives;
  }
  static PipelineConfig WithWindow(const std::string& name, Duration pane, std::int64_t panes) {
    PipelineConfig config;
    config.windows.push_back({name, pane, panes});
    config.views[0].windows.push_back(name);
    return config;
  }

  Rig rig_{PipelineConfig{}};
  std::shared_ptr<const snapshot::Snapshot> taken_;
};

TEST_F(RestartConfigTest, OtherThresholdsStartTheGroupAgainAndWaitingFramesAreJudgedByThem) {
  PipelineConfig config;
  config.evaluation.iou_thresholds = {0.5, 0.75};
  Again(config, kStart + 10);
  EXPECT_EQ(rig_.restored.notes.size(), 1U);
  rig_.Send(Real("waits"), At(kStart + 11));
  rig_.Send(Real("0", 1, 2), At(kStart + 11));  // judged by the other rules: nothing to take out here
  rig_.Cut(At(kStart + 11));
  EXPECT_EQ(Window(kStart + 11, "total").frames, 1);
  EXPECT_EQ(TruePositives(Window(kStart + 11, "total")), 1);
  EXPECT_EQ(TruePositives(Window(kStart + 11, "1h")), 1);
  EXPECT_EQ(taken_->counters.groups_restarted, 1U);
  EXPECT_EQ(taken_->views[0].groups[0].params->thresholds(), 2U);
  test::ExpectSound(*taken_);
  rig_.Crash(At(kStart + 12));
  EXPECT_TRUE(rig_.restored.notes.empty());
  EXPECT_EQ(TruePositives(Window(kStart + 12, "total")), 1);
  EXPECT_EQ(rig_.Take(At(kStart + 12))->counters.groups_restarted, 1U);
}

TEST_F(RestartConfigTest, AWindowThatIsNewStartsEmptyAndOthersGoOn) {
  Again(WithWindow("6h", std::chrono::minutes(5), 72), kStart + 10);
  EXPECT_EQ(Window(kStart + 10, "6h").frames, 0);
  EXPECT_EQ(TruePositives(Window(kStart + 10, "1h")), 3);
  rig_.Send(Real("waits"), At(kStart + 100));
  rig_.Cut(At(kStart + 100));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(Window(kStart + 100, "6h").frames, 1);
    EXPECT_EQ(TruePositives(Window(kStart + 100, "6h")), 1);
    EXPECT_EQ(TruePositives(Window(kStart + 100, "24h")), 4);
    EXPECT_EQ(TruePositives(Window(kStart + 100, "total")), 4);
    rig_.Crash(At(kStart + 100));
  }
}

// Regression: a window held what a correction had taken out, of frames that it had never held.
TEST_F(RestartConfigTest, CorrectionsOfFramesBeforeAWindowWasConfiguredLeaveItAlone) {
  Again(WithWindow("6h", std::chrono::minutes(5), 72), kStart + 10);
  rig_.Send(Real("0", 1, 2), At(kStart + 100));
  rig_.Send(Seen("later"), At(kStart + 100));
  rig_.Send(Real("later", 0, 1), At(kStart + 100));
  rig_.Cut(At(kStart + 100));
  rig_.Send(Real("1", 1, 2), At(kStart + 101));
  rig_.Send(Real("later", 1, 2), At(kStart + 101));
  rig_.Cut(At(kStart + 101));
  for (int restart = 0; restart < 2; ++restart) {
    const snapshot::Window& window = Window(kStart + 101, "6h");
    EXPECT_EQ(window.frames, 1);
    EXPECT_EQ(TruePositives(window), 0);
    EXPECT_EQ(window.mean.micro[0][0].false_positives, 1);
    EXPECT_EQ(window.mean.micro[0][0].false_negatives, 1);
    EXPECT_EQ(TruePositives(Window(kStart + 101, "24h")), 1);
    test::ExpectSound(*taken_);
    rig_.Crash(At(kStart + 101));
  }
}

TEST_F(RestartConfigTest, AWindowThatIsGoneTakesItsPanesWithIt) {
  rig_.Send(Real("waits"), At(kStart + 200));
  rig_.Cut(At(kStart + 200));
  const std::size_t panes = rig_.store.Count("W");
  EXPECT_GT(panes, 0U);
  PipelineConfig config;
  config.views[0].windows = {"1h", "24h"};
  Again(config, kStart + 210);
  EXPECT_EQ(TruePositives(Window(kStart + 210, "1h")), 4);
  rig_.Cut(At(kStart + 210));
  EXPECT_LT(rig_.store.Count("W"), panes);
}

// Regression: the frames of a window that was gone for a while came back, and their counts did not.
TEST_F(RestartConfigTest, AWindowThatComesBackStartsEmpty) {
  rig_.Send(Real("waits"), At(kStart + 200));
  rig_.Cut(At(kStart + 200));
  PipelineConfig config;
  config.views[0].windows = {"5m", "24h"};
  Again(config, kStart + 210);
  rig_.Cut(At(kStart + 210));
  Again({}, kStart + 220);
  EXPECT_EQ(Window(kStart + 220, "1h").frames, 0);
  EXPECT_EQ(TruePositives(Window(kStart + 220, "1h")), 0);
  EXPECT_EQ(TruePositives(Window(kStart + 220, "24h")), 4);
}

TEST_F(RestartConfigTest, AViewThatIsGoneIsNotedAndItsRowsAreDeleted) {
  PipelineConfig two;
  two.views.push_back({"stream", {"stream"}, true, false, {}, {"5m"}});
  Again(two, kStart + 1);
  rig_.Send(Seen("both"), At(kStart + 2));
  rig_.Cut(At(kStart + 2));
  EXPECT_EQ(rig_.store.Count("g"), 2U);
  Again({}, kStart + 3);
  EXPECT_EQ(rig_.restored.notes.size(), 1U);
  rig_.Send(Real("both"), At(kStart + 4));
  rig_.Cut(At(kStart + 4));
  EXPECT_EQ(rig_.store.Count("g"), 1U);
  EXPECT_EQ(TruePositives(Window(kStart + 4, "total")), 4);
}

// Regression: counts of one shape were added to a group of another.
TEST_F(RestartConfigTest, AGroupThatGotOtherRulesThanAWaitingFramesModelRefusesIt) {
  PipelineConfig config;
  config.views.push_back({"stream", {"stream"}, true, false, {}, {"5m"}});
  Again(config, kStart + 1);
  rig_.Send(Seen("first", "zebra"), At(kStart + 2));  // the stream's group has the rules of zebra
  rig_.Send(Seen("second"), At(kStart + 2));
  rig_.Send(Seen("third"), At(kStart + 2));
  rig_.Send(Real("third"), At(kStart + 2));
  rig_.Cut(At(kStart + 2));
  config.model_evaluation["zebra"] = EvaluationParams::Coco();
  config.model_evaluation["zebra"].iou_thresholds = {0.5};
  Again(config, kStart + 3);
  rig_.Send(Real("first"), At(kStart + 4));
  rig_.Send(Real("second"), At(kStart + 4));
  rig_.Send(Real("third", 1, 2), At(kStart + 4));
  rig_.Cut(At(kStart + 4));
  EXPECT_EQ(TruePositives(Window(kStart + 4, "total", 1)), 1);
  EXPECT_EQ(TruePositives(Window(kStart + 4, "total", 0)), 4);
  EXPECT_EQ(taken_->counters.groups_refused, 1U);
}

TEST_F(RestartConfigTest, SmallerLimitsTakeNothingBack) {
  PipelineConfig config;
  config.limits.models = 1;
  config.limits.groups = 1;
  config.limits.classes = 1;
  config.limits.class_lists = 1;
  config.limits.publishers = 1;
  config.wire.boxes_per_frame = 1;
  config.ring_capacity = 2;
  Again(config, kStart + 1);
  rig_.Send(Real("waits"), At(kStart + 2));
  rig_.Cut(At(kStart + 2));
  EXPECT_EQ(TruePositives(Window(kStart + 2, "total")), 4);
  EXPECT_FALSE(Window(kStart + 2, "total").mean.exact);
}

// Regression: it was forgotten without a count, and its row stayed for ever.
TEST_F(RestartConfigTest, AParkedMessageBeyondTheNewLimitsIsRefused) {
  Predictions large = Seen("large");
  large.class_list = ClassListHash{99};
  for (int i = 0; i < 5; ++i) {
    large.boxes.push_back({1, 1, 5, 5});
    large.scores.push_back(0.5F);
    large.class_ids.push_back(0);
  }
  rig_.Send(large, At(kStart + 1));
  rig_.Cut(At(kStart + 1));
  EXPECT_EQ(rig_.store.Count("p"), 1U);
  PipelineConfig config;
  config.wire.boxes_per_frame = 3;
  Again(config, kStart + 2);
  rig_.Cut(At(kStart + 2));
  EXPECT_EQ(rig_.store.Count("p"), 0U);
  ASSERT_EQ(rig_.late.size(), 1U);
  EXPECT_EQ(rig_.late[0].reject.reason, RejectReason::kTooManyBoxes);
  EXPECT_EQ(
      rig_.Take(At(kStart + 2))->counters.rejected[static_cast<std::size_t>(RejectReason::kTooManyBoxes)][1],
      1U);
}

// Regression: tags that came back in the cut in which the stream had been forgotten were deleted.
TEST_F(RestartConfigTest, AStreamThatComesBackInTheCutThatForgetsItKeepsItsTags) {
  PipelineConfig config;
  config.limits.idle = std::chrono::hours(1);
  config.views.push_back({"site", {"site"}, true, false, {}, {}});
  Again(config, kStart + 1);
  const StreamInfo info{"gate", {{"site", "north"}}};
  rig_.Send(info, At(kStart + 1));
  rig_.Cut(At(kStart + 1));
  rig_.ingest->Tick(At(kStart + 7200));
  rig_.Send(info, At(kStart + 7200), "another");  // the camera was forgotten too
  rig_.Cut(At(kStart + 7200));
  rig_.Crash(At(kStart + 7201));
  ASSERT_EQ(rig_.restored.streams.size(), 1U);
  EXPECT_EQ(rig_.restored.streams[0].tags, info.tags);
}

TEST_F(RestartConfigTest, ACellIsRewrittenBeforeAStartWouldReadTooMuch) {
  std::size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const double now = kStart + 10 + i;
    rig_.Send(Seen("n" + std::to_string(i)), At(now));
    rig_.Send(Real("n" + std::to_string(i)), At(now));
    rig_.Cut(At(now));
    most = std::max(most, rig_.store.Count("C"));
    if (i % 30 == 29) {
      rig_.Crash(At(now));
    }
  }
  EXPECT_GT(most, 20U);
  EXPECT_LE(most, 3U * 65);  // three classes: a base, and at most 64 additions
  EXPECT_EQ(TruePositives(Window(kStart + 210, "total")), 203);
  EXPECT_EQ(TruePositives(Window(kStart + 210, "1h")), 203);
  EXPECT_EQ(TruePositives(Window(kStart + 600, "5m")), 0);
}

std::vector<std::string> Details(const Reaction& reaction) {
  std::vector<std::string> details;
  details.reserve(reaction.rejected.size());
  for (const RejectedItem& item : reaction.rejected) {
    details.push_back(item.detail);
  }
  return details;
}

// What a reload takes over is seen in what is shown and refused from then on.
TEST(ReloadTest, WhatIsTakenOverTakesEffect) {
  constexpr double kNow = 1'700'000'000;
  PipelineConfig config;
  config.views.push_back(config.views.front());
  config.views[1].name = "second";
  config.views[1].group_by = {"stream"};
  config.views[1].counters = false;
  config.limits.groups = 1;
  config.limits.publishers = 1;
  config.limits.class_lists = 1;
  test::Rig rig(config);
  rig.Send(test::ThreeClasses(), test::At(kNow));
  std::mt19937 random(1);
  const auto send = [&](const std::string& id, double now) {
    const test::RandomFrame frame = test::MakeFrame(random, id);
    rig.Send(frame.predictions, test::At(now));
    rig.Send(frame.labels, test::At(now));
    rig.Cut(test::At(now));
  };
  send("a", kNow);
  auto before = rig.Take(test::At(kNow));
  EXPECT_TRUE(before->views[1].groups.empty()) << "one group is the limit";
  EXPECT_FALSE(before->views[0].groups[0].counters[0]->bin_detections.empty());
  EXPECT_THAT(Details(rig.Send(test::OtherClasses(), test::At(kNow), "camera")),
              testing::ElementsAre("class_list: 1 different lists are known already"));
  EXPECT_EQ(rig.ingest->Publisher("other", Transport::kReliable), nullptr);
  (void)rig.Send(test::ThreeClasses(), test::At(kNow), "other");
  EXPECT_EQ(rig.ingest->Publisher("other", Transport::kReliable), nullptr) << "one publisher is the limit";

  PipelineConfig next = config;
  next.limits.groups = 10;
  next.limits.publishers = 10;
  next.limits.class_lists = 2;
  next.limits.classes = 3;
  next.fleet_ious = {};
  next.views[0].classes = false;
  next.views[0].families.calibration = false;
  next.labels.sources = {};
  rig.ingest->Reload(next);
  EXPECT_THAT(Details(rig.Send(test::OtherClasses(), test::At(kNow + 1), "camera")),
              testing::ElementsAre("class_list.entries: more than 3 class names"));
  next.limits.classes = 10;
  rig.ingest->Reload(next);
  EXPECT_TRUE(rig.Send(test::OtherClasses(), test::At(kNow + 1), "camera").rejected.empty());
  (void)rig.Send(test::ThreeClasses(), test::At(kNow + 1), "other");
  EXPECT_NE(rig.ingest->Publisher("other", Transport::kReliable), nullptr);
  send("b", kNow + 1);
  const auto after = rig.Take(test::At(kNow + 1));
  EXPECT_EQ(after->views[1].groups.size(), 1U) << "also for a model that was refused one before";
  EXPECT_FALSE(after->views[0].spec.classes);
  EXPECT_FALSE(after->views[0].spec.families.calibration);
  EXPECT_TRUE(after->fleet_ious.empty());
  EXPECT_TRUE(after->views[0].groups[0].counters[0]->bin_detections.empty());
  EXPECT_EQ(after->counters.filtered_labels, 1U);
}

}  // namespace
}  // namespace detwatch::pipeline
