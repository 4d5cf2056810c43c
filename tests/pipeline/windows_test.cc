// Windows over time: what is inside, and that their values are those of the frames inside.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/pipeline/rig_support.h"

namespace detwatch::pipeline {
namespace {

using test::Absorb;
using test::At;
using test::Feed;
using test::FromScratch;
using test::MakeFrame;
using test::RandomFrame;

constexpr double kStart = 1'700'000'000;  // not on a pane's edge: 20 s past a minute

struct Timed {
  double at = 0;
  RandomFrame frame;
};

const snapshot::Window& FindWindow(const snapshot::Snapshot& snapshot, const std::string& name) {
  for (const snapshot::Window& window : snapshot.views.at(0).groups.at(0).windows) {
    if (window.name == name) {
      return window;
    }
  }
  throw std::runtime_error("no window " + name);
}

// The frames whose pane is still inside at `now`: panes with index > current - P.
std::vector<const RandomFrame*> Inside(const std::vector<Timed>& frames, const WindowSpec& spec, double now) {
  std::vector<const RandomFrame*> inside;
  const double pane = ToSeconds(spec.pane);
  for (const Timed& timed : frames) {
    if (std::floor(timed.at / pane) > std::floor(now / pane) - static_cast<double>(spec.panes)) {
      inside.push_back(&timed.frame);
    }
  }
  return inside;
}

void ExpectSame(const accumulate::MeanSummary& live, const accumulate::MeanSummary& scratch,
                const EvaluationParams& params, bool exact) {
  EXPECT_EQ(live.classes, scratch.classes);
  for (std::size_t area = 0; area < params.areas(); ++area) {
    EXPECT_EQ(live.ground_truths[area], scratch.ground_truths[area]);
    for (std::size_t t = 0; t <= params.thresholds(); ++t) {
      const accumulate::ApValue& ap = live.map[area][t];
      const double expected = scratch.map[area][t].value;
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(ap.value));
      } else if (exact) {
        EXPECT_NEAR(ap.value, expected, 1e-12);
      } else {
        EXPECT_LE(ap.lower, expected + 1e-12);
        EXPECT_GE(ap.upper, expected - 1e-12);
      }
    }
    if (!std::isnan(scratch.ar[area])) {
      EXPECT_NEAR(live.ar[area], scratch.ar[area], 1e-12);
    }
  }
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    EXPECT_EQ(live.micro[0][t].true_positives, scratch.micro[0][t].true_positives);
    EXPECT_EQ(live.micro[0][t].false_positives, scratch.micro[0][t].false_positives);
    EXPECT_EQ(live.micro[0][t].false_negatives, scratch.micro[0][t].false_negatives);
  }
  EXPECT_EQ(live.frames[0].tn, scratch.frames[0].tn);
}

// Random traffic with pauses from seconds to hours; every window is compared at random moments.
void RunProperty(std::size_t ring_capacity, bool exact, unsigned seed, int frames_wanted) {
  PipelineConfig config;
  config.ring_capacity = ring_capacity;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(seed);
  double now = kStart;
  feed.Send(test::ThreeClasses(), At(now));
  std::vector<Timed> frames;
  for (int i = 0; i < frames_wanted; ++i) {
    const auto below = [&random](unsigned n) { return static_cast<double>(random() % n); };
    const double pause = below(100);
    now += pause < 80 ? below(4) : pause < 97 ? below(120) : below(20000);
    Timed timed{now, MakeFrame(random, std::to_string(i), static_cast<int>(random() % 6))};
    feed.Send(timed.frame.predictions, At(now));
    feed.Send(timed.frame.labels, At(now));
    frames.push_back(std::move(timed));
    if (random() % 3 == 0) {
      Absorb(ingest, state, At(now));
    }
    if (random() % 40 == 0) {
      Absorb(ingest, state, At(now));
      now += below(400);
      const auto snapshot = test::Take(state, At(now));
      for (const WindowSpec& spec : config.windows) {
        const auto inside = Inside(frames, spec, now);
        const snapshot::Window& window = FindWindow(*snapshot, spec.name);
        ASSERT_EQ(window.frames, static_cast<std::int64_t>(inside.size()))
            << spec.name << " seed " << seed << " frame " << i;
        if (!inside.empty()) {
          ExpectSame(window.mean, FromScratch(config.evaluation, inside), config.evaluation, exact);
          EXPECT_TRUE(!exact || window.mean.exact) << spec.name;
        }
      }
    }
  }
}

