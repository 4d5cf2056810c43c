#include "lib/window/cell_window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "lib/core/bytes.h"

namespace detwatch::window {
namespace {

using accumulate::Histogram;
using accumulate::Shape;

const EvaluationParams& Params() {
  static const EvaluationParams params = EvaluationParams::Coco();
  return params;
}

// One frame's counts with a few detections, or with sign -1 their removal.
Histogram RandomDelta(std::mt19937& random, int sign = 1) {
  Histogram delta(Shape::Coarse(Params()));
  ClassOutcome outcome;
  outcome.ground_truths = {2, 1, 1, 0};
  std::vector<DetectionOutcome> detections(random() % 6);
  outcome.count = static_cast<std::uint32_t>(detections.size());
  for (DetectionOutcome& detection : detections) {
    detection.score = static_cast<float>(random() % 1000) / 1000.0F;
    detection.true_positive[0] = static_cast<IouMask>(random() % 1024);
    detection.true_positive[1] = detection.true_positive[0];
    detection.iou = 0.75F;
  }
  delta.Count(Params(), outcome, detections, sign);
  delta.AddTally(delta.shape().Frames(), sign);
  return delta;
}

Histogram Sum(const CellWindow& window) {
  return window.sum() == nullptr ? Histogram(Shape::Coarse(Params())) : *window.sum();
}

// As a start has it: the closed panes, then the open one.
Result<void> Restore(CellWindow& window, const KeyValue& store, std::int64_t open_pane,
                     const Histogram* open) {
  Result<void> done;
  store.ScanPrefix("W", [&](std::string_view key, std::string_view value) {
    done = window.RestoreClosed(key.substr(1), value);
    return done.has_value();
  });
  return done ? window.RestoreOpen(open_pane, open) : done;
}

TEST(CellWindowTest, TheSumEqualsAFromScratchSumOfItsPanes) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    const std::int64_t panes = 1 + static_cast<std::int64_t>(random() % 12);
    MemoryKeyValue store;
    CellWindow window(Shape::Coarse(Params()), panes, "W");
    std::map<std::int64_t, Histogram> by_pane;
    std::int64_t current = 1000;
    window.Advance(store, current);
    for (int step = 0; step < 300; ++step) {
      if (random() % 3 == 0) {
        current += static_cast<std::int64_t>(random() % (random() % 5 == 0 ? 20 : 3));
        window.Advance(store, current);
      }
      // Mostly the open pane; sometimes a change of a closed one, which may have left.
      const std::int64_t pane =
          random() % 4 == 0 ? current - static_cast<std::int64_t>(random() % 15) : current;
      const Histogram delta = RandomDelta(random);
      EXPECT_EQ(window.Apply(store, pane, delta), pane > current - panes);
      by_pane.try_emplace(pane, Shape::Coarse(Params())).first->second.Add(delta);
      Histogram expected(Shape::Coarse(Params()));
      for (const auto& [index, counts] : by_pane) {
        if (index > current - panes) {
          expected.Add(counts);
        }
      }
      ASSERT_TRUE(Sum(window) == expected) << "seed " << seed << " step " << step;
      if (random() % 10 == 0) {
        CellWindow again(Shape::Coarse(Params()), panes, "W");
        ASSERT_TRUE(Restore(again, store, window.open_pane(), window.open()).has_value());
        ASSERT_TRUE(Sum(again) == expected) << "restored, seed " << seed << " step " << step;
        window = std::move(again);
      }
    }
  }
}

