#pragma once
// lib/window -- the time that windows and expiry follow: never falls, and does not run away.
//
// A wall clock can be set, and time goes on whatever it does, for windows that stand still fill up and timers
// that stand still stop the daemon.
// - Behind by no more than 60 s: time goes on at half the monotonic pace until the wall has caught up.
// - Behind by more, also at a start that goes on from a stored time: time goes on at the monotonic pace until
//   the wall is within 60 s again. Each time that the wall falls back by more than 60 s is counted, also
//   where it does so in small steps or was behind already.
// - Ahead by more than 60 s of what the monotonic clock says: a jump would empty every window and expire
//   every waiting frame, so time goes on at the monotonic pace and the event is counted; when the clock is
//   set back it follows again, and after `patience` of being ahead without a break (a correct clock that was
//   wrong before) it is believed.
// Laws (tests of the same name): TimeNeverFalls, AJumpForwardIsHeld, SetBackItGoesOnAtTheMonotonicPace,
//   TimeNeverStandsStill, CaughtUpToWithinTheToleranceItLetsTheWallCatchUp,
//   EverySetBackIsCountedAlsoWhileItIsBehind.
// Threads: none; reads no clock.

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

  // max(previous, wall), but as above. `monotonic` is any steady clock's time since its own epoch.
  [[nodiscard]] TimePoint Now(TimePoint wall, Duration monotonic);
  [[nodiscard]] std::uint64_t holds() const { return holds_; }  // jumps held so far
  [[nodiscard]] bool holding() const { return holding_; }
  [[nodiscard]] std::uint64_t set_backs() const { return set_backs_; }  // by more than the tolerance, so far
  [[nodiscard]] bool set_back() const { return set_back_; }  // and it is still behind by more than it
  // How far the wall is ahead of this time; negative while it is behind.
  [[nodiscard]] Duration wall_ahead() const { return wall_ - now_; }

 private:
  bool started_ = false;
  bool holding_ = false;
  bool set_back_ = false;
  TimePoint now_;
  TimePoint wall_;
  Duration monotonic_{};
  Duration held_since_{};
  Duration counted_{};  // how far behind the wall was when that was last counted, or less by now
  std::uint64_t holds_ = 0;
  std::uint64_t set_backs_ = 0;

  [[nodiscard]] TimePoint Behind(Duration elapsed);
};

}  // namespace detwatch::window
