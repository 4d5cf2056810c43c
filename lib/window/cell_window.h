#pragma once
// lib/window -- one cell over a sliding window: the sum of the panes that are inside.
//
// Time is cut into panes of fixed length; pane i covers [i x length, (i + 1) x length) since the epoch. At a
// moment in pane c the window of P panes holds panes c - P + 1 ... c, so its length lies in (W - W/P, W].
// The sum is kept, the open pane is added to, and a pane that leaves is subtracted: nothing is summed
// again. Closed panes are kept in their serialised form (zero runs, varints): dense ones would be a gigabyte.
//
// `pane` is passed in by the caller, also to reads. Changes are signed and may go to a closed pane.
// Laws: TheSumEqualsAFromScratchSumOfItsPanes, MemoryIsFlatOnceTheWindowIsFull. Threads: none.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "lib/accumulate/histogram.h"

namespace detwatch::window {

class CellWindow {
 public:
  // Requires: panes >= 1.
  CellWindow(const accumulate::Shape& shape, std::int64_t panes);

  // Adds signed counts to `pane`. Advances when the pane is ahead of what was seen; a pane that has left
  // already is ignored and gives false.
  bool Apply(std::int64_t pane, const accumulate::Histogram& delta);
  // Lets go what is outside when `pane` is the current one. Returns true when the sum changed.
  bool Advance(std::int64_t pane);
  // Requires: Advance(current pane) was called.
  [[nodiscard]] const accumulate::Histogram& sum() const { return sum_; }
  [[nodiscard]] std::size_t bytes() const { return sum_.bytes() + open_.bytes() + closed_bytes_; }

 private:
  struct Closed {
    std::int64_t pane = 0;
    std::string counts;
  };
  void CloseOpen();

  std::int64_t panes_;
  std::int64_t open_pane_ = INT64_MIN;
  accumulate::Histogram sum_;
  accumulate::Histogram open_;
  std::deque<Closed> closed_;  // ascending pane, none is zero
  std::size_t closed_bytes_ = 0;
};

}  // namespace detwatch::window
