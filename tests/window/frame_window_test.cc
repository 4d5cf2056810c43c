#include "lib/window/frame_window.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "lib/core/bytes.h"

namespace detwatch::window {
namespace {

FrameStats One(accumulate::Ordinal ordinal, std::int64_t capture_ns = 0) {
  FrameStats stats;
  stats.Add(ordinal, FromUnixNanos(capture_ns));
  return stats;
}

TEST(FrameWindowTest, FramesLeaveWithTheirPane) {
  FrameWindow window(3);
  window.Apply(10, One(1));
  window.Apply(11, One(2));
  window.Apply(12, One(3));
  EXPECT_EQ(window.Sum().frames, 3);
  EXPECT_EQ(window.Sum().first, 1U);
  window.Advance(13);
  EXPECT_EQ(window.Sum().frames, 2);
  EXPECT_EQ(window.Sum().first, 2U);
  window.Advance(15);
  EXPECT_EQ(window.Sum().frames, 0);
}

// By set as by number. What bounds the frames inside may stay.
TEST(FrameWindowTest, FramesThatAreTakenOutLeaveNoCount) {
  FrameWindow window(3);
  FrameStats added = One(5, 700);
  added.by_set.Add(1, 1);
  FrameStats kept = One(6, 800);
  kept.by_set.Add(2, 1);
  window.Apply(10, added);
  window.Apply(11, kept);
  FrameStats taken;
  taken.Add(5, FromUnixNanos(700), -1);
  taken.by_set.Add(1, -1);
  window.Apply(10, taken);
  EXPECT_EQ(window.Sum().frames, 1);
  EXPECT_EQ(window.Sum().by_set.counts(), kept.by_set.counts());
  FrameStats rest;
  rest.Add(6, FromUnixNanos(800), -1);
  rest.by_set.Add(2, -1);
  window.Apply(11, rest);
  EXPECT_EQ(window.Sum().frames, 0);
  EXPECT_TRUE(window.Sum().by_set.counts().empty());
  window.Apply(12, One(9));
  EXPECT_EQ(window.Sum().frames, 1);
  EXPECT_EQ(window.Sum().first, 9U);  // nothing that was taken out is counted as inside
}

TEST(FrameWindowTest, TheSumIsThatOfItsPanes) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    const std::int64_t panes = 1 + static_cast<std::int64_t>(random() % 6);
    FrameWindow window(panes);
    std::map<std::int64_t, FrameStats> by_pane;
    std::int64_t current = 100;
    accumulate::Ordinal ordinal = 1;
    for (int step = 0; step < 300; ++step) {
      current += static_cast<std::int64_t>(random() % 3) * static_cast<std::int64_t>(random() % 2);
      window.Advance(current);
      const std::int64_t pane = current - static_cast<std::int64_t>(random() % 8);
      FrameStats stats =
          One(ordinal++, random() % 2 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % 999));
      stats.by_set.Add(random() % 4, 1);
      window.Apply(pane, stats);
      by_pane[pane] += stats;
      FrameStats expected;
      for (const auto& [index, held] : by_pane) {
        if (index > current - panes) {
          expected += held;
        }
      }
      const FrameStats& sum = window.Sum();
      ASSERT_EQ(sum.frames, expected.frames) << "seed " << seed << " step " << step;
      ASSERT_EQ(sum.by_set.counts(), expected.by_set.counts());
      ASSERT_EQ(sum.oldest_capture, expected.oldest_capture);
      ASSERT_EQ(sum.newest_capture, expected.newest_capture);
      if (expected.frames > 0) {
        ASSERT_EQ(sum.first, expected.first);
      }
      if (random() % 10 == 0) {
        std::string bytes;
        window.Serialise(bytes);
        FrameWindow again(panes);
        ByteReader in(bytes);
        ASSERT_TRUE(again.Restore(in));
        window = again;
      }
    }
  }
}

TEST(FrameWindowTest, AFrameOfAPaneThatHasLeftIsIgnored) {
  FrameWindow window(3);
  window.Advance(20);
  window.Apply(17, One(1));
  EXPECT_EQ(window.Sum().frames, 0);
  window.Apply(18, One(2));
  EXPECT_EQ(window.Sum().frames, 1);
}

TEST(FrameWindowTest, CaptureTimesSpanTheFramesThatHaveOne) {
  FrameWindow window(3);
  window.Apply(1, One(1));
  EXPECT_EQ(window.Sum().oldest_capture, TimePoint{});
  window.Apply(1, One(2, 500));
  window.Apply(2, One(3, 200));
  window.Apply(2, One(4));
  EXPECT_EQ(window.Sum().oldest_capture, FromUnixNanos(200));
  EXPECT_EQ(window.Sum().newest_capture, FromUnixNanos(500));
}

}  // namespace
}  // namespace detwatch::window
