#include "lib/window/cell_window.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <utility>

#include "lib/core/bytes.h"

namespace detwatch::window {
namespace {

accumulate::Histogram Parse(std::string_view counts, const accumulate::Shape& shape) {
  auto parsed = accumulate::Histogram::Parse(counts);
  if (!parsed || !(parsed->shape() == shape)) {
    throw std::runtime_error("the store is damaged: a pane of a window cannot be read; see --storage.repair");
  }
  return std::move(*parsed);
}

// Panes before 1970 sort below the others.
constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;

}  // namespace

CellWindow::CellWindow(const accumulate::Shape& shape, std::int64_t panes, std::string prefix)
    : panes_(panes), prefix_(std::move(prefix)), sum_(shape), open_(shape) {
  assert(panes >= 1);
}

std::string CellWindow::Key(std::int64_t pane) const {
  std::string key = prefix_;
  AppendFixed64(key, static_cast<std::uint64_t>(pane) ^ kSign);
  return key;
}

accumulate::Histogram CellWindow::Read(const KeyValue& store, std::int64_t pane) const {
  return Parse(store.Get(Key(pane)).value_or(""), sum_.shape());
}

void CellWindow::CloseOpen(KeyValue& store) {
  if (!open_.IsZero()) {
    const std::string counts = open_.Serialise();
    store.Put(Key(open_pane_), counts);
    closed_.push_back({open_pane_, counts.size()});
    closed_bytes_ += counts.size();
  }
  open_ = accumulate::Histogram(open_.shape());
}

bool CellWindow::Apply(KeyValue& store, std::int64_t pane, const accumulate::Histogram& delta) {
  if (pane > open_pane_) {
    Advance(store, pane);
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
    counts = Read(store, pane);
    closed_bytes_ -= at->bytes;
  } else {
    at = closed_.insert(at, Closed{pane, 0});
  }
  counts.Add(delta);
  if (counts.IsZero()) {
    closed_.erase(at);
    store.Delete(Key(pane));
  } else {
    const std::string value = counts.Serialise();
    at->bytes = value.size();
    closed_bytes_ += value.size();
    store.Put(Key(pane), value);
  }
  return true;
}

bool CellWindow::Advance(KeyValue& store, std::int64_t pane) {
  if (pane <= open_pane_) {
    return false;
  }
  CloseOpen(store);
  open_pane_ = pane;
  bool changed = false;
  while (!closed_.empty() && closed_.front().pane <= pane - panes_) {
    sum_.Subtract(Read(store, closed_.front().pane));
    store.Delete(Key(closed_.front().pane));
    closed_bytes_ -= closed_.front().bytes;
    closed_.pop_front();
    changed = true;
  }
  if (changed) {
    sum_.Compact();
  }
  return changed;
}

Result<void> CellWindow::Restore(const KeyValue& store, std::int64_t open_pane, accumulate::Histogram open) {
  if (!(open.shape() == sum_.shape())) {
    return Fail("the store is damaged: a window has counts of another shape");
  }
  bool sound = true;
  store.ScanPrefix(prefix_, [&](std::string_view key, std::string_view value) {
    const auto counts = accumulate::Histogram::Parse(value);
    sound = counts.has_value() && counts->shape() == sum_.shape() && key.size() == prefix_.size() + 8;
    if (!sound) {
      return false;
    }
    ByteReader in(key.substr(prefix_.size()));
    closed_.push_back({static_cast<std::int64_t>(in.Fixed64() ^ kSign), value.size()});
    closed_bytes_ += value.size();
    sum_.Add(*counts);
    return true;
  });
  if (!sound) {
    return Fail("the store is damaged: a pane of a window cannot be read");
  }
  open_pane_ = open_pane;
  // Closed later than the open pane was written: what is closed has everything.
  const bool closed_since = !closed_.empty() && closed_.back().pane >= open_pane;
  if (closed_since) {
    open_pane_ = closed_.back().pane + 1;
  } else {
    open_ = std::move(open);
    sum_.Add(open_);
  }
  return {};
}

}  // namespace detwatch::window
