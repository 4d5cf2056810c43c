#pragma once
// lib/pipeline -- how a cell is stored: a base from time to time, and in between what each checkpoint added
// to it, so that a checkpoint writes what changed and not what there is. A start folds the additions into the
// base again.
//
// Laws: ReadingWhatWasWrittenGivesTheSame. Errors: Result; a store that was cut or changed is told from ours.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/result.h"
#include "lib/pipeline/cut.h"

namespace detwatch::pipeline {

// The open pane of one window.
struct StoredWindow {
  std::uint64_t tag = 0;  // keys::WindowTag
  std::int64_t open_pane = 0;
  accumulate::Histogram open;
};

struct StoredCell {
  accumulate::Histogram total;
  std::unique_ptr<accumulate::Histogram> retracted;
  accumulate::Ring ring;
  std::vector<StoredWindow> windows;
};

[[nodiscard]] Result<StoredCell> ParseCell(std::string_view bytes, std::size_t ring_capacity);
// `windows` in any order; they need not own what they point to.
class CellWriter {
 public:
  CellWriter(const accumulate::Histogram& total, const accumulate::Histogram* retracted,
             const accumulate::Ring& ring);
  void AddWindow(std::uint64_t tag, std::int64_t open_pane, const accumulate::Histogram& open);
  [[nodiscard]] std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// One addition: the change, and the start of its quantum.
struct StoredDelta {
  TimePoint quantum;
  CellDelta delta;
};
void AppendDelta(std::string& out, TimePoint quantum, const CellDelta& delta);
// All additions of one checkpoint.
[[nodiscard]] Result<std::vector<StoredDelta>> ParseDeltas(std::string_view bytes);

// What a change does to a ring; the same live and at a start.
void ApplyToRing(const CellDelta& delta, accumulate::Ring& ring);

}  // namespace detwatch::pipeline
