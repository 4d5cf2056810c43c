#include "lib/window/cell_window.h"

#include <algorithm>
#include <cassert>

namespace detwatch::window {
namespace {

constexpr std::size_t kClosedOverhead = 48;  // deque slot and string header

accumulate::Histogram Parse(const std::string& counts) {
  auto parsed = accumulate::Histogram::Parse(counts);
  assert(parsed.has_value());  // we wrote it ourselves, in memory
  return std::move(*parsed);
}

}  // namespace

CellWindow::CellWindow(const accumulate::Shape& shape, std::int64_t panes)
    : panes_(panes), sum_(shape), open_(shape) {
  assert(panes >= 1);
}

void CellWindow::CloseOpen() {
  if (!open_.IsZero()) {
    closed_.push_back({open_pane_, open_.Serialise()});
    closed_bytes_ += kClosedOverhead + closed_.back().counts.capacity();
  }
  open_ = accumulate::Histogram(open_.shape());
}

bool CellWindow::Apply(std::int64_t pane, const accumulate::Histogram& delta) {
  if (pane > open_pane_) {
    Advance(pane);
  }
  if (pane <= open_pane_ - panes_) {
    return false;
  }
  sum_.Add(delta);
  if (pane == open_pane_) {
    open_.Add(delta);
    return true;
  }
  auto at = std::lower_bound(closed_.begin(), closed_.end(), pane,
                             [](const Closed& closed, std::int64_t wanted) { return closed.pane < wanted; });
  accumulate::Histogram counts(open_.shape());
  if (at != closed_.end() && at->pane == pane) {
    counts = Parse(at->counts);
  } else {
    at = closed_.insert(at, Closed{pane, {}});
    closed_bytes_ += kClosedOverhead;
  }
  counts.Add(delta);
  closed_bytes_ -= at->counts.capacity();
  if (counts.IsZero()) {
    closed_bytes_ -= kClosedOverhead;
    closed_.erase(at);
  } else {
    at->counts = counts.Serialise();
    closed_bytes_ += at->counts.capacity();
  }
  return true;
}

bool CellWindow::Advance(std::int64_t pane) {
  if (pane <= open_pane_) {
    return false;
  }
  CloseOpen();
  open_pane_ = pane;
  bool changed = false;
  while (!closed_.empty() && closed_.front().pane <= pane - panes_) {
    sum_.Subtract(Parse(closed_.front().counts));
    closed_bytes_ -= kClosedOverhead + closed_.front().counts.capacity();
    closed_.pop_front();
    changed = true;
  }
  if (changed) {
    sum_.Compact();
  }
  return changed;
}

}  // namespace detwatch::window
