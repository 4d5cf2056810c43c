#include "lib/window/frame_window.h"

#include <algorithm>

namespace detwatch::window {

void FrameStats::Add(accumulate::Ordinal ordinal, TimePoint capture) {
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
}

void FrameWindow::Advance(std::int64_t pane) {
  current_ = std::max(current_, pane);
  while (!held_.empty() && held_.front().pane <= current_ - panes_) {
    held_.pop_front();
  }
}

FrameStats FrameWindow::Sum() const {
  FrameStats sum;
  for (const Pane& held : held_) {
    sum += held.stats;
  }
  return sum;
}

void Serialise(const FrameStats& stats, std::string& out) {
  AppendSigned(out, stats.frames);
  AppendVarint(out, stats.first);
  AppendSigned(out, ToUnixNanos(stats.oldest_capture));
  AppendSigned(out, ToUnixNanos(stats.newest_capture));
}

FrameStats ReadFrameStats(ByteReader& in) {
  FrameStats stats;
  stats.frames = in.Signed();
  stats.first = in.Varint();
  stats.oldest_capture = FromUnixNanos(in.Signed());
  stats.newest_capture = FromUnixNanos(in.Signed());
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
  return in.ok();
}

}  // namespace detwatch::window
