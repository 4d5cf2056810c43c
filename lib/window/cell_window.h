#pragma once
// lib/window -- one cell over a sliding window: the sum of the panes that are inside.
//
// Time is cut into panes of fixed length; pane i covers [i x length, (i + 1) x length) since the epoch. At a
// moment in pane c the window of P panes holds panes c - P + 1 ... c, so its length lies in (W - W/P, W].
// The sum is kept, the open pane is added to, and a pane that leaves is subtracted: nothing is summed
// again. Closed panes are in the store, and read only to leave or to be corrected: in memory they would be
// most of what a model costs. The open pane and the sum are the owner's to keep; Restore adds the closed ones
// again.
//
// `pane` is passed in by the caller, also to reads. Changes are signed and may go to a closed pane.
// Laws: TheSumEqualsAFromScratchSumOfItsPanes, MemoryIsFlatOnceTheWindowIsFull, RestoredItIsTheSame.
// Threads: none. Errors: Restore; a closed pane that cannot be read later throws.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "lib/accumulate/histogram.h"
#include "lib/core/key_value.h"

namespace detwatch::window {

class CellWindow {
 public:
  // Closed panes are kept under `prefix`, which nobody else uses. Requires: panes >= 1.
  CellWindow(const accumulate::Shape& shape, std::int64_t panes, std::string prefix);

  // Adds signed counts to `pane`. Advances when the pane is ahead of what was seen; a pane that has left
  // already is ignored and gives false.
  bool Apply(KeyValue& store, std::int64_t pane, const accumulate::Histogram& delta);
  // Lets go what is outside when `pane` is the current one. Returns true when the sum changed.
  bool Advance(KeyValue& store, std::int64_t pane);
  // Requires: Advance(current pane) was called.
  [[nodiscard]] const accumulate::Histogram& sum() const { return sum_; }
  // Of the sum and the open pane; closed ones are the store's.
  [[nodiscard]] std::size_t bytes() const {
    return sum_.bytes() + open_.bytes() + closed_.size() * sizeof(Closed);
  }
  [[nodiscard]] std::size_t closed_bytes() const { return closed_bytes_; }

  static constexpr std::int64_t kNoPane = INT64_MIN;
  [[nodiscard]] std::int64_t open_pane() const { return open_pane_; }  // kNoPane: nothing came yet
  [[nodiscard]] const accumulate::Histogram& open() const { return open_; }
  // The open pane as it was; when the store has it as closed, it was closed after that. Requires: a new
  // window.
  [[nodiscard]] Result<void> Restore(const KeyValue& store, std::int64_t open_pane,
                                     accumulate::Histogram open);
  // Deletes the closed panes; the window is not used any more.
  void Forget(KeyValue& store) { store.DeletePrefix(prefix_); }

 private:
  struct Closed {
    std::int64_t pane = 0;
    std::size_t bytes = 0;  // serialised
  };
  [[nodiscard]] std::string Key(std::int64_t pane) const;
  [[nodiscard]] accumulate::Histogram Read(const KeyValue& store, std::int64_t pane) const;
  void CloseOpen(KeyValue& store);

  std::int64_t panes_;
  std::string prefix_;
  std::int64_t open_pane_ = kNoPane;
  accumulate::Histogram sum_;
  accumulate::Histogram open_;
  std::deque<Closed> closed_;  // ascending pane, none is zero
  std::size_t closed_bytes_ = 0;
};

}  // namespace detwatch::window
