// Limits, views, models and what is forgotten.
#include <gtest/gtest.h>

#include <cmath>

#include "lib/pipeline/ingest.h"
#include "tests/pipeline/ingest_support.h"

namespace detwatch::pipeline {
namespace {

using IngestLimitsTest = IngestTest;

using test::At;
using test::Feed;
using test::MakeClassList;
using test::MakeFrame;
using test::RandomFrame;

TEST_F(IngestLimitsTest, AHundredThousandModelNamesAreRefusedAndTheKnownOnesGoOn) {
  PipelineConfig config;
  config.limits.models = 50;
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("good-0").predictions, At(kNow));
  for (int i = 0; i < 100'000; ++i) {
    feed_->Send(Frame("x", "model-" + std::to_string(i)).predictions, At(kNow));
  }
  feed_->Send(Frame("good-1").predictions, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(Rejected(*snapshot, RejectReason::kTooManyModels), 100'000U - 49U);
  EXPECT_EQ(Frames(*snapshot), 51U);
  EXPECT_EQ(snapshot->gauges.models, 50U);
  EXPECT_EQ(snapshot->models.at(0).frames, 2U);
}

TEST_F(IngestLimitsTest, IdleModelsLeaveAndMakeRoom) {
  PipelineConfig config;
  config.limits.models = 1;
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  EXPECT_EQ(feed_->Send(Frame("b", "new").predictions, At(kNow)).rejected.size(), 1U);
  (void)Take(kNow);
  const double later = kNow + 8 * 86400;
  ingest_->Tick(At(later));
  feed_->header().oldest_held = feed_->header().sequence + 1;  // all before was acknowledged
  EXPECT_TRUE(feed_->Send(Frame("c", "new").predictions, At(later)).rejected.empty());
  const auto snapshot = Take(later);
  ASSERT_EQ(snapshot->models.size(), 1U);
  EXPECT_EQ(snapshot->models[0].key.model, "new");
  EXPECT_EQ(snapshot->views[0].groups.size(), 1U);
}

TEST_F(IngestLimitsTest, NoNewGroupOnceTheByteBudgetIsUsedUp) {
  PipelineConfig config;
  config.limits.cell_bytes = 20'000;
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow));
  (void)Take();
  EXPECT_GT(state_->cell_bytes(), 20'000U);
  const Reaction reaction = feed_->Send(Frame("b", "second").predictions, At(kNow));
  ASSERT_EQ(reaction.rejected.size(), 1U);
  EXPECT_EQ(reaction.rejected[0].reason, "memory");
  feed_->Send(Frame("c").predictions, At(kNow));
  feed_->Send(Frame("c").labels, At(kNow));
  EXPECT_EQ(Take()->counters.judged_frames, 2U);
}

TEST_F(IngestLimitsTest, ViewsGroupByTagsOfModelsAndStreams) {
  PipelineConfig config;
  config.views.push_back({"by-site", {"site", "backbone"}, false, false, {}, {"5m"}});
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  ModelInfo info;
  info.model = {"yolo", "1"};
  info.class_list = test::ThreeClasses().hash;
  info.tags = {{"backbone", "r50"}};
  info.score_threshold = 0.05F;
  feed_->Send(info, At(kNow));
  feed_->Send(StreamInfo{"gate", {{"site", "north"}}}, At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow));
  const auto snapshot = Take();
  ASSERT_EQ(snapshot->views.size(), 2U);
  const snapshot::Group& group = snapshot->views[1].groups.at(0);
  EXPECT_EQ(group.labels,
            (std::vector<std::pair<std::string, std::string>>{{"site", "north"}, {"backbone", "r50"}}));
  EXPECT_EQ(group.windows.size(), 2U);
  EXPECT_EQ(group.windows[1].name, "5m");
  EXPECT_TRUE(group.counters.empty());
  EXPECT_FLOAT_EQ(snapshot->models.at(0).score_threshold, 0.05F);
}

TEST_F(IngestLimitsTest, SeveralModelsAreJudgedOnTheSameLabels) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a", "yolo").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow));
  RandomFrame blind = Frame("a", "blind");
  blind.predictions.boxes.clear();
  blind.predictions.scores.clear();
  blind.predictions.class_ids.clear();
  feed_->Send(blind.predictions, At(kNow + 60));
  const auto snapshot = Take(kNow + 60);
  ASSERT_EQ(snapshot->views[0].groups.size(), 2U);
  EXPECT_DOUBLE_EQ(snapshot->views[0].groups[0].windows[0].mean.map[0][0].value, 1);
  EXPECT_DOUBLE_EQ(snapshot->views[0].groups[1].windows[0].mean.map[0][0].value, 0);
  EXPECT_EQ(snapshot->views[0].groups[1].windows[0].classes[1]->operating[0][0].false_negatives, 1);
}

