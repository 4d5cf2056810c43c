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
    : shape_(shape), panes_(panes), prefix_(std::move(prefix)) {
  assert(panes >= 1);
}

std::size_t CellWindow::bytes() const {
  return (sum_ ? sum_->bytes() : 0) + (open_ ? open_->bytes() : 0) + closed_.size() * sizeof(Closed);
}

std::string CellWindow::Key(std::int64_t pane) const {
  std::string key = prefix_;
  AppendFixed64(key, static_cast<std::uint64_t>(pane) ^ kSign);
  return key;
}

accumulate::Histogram CellWindow::Read(const KeyValue& store, std::int64_t pane) const {
  return Parse(store.Get(Key(pane)).value_or(""), shape_);
}

void CellWindow::AddTo(std::unique_ptr<accumulate::Histogram>& counts, const accumulate::Histogram& delta,
                       int sign) {
  if (counts == nullptr) {
    counts = std::make_unique<accumulate::Histogram>(shape_);
  }
  counts->Add(delta, sign);
}

void CellWindow::CloseOpen(KeyValue& store) {
  if (open_ != nullptr && !open_->IsZero()) {
    const std::string counts = open_->Serialise();
    store.Put(Key(open_pane_), counts);
    closed_.push_back({open_pane_, counts.size()});
    closed_bytes_ += counts.size();
  }
  open_.reset();
}

bool CellWindow::Apply(KeyValue& store, std::int64_t pane, const accumulate::Histogram& delta) {
  if (pane > open_pane_) {
    Advance(store, pane);
  }
  if (pane <= open_pane_ - panes_) {
    return false;
  }
  AddTo(sum_, delta, 1);
  if (pane == open_pane_) {
    AddTo(open_, delta, 1);
  } else {
    ApplyToClosed(store, pane, delta);
  }
  return true;
}

void CellWindow::ApplyToClosed(KeyValue& store, std::int64_t pane, const accumulate::Histogram& delta) {
  auto at = std::lower_bound(closed_.begin(), closed_.end(), pane,
                             [](const Closed& closed, std::int64_t wanted) { return closed.pane < wanted; });
  accumulate::Histogram counts(shape_);
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
    return;
  }
  const std::string value = counts.Serialise();
  at->bytes = value.size();
  closed_bytes_ += value.size();
  store.Put(Key(pane), value);
}

bool CellWindow::Advance(KeyValue& store, std::int64_t pane) {
  if (pane <= open_pane_) {
    return false;
  }
  CloseOpen(store);
  open_pane_ = pane;
  bool changed = false;
  while (!closed_.empty() && closed_.front().pane <= pane - panes_) {
    AddTo(sum_, Read(store, closed_.front().pane), -1);
    store.Delete(Key(closed_.front().pane));
    closed_bytes_ -= closed_.front().bytes;
    closed_.pop_front();
    changed = true;
  }
  if (changed) {
    if (closed_.empty()) {
      sum_.reset();
    } else {
      sum_->Compact();
    }
  }
  return changed;
}

Result<void> CellWindow::RestoreClosed(std::string_view pane_key, std::string_view counts) {
  const auto parsed = accumulate::Histogram::Parse(counts);
  if (!parsed || !(parsed->shape() == shape_) || pane_key.size() != 8) {
    return Fail("the store is damaged: a pane of a window cannot be read");
  }
  ByteReader in(pane_key);
  closed_.push_back({static_cast<std::int64_t>(in.Fixed64() ^ kSign), counts.size()});
  closed_bytes_ += counts.size();
  AddTo(sum_, *parsed, 1);
  return {};
}

Result<void> CellWindow::RestoreOpen(std::int64_t open_pane, const accumulate::Histogram* open) {
  if (open != nullptr && !(open->shape() == shape_)) {
    return Fail("the store is damaged: a window has counts of another shape");
  }
  open_pane_ = open_pane;
  // Closed later than the open pane was written: what is closed has everything.
  if (!closed_.empty() && closed_.back().pane >= open_pane) {
    open_pane_ = closed_.back().pane + 1;
  } else if (open != nullptr && !open->IsZero()) {
    AddTo(open_, *open, 1);
    AddTo(sum_, *open, 1);
  }
  return {};
}

}  // namespace detwatch::window
