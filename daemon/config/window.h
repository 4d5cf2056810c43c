#pragma once
// daemon/config -- from a window's length to its panes.
//
// A window slides by whole panes: short panes follow time closely, few panes save memory. 5m, 1h and 24h
// have 20, 60 and 96; any other length takes the shortest pane of kNicePanes that gives at most 96.
// Law: APaneDividesItsWindowAndThereAreAtMost96. Threads: pure functions.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lib/core/result.h"
#include "lib/core/view.h"

namespace detwatch::config {

inline constexpr std::int64_t kMaxPanes = 96;
inline constexpr std::size_t kMaxWindows = 8;  // each costs a sum and its panes, for every cell
inline constexpr Duration kShortestWindow = std::chrono::seconds(10);
inline constexpr Duration kLongestWindow = std::chrono::hours(31 * 24);

// The window's name is the text as given.
[[nodiscard]] Result<WindowSpec> MakeWindow(std::string_view text);

[[nodiscard]] inline Duration Length(const WindowSpec& window) {
  return window.pane * window.panes;
}

}  // namespace detwatch::config