TEST_F(IngestLimitsTest, AModelsProtocolIsItsOwn) {
  PipelineConfig config;
  config.model_evaluation["voc"] = EvaluationParams::Voc(Interpolation::kAllPoints, true);
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a", "voc").predictions, At(kNow));
  feed_->Send(Frame("a", "yolo").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow));
  const auto snapshot = Take();
  ASSERT_EQ(snapshot->views[0].groups.size(), 2U);
  EXPECT_EQ(snapshot->views[0].groups[0].params->matching_rule, MatchingRule::kVoc);
  EXPECT_EQ(snapshot->views[0].groups[1].params->matching_rule, MatchingRule::kCoco);
}

TEST_F(IngestLimitsTest, LabelsOfAKindThatIsConfiguredOutDoNotCount) {
  PipelineConfig config;
  config.labels.sources = {LabelSource::kHuman};
  Start(config);
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  RandomFrame automatic = Frame("a");
  automatic.labels.source = LabelSource::kAuto;
  feed_->Send(automatic.labels, At(kNow));
  EXPECT_EQ(Take()->counters.judged_frames, 0U);
  RandomFrame human = Frame("a");
  human.labels.source = LabelSource::kHuman;
  feed_->Send(human.labels, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.filtered_labels, 1U);
  EXPECT_EQ(snapshot->counters.judged_frames, 1U);
}

TEST_F(IngestLimitsTest, WhatExpiresIsCountedByWhatWasMissing) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  feed_->Send(Frame("b").labels, At(kNow));
  EXPECT_EQ(Take(kNow)->gauges.pending_predictions, 1U);
  const auto snapshot = Take(kNow + 86401);
  EXPECT_EQ(snapshot->counters.expired_labels_missing, 1U);
  EXPECT_EQ(snapshot->counters.expired_predictions_missing, 1U);
  EXPECT_EQ(snapshot->models.at(0).expired, 1U);
  EXPECT_EQ(snapshot->counters.judged_frames, 0U);
}

TEST_F(IngestLimitsTest, AModelThatExpectsNoLabelsIsSeenButDoesNotWait) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  ModelInfo info;
  info.model = {"yolo", "1"};
  info.class_list = test::ThreeClasses().hash;
  info.labels_expected = false;
  feed_->Send(info, At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.never_expected, 1U);
  EXPECT_EQ(snapshot->gauges.pending_predictions, 0U);
  EXPECT_EQ(snapshot->views[0].groups[0].predictions->frames, 1U);
}

TEST_F(IngestLimitsTest, AcknowledgedIsWhatWasAbsorbed) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  EXPECT_EQ(ingest_->Publisher("camera-1", Transport::kReliable)->received, 2U);
  EXPECT_EQ(ingest_->Publisher("camera-1", Transport::kReliable)->durable, 0U);
  const auto cut = ingest_->TakeCut(At(kNow));
  feed_->Send(Frame("b").predictions, At(kNow));
  Absorbed absorbed;
  absorbed.marks = cut->marks;
  ingest_->OnAbsorbed(absorbed);
  EXPECT_EQ(ingest_->Publisher("camera-1", Transport::kReliable)->durable, 2U);
  EXPECT_EQ(ingest_->Publisher("camera-1", Transport::kReliable)->received, 3U);
}

TEST_F(IngestLimitsTest, ATotalIsTheSumOfItsCuts) {
  std::mt19937 random(12);
  std::vector<RandomFrame> frames;
  for (int i = 0; i < 60; ++i) {
    frames.push_back(MakeFrame(random, std::to_string(i)));
  }
  const auto run = [&](int frames_per_cut) {
    Start({});
    feed_->Send(test::ThreeClasses(), At(kNow));
    int n = 0;
    for (const RandomFrame& frame : frames) {
      feed_->Send(frame.predictions, At(kNow));
      feed_->Send(frame.labels, At(kNow));
      if (++n % frames_per_cut == 0) {
        test::Absorb(*ingest_, *state_, At(kNow));
      }
    }
    return Take();
  };
  const auto one = run(1000);
  const auto many = run(7);
  const auto& a = one->views[0].groups[0].windows[0].mean;
  const auto& b = many->views[0].groups[0].windows[0].mean;
  EXPECT_EQ(a.map[0][10].value, b.map[0][10].value);
  EXPECT_EQ(a.ar[0], b.ar[0]);
  EXPECT_EQ(a.micro[0][0].false_positives, b.micro[0][0].false_positives);
  EXPECT_LT(one->cuts, many->cuts);
}

}  // namespace
}  // namespace detwatch::pipeline
