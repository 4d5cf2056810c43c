#include "lib/window/clock.h"

#include <algorithm>

namespace detwatch::window {

// Requires: the wall is not ahead of what is expected.
TimePoint Clock::Behind(Duration elapsed) {
  const TimePoint expected = now_ + elapsed;
  const Duration behind = expected - wall_;
  set_back_ = behind > kTolerance;
  if (!set_back_) {
    counted_ = Duration{0};
    return std::max(wall_, now_ + elapsed / 2);
  }
  if (behind > counted_ + kTolerance) {
    counted_ = behind;
    ++set_backs_;
  }
  counted_ = std::min(counted_, behind);
  return expected;
}

TimePoint Clock::Now(TimePoint wall, Duration monotonic) {
  wall_ = wall;
  if (!started_) {
    started_ = true;
    monotonic_ = monotonic;
    now_ = wall > now_ ? wall : Behind(Duration{0});
    return now_;
  }
  const Duration elapsed = std::max(Duration{0}, monotonic - monotonic_);
  monotonic_ = std::max(monotonic_, monotonic);
  const TimePoint expected = now_ + elapsed;
  if (wall < expected) {
    holding_ = false;
    now_ = Behind(elapsed);
    return now_;
  }
  set_back_ = false;
  counted_ = Duration{0};
  if (wall <= expected + kTolerance) {
    holding_ = false;
    now_ = wall;
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
