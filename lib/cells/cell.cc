#include "lib/cells/cell.h"

#include <algorithm>

namespace detwatch::cells {
namespace {

// Rows of additions behind a base before it is written anew: a start reads at most so many.
constexpr std::uint32_t kMostAdditions = 64;

}  // namespace

std::int64_t GroupLayout::PaneOf(std::size_t w, std::int64_t at) const {
  const std::int64_t quanta = windows[w].pane / quantum;
  return at / quanta - (at % quanta < 0 ? 1 : 0);
}

void ApplyToRing(const CellChange& change, accumulate::Ring& ring) {
  if (change.dropped) {
    ring.MarkEvicted(change.dropped_through);
  }
  ring.Append(change.records);
  for (const accumulate::Ordinal ordinal : change.removed) {
    ring.Remove(ordinal);
  }
  // One frame at a time.
  for (auto first = change.inserted.begin(); first != change.inserted.end();) {
    const auto last = std::find_if(first, change.inserted.end(), [&](const accumulate::RingRecord& record) {
      return record.ordinal() != first->ordinal();
    });
    ring.Insert({first, last});
    first = last;
  }
}

Cell::Cell(GroupId group, ClassId class_id, const EvaluationParams& params, const GroupLayout& layout)
    : class_id_(class_id),
      key_(CellKey(group, class_id)),
      ring_capacity_(layout.ring_capacity),
      coarse_(accumulate::Shape::Coarse(params)),
      total_(accumulate::Shape::Fine(params)),
      ring_(layout.ring_capacity),
      summaries_(layout.windows.size() + 1) {
  windows_.reserve(layout.windows.size());
  for (const WindowSpec& window : layout.windows) {
    windows_.emplace_back(coarse_, window.panes, PanesKey(group, class_id, WindowTag(window)));
  }
}

void Cell::Touch() {
  for (Summary& summary : summaries_) {
    summary.fresh = false;
  }
  counters_ = {};
}

void Cell::ApplyToTotal(const CellChange& change) {
  ApplyToRing(change, ring_);
  total_.Add(change.counts);
  iou_.Add(change.iou);
  if (change.retracted != nullptr) {
    if (retracted_ == nullptr) {
      retracted_ = std::make_unique<accumulate::Histogram>(total_.shape());
    }
    retracted_->Add(*change.retracted);
  }
}

void Cell::Apply(const CellChange& change, TimePoint start, Panes panes, KeyValue& store) {
  ApplyToTotal(change);
  accumulate::Histogram coarse(coarse_);
  coarse.Add(change.counts);
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    if (panes[w] != kNoPane) {
      windows_[w].Apply(store, panes[w], coarse);
    }
  }
  Touch();
  changed_ = true;
  if (!store.outlives_process()) {
    return;
  }
  // So many new records are as much as the ring itself.
  rewrite_ = rewrite_ || change.records.size() >= ring_capacity_ / 2;
  if (!rewrite_) {
    AppendAddition(unsaved_, start, change);
  }
}

bool Cell::Advance(Panes current, KeyValue& store) {
  bool moved = false;
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    moved = moved || current[w] > windows_[w].open_pane();
    if (windows_[w].Advance(store, current[w])) {
      summaries_[w + 1].fresh = false;
    }
  }
  return moved;
}

std::size_t Cell::Bytes(bool with_closed) const {
  std::size_t bytes = sizeof(*this) + total_.bytes() + ring_.bytes() + (retracted_ ? retracted_->bytes() : 0);
  for (const window::CellWindow& window : windows_) {
    bytes += window.bytes() + (with_closed ? window.closed_bytes() : 0);
  }
  return bytes;
}

void Cell::Write(const GroupLayout& layout, KeyValue& store) {
  changed_ = false;
  if (!rewrite_ && additions_ < kMostAdditions &&
      addition_bytes_ + unsaved_.size() <= std::max<std::size_t>(base_bytes_, 4096)) {
    store.Put(AdditionKey(key_, additions_++), unsaved_);
    addition_bytes_ += unsaved_.size();
    unsaved_.clear();
    return;
  }
  WriteBase(layout, store);
}