// A window that goes on and one that was restored, by the same changes: same sums, same store, to the end.
TEST(CellWindowTest, RestoredItIsTheSame) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    const std::int64_t panes = 2 + static_cast<std::int64_t>(random() % 8);
    MemoryKeyValue store;
    CellWindow window(Shape::Coarse(Params()), panes, "W");
    std::int64_t current = 1000;
    for (int step = 0; step < 60; ++step) {
      current += static_cast<std::int64_t>(random() % 2);
      window.Apply(store, current - static_cast<std::int64_t>(random() % 3), RandomDelta(random));
    }
    MemoryKeyValue other;
    store.ScanPrefix("W", [&](std::string_view key, std::string_view value) {
      other.Put(key, value);
      return true;
    });
    CellWindow again(Shape::Coarse(Params()), panes, "W");
    ASSERT_TRUE(Restore(again, other, window.open_pane(), window.open()).has_value());
    EXPECT_EQ(again.open_pane(), window.open_pane());
    EXPECT_EQ(again.closed_bytes(), window.closed_bytes());
    EXPECT_GT(window.closed_bytes(), 0U);
    for (int step = 0; step < 60; ++step) {
      current += static_cast<std::int64_t>(random() % 2);
      const std::int64_t pane = current - static_cast<std::int64_t>(random() % 3);
      const Histogram delta = RandomDelta(random, step % 4 == 0 ? -1 : 1);
      ASSERT_EQ(again.Apply(other, pane, delta), window.Apply(store, pane, delta));
      ASSERT_TRUE(Sum(again) == Sum(window)) << "seed " << seed << " step " << step;
      ASSERT_EQ(again.closed_bytes(), window.closed_bytes());
    }
    EXPECT_EQ(again.Advance(other, current + panes), window.Advance(store, current + panes));
    EXPECT_TRUE(Sum(again).IsZero());
    EXPECT_EQ(other.size(), store.size());
  }
}

TEST(CellWindowTest, AnOpenPaneThatWasClosedSinceItWasWrittenCountsOnce) {
  MemoryKeyValue store;
  std::mt19937 random(7);
  CellWindow window(Shape::Coarse(Params()), 5, "W");
  window.Apply(store, 10, RandomDelta(random));
  const Histogram open = *window.open();
  window.Advance(store, 12);
  CellWindow again(Shape::Coarse(Params()), 5, "W");
  ASSERT_TRUE(Restore(again, store, 10, &open).has_value());
  EXPECT_TRUE(Sum(again) == Sum(window));
  again.Advance(store, 20);
  EXPECT_TRUE(Sum(again).IsZero());
  EXPECT_EQ(store.size(), 0U);
}

TEST(CellWindowTest, APaneThatIsNotOursIsRefused) {
  MemoryKeyValue store;
  std::string key = "W";
  AppendFixed64(key, 1);
  store.Put(key, "no histogram");
  CellWindow window(Shape::Coarse(Params()), 5, "W");
  EXPECT_FALSE(Restore(window, store, 10, nullptr).has_value());
}

TEST(CellWindowTest, ACorrectionOfAClosedPaneLeavesNothingBehind) {
  MemoryKeyValue store;
  CellWindow window(Shape::Coarse(Params()), 5, "W");
  std::mt19937 random(1);
  const Histogram wrong = RandomDelta(random);
  window.Apply(store, 10, wrong);
  window.Advance(store, 12);
  Histogram back(Shape::Coarse(Params()));
  back.Subtract(wrong);
  EXPECT_TRUE(window.Apply(store, 10, back));
  EXPECT_TRUE(Sum(window).IsZero());
  EXPECT_FALSE(window.Advance(store, 30));  // nothing was left to expire
}

TEST(CellWindowTest, MemoryIsFlatOnceTheWindowIsFull) {
  MemoryKeyValue store;
  CellWindow window(Shape::Coarse(Params()), 20, "W");
  std::mt19937 random(2);
  std::size_t full = 0;
  for (std::int64_t pane = 0; pane < 2000; ++pane) {
    for (int i = 0; i < 5; ++i) {
      window.Apply(store, pane, RandomDelta(random));
    }
    if (pane == 100) {
      full = window.bytes();
    }
  }
  EXPECT_LT(static_cast<double>(window.bytes()), 1.3 * static_cast<double>(full));
}

TEST(CellWindowTest, FinerCountsAreTakenInTheWindowsLayout) {
  MemoryKeyValue store;
  CellWindow window(Shape::Coarse(Params()), 2, "W");
  Histogram fine(Shape::Fine(Params()));
  ClassOutcome outcome;
  outcome.count = 1;
  std::vector<DetectionOutcome> detections(1);
  detections[0].score = 0.7F;
  fine.Count(Params(), outcome, detections);
  window.Apply(store, 3, fine);
  const auto& layout = Sum(window).shape().layout(0);
  EXPECT_EQ(Sum(window).table(0).Detections(layout.Bin(0.7F)), 1);
}

}  // namespace
}  // namespace detwatch::window
