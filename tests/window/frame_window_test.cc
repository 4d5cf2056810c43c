#include "lib/window/frame_window.h"

#include <gtest/gtest.h>

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
