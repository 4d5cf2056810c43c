#pragma once
// lib/core -- time. Nothing in lib/ reads a clock: `now` is always a parameter, so tests run days in
// milliseconds. lib/client and daemon/ are the only places that ask what time it is.

#include <chrono>
#include <cstdint>

namespace detwatch {

using Duration = std::chrono::nanoseconds;
// Wall time since the Unix epoch. The default value, the epoch itself, means "unknown".
using TimePoint = std::chrono::sys_time<Duration>;

[[nodiscard]] constexpr TimePoint FromUnixNanos(std::int64_t ns) {
  return TimePoint(Duration(ns));
}
[[nodiscard]] constexpr std::int64_t ToUnixNanos(TimePoint t) {
  return t.time_since_epoch().count();
}
[[nodiscard]] constexpr double ToUnixSeconds(TimePoint t) {
  return static_cast<double>(ToUnixNanos(t)) / 1e9;
}
[[nodiscard]] constexpr double ToSeconds(Duration d) {
  return static_cast<double>(d.count()) / 1e9;
}

}  // namespace detwatch