TEST(WindowsTest, AWindowEqualsAFromScratchEvaluationOfItsFrames) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    RunProperty(1U << 20, true, seed, 400);
  }
}

TEST(WindowsTest, WhatTheRingCannotHoldStaysWithinTheBounds) {
  for (unsigned seed = 11; seed <= 13; ++seed) {
    RunProperty(64, false, seed, 400);
  }
}

TEST(WindowsTest, AQuietWindowBecomesExactAgain) {
  PipelineConfig config;
  config.ring_capacity = 64;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(5);
  feed.Send(test::ThreeClasses(), At(kStart));
  for (int i = 0; i < 200; ++i) {
    const RandomFrame frame = MakeFrame(random, std::to_string(i));
    feed.Send(frame.predictions, At(kStart));
    feed.Send(frame.labels, At(kStart));
  }
  Absorb(ingest, state, At(kStart));
  EXPECT_FALSE(FindWindow(*test::Take(state, At(kStart)), "5m").mean.exact);
  const double later = kStart + 400;
  const RandomFrame frame = MakeFrame(random, "later");
  feed.Send(frame.predictions, At(later));
  feed.Send(frame.labels, At(later));
  Absorb(ingest, state, At(later));
  const auto snapshot = test::Take(state, At(later));
  EXPECT_TRUE(FindWindow(*snapshot, "5m").mean.exact);
  EXPECT_EQ(FindWindow(*snapshot, "5m").frames, 1);
  EXPECT_FALSE(FindWindow(*snapshot, "1h").mean.exact);
  EXPECT_EQ(FindWindow(*snapshot, "1h").frames, 201);
}

TEST(WindowsTest, AFrameEntersAtItsJoinTimeNotAtItsCaptureTime) {
  PipelineConfig config;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(6);
  feed.Send(test::ThreeClasses(), At(kStart));
  RandomFrame frame = MakeFrame(random, "a");
  frame.predictions.capture_time = At(kStart - 7 * 86400);
  feed.Send(frame.predictions, At(kStart));
  const double labelled = kStart + 3600 * 3;
  feed.Send(frame.labels, At(labelled));
  Absorb(ingest, state, At(labelled));
  const snapshot::Window window = FindWindow(*test::Take(state, At(labelled)), "5m");
  EXPECT_EQ(window.frames, 1);
  EXPECT_EQ(window.oldest_capture, At(kStart - 7 * 86400));
}

TEST(WindowsTest, AFullWindowLosesAPaneAtATime) {
  PipelineConfig config;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(7);
  const double start = 1'700'000'010;  // a multiple of 15 s
  feed.Send(test::ThreeClasses(), At(start));
  for (int i = 0; i < 40; ++i) {  // one frame in each pane of 15 s
    const RandomFrame frame = MakeFrame(random, std::to_string(i));
    feed.Send(frame.predictions, At(start + 15 * i));
    feed.Send(frame.labels, At(start + 15 * i));
    Absorb(ingest, state, At(start + 15 * i));
    EXPECT_EQ(FindWindow(*test::Take(state, At(start + 15 * i)), "5m").frames, std::min(i + 1, 20));
  }
  const double last = start + 15 * 39;
  EXPECT_EQ(FindWindow(*test::Take(state, At(last + 14.9)), "5m").frames, 20);
  EXPECT_EQ(FindWindow(*test::Take(state, At(last + 15)), "5m").frames, 19);
  EXPECT_EQ(FindWindow(*test::Take(state, At(last + 300)), "5m").frames, 0);
}

