#include <gtest/gtest.h>

#include "lib/snapshot/snapshot.h"

namespace detwatch::snapshot {
namespace {

std::shared_ptr<const ClassCounters> Counted(std::int64_t ground_truths) {
  auto counters = std::make_shared<ClassCounters>();
  counters->ground_truths = ground_truths;
  return counters;
}

// One view with one group of these classes, each with `n` ground truths.
Snapshot MakeSnapshot(const std::vector<std::string>& classes, std::int64_t n) {
  Snapshot snapshot;
  Group group;
  group.labels = {{"model", "yolo"}};
  group.class_names = classes;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    group.counters.push_back(Counted(n));
    group.retracted.push_back(Counted(n / 2));
  }
  auto stats = std::make_shared<PredictionStats>();
  stats->frames = static_cast<std::uint64_t>(n);
  group.predictions = stats;
  Window window;
  window.frames = n;
  group.windows = {window};
  View view;
  view.groups = {group};
  snapshot.views = {view};
  Model model;
  model.key = {"yolo", "1"};
  model.frames = static_cast<std::uint64_t>(n);
  model.judged = static_cast<std::uint64_t>(n);
  model.last_frame = FromUnixNanos(n);
  snapshot.models = {model};
  snapshot.counters.judged_frames = static_cast<std::uint64_t>(n);
  snapshot.gauges.publishers = static_cast<std::uint64_t>(n);
  snapshot.cuts = static_cast<std::uint64_t>(n);
  return snapshot;
}

TEST(KeepCountersTest, CountersStayAndGaugesGoOn) {
  const Snapshot durable = MakeSnapshot({"person"}, 10);
  Snapshot now = MakeSnapshot({"person"}, 30);
  KeepCounters(&durable, now);
  const Group& group = now.views[0].groups[0];
  EXPECT_EQ(group.counters[0]->ground_truths, 10);
  EXPECT_EQ(group.retracted[0]->ground_truths, 5);
  EXPECT_EQ(group.predictions->frames, 10U);
  EXPECT_EQ(now.models[0].frames, 10U);
  EXPECT_EQ(now.models[0].judged, 10U);
  EXPECT_EQ(now.counters.judged_frames, 10U);
  EXPECT_EQ(now.cuts, 10U);
  EXPECT_EQ(group.windows[0].frames, 30);
  EXPECT_EQ(now.gauges.publishers, 30U);
  EXPECT_EQ(now.models[0].last_frame, FromUnixNanos(30));
}

TEST(KeepCountersTest, WhatIsNewHasZeros) {
  const Snapshot durable = MakeSnapshot({"person"}, 10);
  Snapshot now = MakeSnapshot({"person", "car"}, 30);
  now.models[0].key = {"new", "1"};
  KeepCounters(&durable, now);
  const Group& group = now.views[0].groups[0];
  ASSERT_EQ(group.counters.size(), 2U);
  EXPECT_EQ(group.counters[0]->ground_truths, 10);
  EXPECT_EQ(group.counters[1], nullptr);
  EXPECT_EQ(now.models[0].frames, 0U);
}

TEST(KeepCountersTest, FramesCountedForAListStandAtTheDurableOnesToo) {
  Snapshot durable = MakeSnapshot({"person"}, 10);
  durable.views[0].groups[0].judged_frames = {4};
  durable.views[0].groups[0].retracted_judged_frames = {1};
  Snapshot now = MakeSnapshot({"person", "car"}, 30);
  now.views[0].groups[0].judged_frames = {9, 5};
  now.views[0].groups[0].retracted_judged_frames = {3, 2};
  KeepCounters(&durable, now);
  const Group& group = now.views[0].groups[0];
  EXPECT_EQ(group.judged_frames, (std::vector<std::int64_t>{4, 0}));
  EXPECT_EQ(group.retracted_judged_frames, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(FramesOfClass(group.counters, group.judged_frames, 0)[0].tn, 4);
}

TEST(KeepCountersTest, WithoutAnythingDurableAllIsZero) {
  Snapshot now = MakeSnapshot({"person"}, 30);
  KeepCounters(nullptr, now);
  const Group& group = now.views[0].groups[0];
  EXPECT_EQ(group.counters[0], nullptr);
  EXPECT_EQ(group.retracted[0], nullptr);
  EXPECT_EQ(group.predictions->frames, 0U);
  EXPECT_EQ(now.counters.judged_frames, 0U);
}

}  // namespace
}  // namespace detwatch::snapshot
