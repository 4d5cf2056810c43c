#include "daemon/config/window.h"

#include <array>
#include <string>

#include "daemon/config/units.h"

namespace detwatch::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<Duration, 9> kNicePanes = {seconds(1),  seconds(5), seconds(15), seconds(60), minutes(5),
                                                minutes(15), hours(1),   hours(6),    hours(12)};

Duration PaneOf(Duration length) {
  // 60 panes of 5 s would slide no better for people, and triple the memory of the window they look at most.
  if (length == minutes(5)) {
    return seconds(15);
  }
  for (const Duration pane : kNicePanes) {
    if (length <= pane * kMaxPanes) {
      return pane;
    }
  }
  return kNicePanes.back();
}

}  // namespace

Result<WindowSpec> MakeWindow(std::string_view text) {
  const Result<Duration> length = ParseDuration(text);
  if (!length) {
    return tl::unexpected(length.error());
  }
  if (*length < kShortestWindow) {
    return Fail(std::string(text) + " is shorter than 10s");
  }
  if (*length > kLongestWindow) {
    return Fail(std::string(text) + " is longer than 31d");
  }
  const Duration pane = PaneOf(*length);
  const std::int64_t panes = *length / pane;
  if (pane * panes != *length) {
    return Fail(std::string(text) + " is not a multiple of its pane of " + FormatDuration(pane) + "; try " +
                FormatDuration(pane * panes));
  }
  return WindowSpec{std::string(text), pane, panes};
}

}  // namespace detwatch::config