TEST(WindowsTest, ACutThatStraddlesAPaneSplitsItsFrames) {
  PipelineConfig config;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(8);
  const double start = 1'700'000'010;
  feed.Send(test::ThreeClasses(), At(start));
  for (const double at : {start + 14.0, start + 16.0}) {
    const RandomFrame frame = MakeFrame(random, std::to_string(at));
    feed.Send(frame.predictions, At(at));
    feed.Send(frame.labels, At(at));
  }
  Absorb(ingest, state, At(start + 17));
  EXPECT_EQ(FindWindow(*test::Take(state, At(start + 299)), "5m").frames, 2);
  EXPECT_EQ(FindWindow(*test::Take(state, At(start + 300)), "5m").frames, 1);
}

TEST(WindowsTest, MemoryIsFlatOnceTheWindowsAreFull) {
  PipelineConfig config;
  config.ring_capacity = 256;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(9);
  feed.Send(test::ThreeClasses(), At(kStart));
  std::size_t once_full = 0;
  int id = 0;
  for (int minute = 0; minute < 4 * 24 * 60; minute += 15) {
    const double now = kStart + 60.0 * minute;
    for (int i = 0; i < 2; ++i) {
      const RandomFrame frame = MakeFrame(random, std::to_string(id++));
      feed.Send(frame.predictions, At(now));
      feed.Send(frame.labels, At(now));
    }
    Absorb(ingest, state, At(now));
    if (minute == 36 * 60) {
      (void)test::Take(state, At(now));
      once_full = state.cell_bytes();
    }
  }
  (void)test::Take(state, At(kStart + 4 * 86400));
  EXPECT_LT(static_cast<double>(state.cell_bytes()), 1.15 * static_cast<double>(once_full));
}

TEST(WindowsTest, UnchangedClassesAreShared) {
  PipelineConfig config;
  Ingest ingest(config);
  MemoryKeyValue store;
  State state(config, store);
  Feed feed(ingest);
  std::mt19937 random(10);
  feed.Send(test::ThreeClasses(), At(kStart));
  const RandomFrame frame = MakeFrame(random, "a");
  feed.Send(frame.predictions, At(kStart));
  feed.Send(frame.labels, At(kStart));
  Absorb(ingest, state, At(kStart));
  const auto first = test::Take(state, At(kStart));
  const auto second = test::Take(state, At(kStart + 1));
  EXPECT_EQ(FindWindow(*first, "1h").classes.at(0), FindWindow(*second, "1h").classes.at(0));
}

// Whoever looks, and however often: the same numbers later, and the same rows.
TEST(WindowsTest, LookingChangesNothing) {
  std::mt19937 random(31);
  test::Rig looked{PipelineConfig{}};
  test::Rig quiet{PipelineConfig{}};
  for (test::Rig* rig : {&looked, &quiet}) {
    rig->Send(test::ThreeClasses(), At(kStart));
  }
  for (int i = 0; i < 120; ++i) {
    const double now = kStart + 11 * i;
    const RandomFrame frame = MakeFrame(random, std::to_string(i));
    for (test::Rig* rig : {&looked, &quiet}) {
      rig->Send(frame.predictions, At(now));
      rig->Send(frame.labels, At(now));
      rig->Cut(At(now));
    }
    (void)looked.state->Take();
    (void)looked.state->Take();
  }
  test::ExpectSame(*looked.state->Take(), *quiet.state->Take());
  const auto rows = [](const test::Rig& rig) {
    std::map<std::string, std::string> all;
    rig.store.Scan("", "\xff", [&](std::string_view key, std::string_view value) {
      return all.emplace(key, value).second;
    });
    return all;
  };
  EXPECT_EQ(rows(looked), rows(quiet));
}

}  // namespace
}  // namespace detwatch::pipeline
