#pragma once
// lib/window -- what a window knows of its frames, whatever their classes: how many, from which ordinal on,
// and how old their pictures are. The first ordinal decides whether rings still cover the window; capture
// times are kept so that a bulk upload of last week's labels is not mistaken for now.
// Panes as in cell_window.h. Threads: none.

#include <cstdint>
#include <deque>
#include <string>

#include "lib/accumulate/ring.h"
#include "lib/core/bytes.h"
#include "lib/core/time.h"

namespace detwatch::window {

// A sum of frames; the default is empty.
struct FrameStats {
  std::int64_t frames = 0;
  accumulate::Ordinal first = 0;  // lowest ordinal; only with frames > 0
  TimePoint oldest_capture;       // unknown when no frame carried a capture time
  TimePoint newest_capture;

  void Add(accumulate::Ordinal ordinal, TimePoint capture);
  FrameStats& operator+=(const FrameStats& other);
};

void Serialise(const FrameStats& stats, std::string& out);
[[nodiscard]] FrameStats ReadFrameStats(ByteReader& in);

class FrameWindow {
 public:
  explicit FrameWindow(std::int64_t panes) : panes_(panes) {}
  // Adds frames judged in `pane`; ignored when the pane has left.
  void Apply(std::int64_t pane, const FrameStats& stats);
  void Advance(std::int64_t pane);
  // Over the panes inside. O(panes). Requires: Advance(current pane) was called.
  [[nodiscard]] FrameStats Sum() const;

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
};

}  // namespace detwatch::window
