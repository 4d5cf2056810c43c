#include "lib/window/frame_window.h"

#include <algorithm>

namespace detwatch::window {

void SetCounts::Add(std::uint64_t set, std::int64_t frames) {
  const auto at =
      std::lower_bound(counts_.begin(), counts_.end(), set,
                       [](const auto& entry, std::uint64_t wanted) { return entry.first < wanted; });
  if (at == counts_.end() || at->first != set) {
    if (frames != 0) {
      counts_.insert(at, {set, frames});
    }
    return;
  }
  at->second += frames;
  if (at->second == 0) {
    counts_.erase(at);
  }
}

SetCounts& SetCounts::operator+=(const SetCounts& other) {
  for (const auto& [set, frames] : other.counts_) {
    Add(set, frames);
  }
  return *this;
}

void SetCounts::Serialise(std::string& out) const {
  AppendVarint(out, counts_.size());
  for (const auto& [set, frames] : counts_) {
    AppendFixed64(out, set);
    AppendSigned(out, frames);
  }
}

SetCounts SetCounts::Read(ByteReader& in) {
  SetCounts counts;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t set = in.Fixed64();
    counts.Add(set, in.Signed());
  }
  return counts;
}

void FrameStats::Add(accumulate::Ordinal ordinal, TimePoint capture, int sign) {
  if (sign < 0) {
    --frames;
    return;
  }
  FrameStats one;
  one.frames = 1;
  one.first = ordinal;
  one.oldest_capture = capture;
  one.newest_capture = capture;
  *this += one;
}

FrameStats& FrameStats::operator+=(const FrameStats& other) {
  if (other.frames > 0) {
    first = frames > 0 ? std::min(first, other.first) : other.first;
  }
  frames += other.frames;
  if (other.oldest_capture != TimePoint{}) {
    oldest_capture =
        oldest_capture == TimePoint{} ? other.oldest_capture : std::min(oldest_capture, other.oldest_capture);
    newest_capture = std::max(newest_capture, other.newest_capture);
  }
  by_set += other.by_set;
  return *this;
}

void FrameWindow::Apply(std::int64_t pane, const FrameStats& stats) {
  Advance(pane);
  if (pane <= current_ - panes_) {
    return;
  }
  auto at = std::lower_bound(held_.begin(), held_.end(), pane,
                             [](const Pane& held, std::int64_t wanted) { return held.pane < wanted; });
  if (at == held_.end() || at->pane != pane) {
    at = held_.insert(at, Pane{pane, {}});
  }
  at->stats += stats;
  summed_ = false;
}

bool FrameWindow::Advance(std::int64_t pane) {
  current_ = std::max(current_, pane);
  bool changed = false;
  while (!held_.empty() && held_.front().pane <= current_ - panes_) {
    held_.pop_front();
    changed = true;
  }
  summed_ = summed_ && !changed;
  return changed;
}

const FrameStats& FrameWindow::Sum() const {
  if (!summed_) {
    sum_ = FrameStats{};
    for (const Pane& held : held_) {
      sum_ += held.stats;
    }
    summed_ = true;
  }
  return sum_;
}

void Serialise(const FrameStats& stats, std::string& out) {
  AppendSigned(out, stats.frames);
  AppendVarint(out, stats.first);
  AppendSigned(out, ToUnixNanos(stats.oldest_capture));
  AppendSigned(out, ToUnixNanos(stats.newest_capture));
  stats.by_set.Serialise(out);
}

FrameStats ReadFrameStats(ByteReader& in) {
  FrameStats stats;
  stats.frames = in.Signed();
  stats.first = in.Varint();
  stats.oldest_capture = FromUnixNanos(in.Signed());
  stats.newest_capture = FromUnixNanos(in.Signed());
  stats.by_set = SetCounts::Read(in);
  return stats;
}

void FrameWindow::Serialise(std::string& out) const {
  AppendSigned(out, current_);
  AppendVarint(out, held_.size());
  for (const Pane& held : held_) {
    AppendSigned(out, held.pane);
    window::Serialise(held.stats, out);
  }
}

bool FrameWindow::Restore(ByteReader& in) {
  current_ = in.Signed();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::int64_t pane = in.Signed();
    held_.push_back({pane, ReadFrameStats(in)});
  }
  summed_ = false;
  return in.ok();
}

}  // namespace detwatch::window
