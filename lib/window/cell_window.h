#pragma once
// lib/window -- one cell over a sliding window: the sum of the panes that are inside.
//
// Time is cut into panes of fixed length; pane i covers [i x length, (i + 1) x length) since the epoch. At a
// moment in pane c the window of P panes holds panes c - P + 1 ... c, so its length lies in (W - W/P, W].
// The sum is kept, the open pane is added to, and a pane that leaves is subtracted: nothing is summed
// again. Closed panes are in the store, and read only to leave or to be corrected: in memory they would be
// most of what a model costs. The open pane and the sum are the owner's to keep; a start adds the closed ones
// again. A window in which nothing is costs no histogram.
//
// `pane` is passed in by the caller. Changes are signed and may go to a closed pane.
// Laws: TheSumEqualsAFromScratchSumOfItsPanes, MemoryIsFlatOnceTheWindowIsFull, RestoredItIsTheSame.
// Threads: none. Errors: the Restore functions; a closed pane that cannot be read later throws.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

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
  // Null: nothing is inside. Requires: Advance(current pane) was called.
  [[nodiscard]] const accumulate::Histogram* sum() const { return sum_.get(); }
  // Of the sum and the open pane; closed ones are the store's.
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::size_t closed_bytes() const { return closed_bytes_; }

  static constexpr std::int64_t kNoPane = INT64_MIN;
  [[nodiscard]] std::int64_t open_pane() const { return open_pane_; }  // kNoPane: nothing came yet
  [[nodiscard]] const accumulate::Histogram* open() const { return open_.get(); }  // null: zero
  [[nodiscard]] const accumulate::Shape& shape() const { return shape_; }

  // A start gives back the closed panes in ascending order, as the store has them (key less the prefix,
  // value), and then the open one as it was written; when it is among the closed ones, it was closed after
  // that. Requires: a new window.
  [[nodiscard]] Result<void> RestoreClosed(std::string_view pane_key, std::string_view counts);
  [[nodiscard]] Result<void> RestoreOpen(std::int64_t open_pane, const accumulate::Histogram* open);

 private:
  struct Closed {
    std::int64_t pane = 0;
    std::size_t bytes = 0;  // serialised
  };
  [[nodiscard]] std::string Key(std::int64_t pane) const;
  [[nodiscard]] accumulate::Histogram Read(const KeyValue& store, std::int64_t pane) const;
  void CloseOpen(KeyValue& store);
  void ApplyToClosed(KeyValue& store, std::int64_t pane, const accumulate::Histogram& delta);
  void AddTo(std::unique_ptr<accumulate::Histogram>& counts, const accumulate::Histogram& delta, int sign);

  accumulate::Shape shape_;
  std::int64_t panes_;
  std::string prefix_;
  std::int64_t open_pane_ = kNoPane;
  std::unique_ptr<accumulate::Histogram> sum_;
  std::unique_ptr<accumulate::Histogram> open_;
  std::deque<Closed> closed_;  // ascending pane, none is zero
  std::size_t closed_bytes_ = 0;
};

}  // namespace detwatch::window
