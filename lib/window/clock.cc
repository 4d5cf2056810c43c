#include "lib/window/clock.h"

#include <algorithm>

namespace detwatch::window {

TimePoint Clock::Now(TimePoint wall, Duration monotonic) {
  if (!started_) {
    started_ = true;
    now_ = std::max(now_, wall);
    monotonic_ = monotonic;
    return now_;
  }
  const Duration elapsed = std::max(Duration{0}, monotonic - monotonic_);
  monotonic_ = std::max(monotonic_, monotonic);
  const TimePoint expected = now_ + elapsed;
  if (wall <= expected + kTolerance) {
    holding_ = false;
    now_ = std::max(now_, wall);
    return now_;
  }
  if (!holding_) {
    holding_ = true;
    held_since_ = monotonic_;
    ++holds_;
  }
  if (monotonic_ - held_since_ >= kPatience) {
    holding_ = false;
    now_ = wall;
  } else {
    now_ = expected;
  }
  return now_;
}

}  // namespace detwatch::window
