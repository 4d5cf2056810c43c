#pragma once
// lib/window -- what a window knows of its frames, whatever their classes: how many, of which sets of judged
// classes, from which ordinal on, and how old their pictures are. The first ordinal decides whether rings
// still cover the window; capture times are kept so that a bulk upload of last week's labels is not mistaken
// for now.
//
// Counts are signed and a group under addition. The first ordinal and the capture times are not: a frame that
// is taken out leaves them as they are, so they bound what is inside.
//
// Panes as in cell_window.h. Laws (tests of the same name): FramesThatAreTakenOutLeaveNoCount,
//   TheSumIsThatOfItsPanes. Cost: Sum O(panes) after a change. Threads: none.

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/core/bytes.h"
#include "lib/core/time.h"

namespace detwatch::window {

// Frames by the set of classes that were judged in them.
class SetCounts {
 public:
  // `set`: judge::ClassSetId.
  void Add(std::uint64_t set, std::int64_t frames);
  SetCounts& operator+=(const SetCounts& other);
  void Clear() { counts_.clear(); }
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, std::int64_t>>& counts() const { return counts_; }

  void Serialise(std::string& out) const;
  [[nodiscard]] static SetCounts Read(ByteReader& in);

 private:
  std::vector<std::pair<std::uint64_t, std::int64_t>> counts_;  // ascending set, none is zero
};

// A sum of frames; the default is empty.
struct FrameStats {
  std::int64_t frames = 0;
  accumulate::Ordinal first = 0;  // no frame inside has a lower ordinal; only with frames > 0
  TimePoint oldest_capture;       // unknown when no frame carried a capture time
  TimePoint newest_capture;
  SetCounts by_set;

  // Adds one frame, or takes it out with sign -1.
  void Add(accumulate::Ordinal ordinal, TimePoint capture, int sign = 1);
  FrameStats& operator+=(const FrameStats& other);
};

void Serialise(const FrameStats& stats, std::string& out);
[[nodiscard]] FrameStats ReadFrameStats(ByteReader& in);

class FrameWindow {
 public:
  explicit FrameWindow(std::int64_t panes) : panes_(panes) {}
  // Adds what came to `pane`; ignored when the pane has left.
  void Apply(std::int64_t pane, const FrameStats& stats);
  // Returns true when the sum changed.
  bool Advance(std::int64_t pane);
  // Over the panes inside. Requires: Advance(current pane) was called.
  [[nodiscard]] const FrameStats& Sum() const;

  void Serialise(std::string& out) const;
  // False when the bytes are not ours.
  [[nodiscard]] bool Restore(ByteReader& in);

 private:
  struct Pane {
    std::int64_t pane = 0;
    FrameStats stats;
  };
  std::int64_t panes_;
  std::int64_t current_ = INT64_MIN;
  std::deque<Pane> held_;  // ascending
  mutable FrameStats sum_;
  mutable bool summed_ = true;
};

}  // namespace detwatch::window