void Cell::WriteBase(const GroupLayout& layout, KeyValue& store) {
  std::vector<OpenPane> open;
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    open.push_back({WindowTag(layout.windows[w]), windows_[w].open_pane(), windows_[w].open()});
  }
  const std::string base = EncodeCell(total_, retracted_.get(), iou_, ring_, open);
  store.Put(BaseKey(key_), base);
  for (std::uint32_t n = 0; n < additions_; ++n) {
    store.Delete(AdditionKey(key_, n));
  }
  rewrite_ = false;
  additions_ = 0;
  addition_bytes_ = 0;
  base_bytes_ = base.size();
  unsaved_ = {};
}

Result<void> Cell::ReadWindow(std::size_t w, const StoredCell::Window& stored,
                              const std::vector<Addition>& additions, const WindowSpec& spec,
                              TimePoint from) {
  const auto counts = [&](const Addition& addition) { return addition.quantum >= from; };
  const auto pane_of = [&](const Addition& addition) { return QuantumAt(addition.quantum, spec.pane); };
  // What came later may have opened another pane; then the one before is among the closed ones.
  std::int64_t open_pane = stored.open_pane;
  for (const Addition& addition : additions) {
    open_pane = counts(addition) ? std::max(open_pane, pane_of(addition)) : open_pane;
  }
  std::unique_ptr<accumulate::Histogram> open;
  const auto add = [&](const accumulate::Histogram& change) {
    if (open == nullptr) {
      open = std::make_unique<accumulate::Histogram>(coarse_);
    }
    open->Add(change);
  };
  if (open_pane == stored.open_pane && stored.open != nullptr) {
    if (!(stored.open->shape() == coarse_)) {
      return Fail("the store is damaged: a window has counts of another shape");
    }
    add(*stored.open);
  }
  for (const Addition& addition : additions) {
    if (counts(addition) && pane_of(addition) == open_pane) {
      add(addition.change.counts);
    }
  }
  return windows_[w].RestoreOpen(open_pane, open.get());
}

Result<std::vector<Addition>> Cell::ReadAdditions(const std::vector<std::string>& rows) {
  std::vector<Addition> additions;
  for (const std::string& row : rows) {
    auto parsed = ParseAdditions(row);
    if (!parsed) {
      return tl::unexpected(parsed.error());
    }
    std::move(parsed->begin(), parsed->end(), std::back_inserter(additions));
    addition_bytes_ += row.size();
  }
  additions_ = static_cast<std::uint32_t>(rows.size());
  for (const Addition& addition : additions) {
    ApplyToTotal(addition.change);
  }
  return additions;
}

Result<void> Cell::Read(const Stored& stored, const GroupLayout& layout, std::span<const TimePoint> from,
                        KeyValue& store) {
  auto base = ParseCell(stored.base, ring_capacity_);
  if (!base) {
    return tl::unexpected(base.error());
  }
  if (!(base->total.shape() == total_.shape())) {
    return Fail("the store is damaged: a class has counts of another shape");
  }
  total_ = std::move(base->total);
  retracted_ = std::move(base->retracted);
  iou_ = base->iou;
  ring_ = std::move(base->ring);
  base_bytes_ = stored.base.size();
  rewrite_ = false;
  const auto additions = ReadAdditions(stored.additions);
  if (!additions) {
    return tl::unexpected(additions.error());
  }
  const auto window_of = [&](std::uint64_t tag) {
    const auto at = std::find_if(layout.windows.begin(), layout.windows.end(),
                                 [&](const WindowSpec& spec) { return WindowTag(spec) == tag; });
    return static_cast<std::size_t>(at - layout.windows.begin());
  };
  // Windows that are not configured any more leave with the next base.
  for (const auto& [key, value] : stored.panes) {
    const PaneKeyParts parts = ParsePaneKey(key);
    const std::size_t w = window_of(parts.window_tag);
    if (w == windows_.size()) {
      store.Delete(key);
      rewrite_ = changed_ = true;
    } else if (auto restored = windows_[w].RestoreClosed(parts.pane, value); !restored) {
      return restored;
    }
  }
  std::vector<bool> held(windows_.size(), false);
  for (const StoredCell::Window& window : base->windows) {
    const std::size_t w = window_of(window.tag);
    if (w == windows_.size()) {
      rewrite_ = changed_ = true;
      continue;
    }
    held[w] = true;
    if (auto restored = ReadWindow(w, window, *additions, layout.windows[w], from[w]); !restored) {
      return restored;
    }
  }
  // One that is new in the configuration starts empty.
  rewrite_ = rewrite_ || std::find(held.begin(), held.end(), false) != held.end();
  changed_ = changed_ || rewrite_;
  return {};
}

}  // namespace detwatch::cells
