#pragma once
// lib/window -- the time that windows and expiry follow: never falls, and does not run away.
//
// A wall clock can be set. Backwards: time stands still until the wall has caught up. Forwards by more than
// 60 s over what the monotonic clock says: a jump would empty every window and expire every waiting
// frame, so time goes on at the monotonic pace and each such reading is counted; when the clock is set back
// it follows again, and after `patience` of being ahead without a break (a correct clock that was wrong
// before) it is believed. Laws: TimeNeverFalls, AJumpForwardIsHeld. Threads: none; reads no clock.

#include <cstdint>

#include "lib/core/time.h"

namespace detwatch::window {

class Clock {
 public:
  static constexpr Duration kTolerance = std::chrono::seconds(60);
  static constexpr Duration kPatience = std::chrono::minutes(10);

  Clock() = default;
  // Time goes on from `previous`, that of the run before; the default is none.
  explicit Clock(TimePoint previous) : now_(previous) {}

  // max(previous, wall), held as above. `monotonic` is any steady clock's time since its own epoch.
  [[nodiscard]] TimePoint Now(TimePoint wall, Duration monotonic);
  [[nodiscard]] std::uint64_t holds() const { return holds_; }  // jumps held so far
  [[nodiscard]] bool holding() const { return holding_; }

 private:
  bool started_ = false;
  bool holding_ = false;
  TimePoint now_;
  Duration monotonic_{};
  Duration held_since_{};
  std::uint64_t holds_ = 0;
};

}  // namespace detwatch::window
