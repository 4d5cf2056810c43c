#pragma once
// lib/cells -- how counts are stored: every key and row of this room, with what writes a row beside what
// reads it. Frozen by golden files; a change here is a new version of the row and a new format of the store.
//
//   g <group 4>                    a group: labels, fingerprint, frames, prediction statistics
//   k <group 4>                    classes a group knows: those that models announced for it
//   C <group 4> <class 4> b        a cell: total, retracted, ring, open panes, as of some checkpoint
//   C <group 4> <class 4> d <n 4>  what checkpoints added to it since
//   W <group 4> <class 4> <window 8> <pane 8>  closed panes (written by lib/window)
//
// A cell is a base from time to time and, behind it, what each checkpoint added, so that a checkpoint writes
// what changed and not what there is. A start folds the additions into the base again.
//
// Laws (tests of the same name): ReadingWhatWasWrittenGivesTheSame, EveryRowIsFrozen.
// Threads: none. Errors: Result; a row that was cut or changed is told from ours.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/cells/contribution.h"
#include "lib/core/counters.h"
#include "lib/core/result.h"
#include "lib/core/view.h"
#include "lib/window/frame_window.h"

namespace detwatch::cells {

inline constexpr std::string_view kGroupPrefix = "g";
[[nodiscard]] std::string GroupKey(GroupId group);
[[nodiscard]] std::string KnownKey(GroupId group);
[[nodiscard]] std::string CellsKey(GroupId group);
[[nodiscard]] std::string CellKey(GroupId group, ClassId class_id);
[[nodiscard]] std::string BaseKey(const std::string& cell);
[[nodiscard]] std::string AdditionKey(const std::string& cell, std::uint32_t n);
[[nodiscard]] std::string PanesKey(GroupId group);
[[nodiscard]] std::string PanesKey(GroupId group, ClassId class_id, std::uint64_t window_tag);
// Names a window by what it is, whatever its name and its place in the configuration.
[[nodiscard]] std::uint64_t WindowTag(const WindowSpec& window);

// Requires: a key of this group's cells or panes. Kind: 'b' or 'd' of cells; the rest of the key behind it.
struct CellKeyParts {
  ClassId class_id{};
  char kind = 0;
};
[[nodiscard]] CellKeyParts ParseCellKey(std::string_view key);
struct PaneKeyParts {
  ClassId class_id{};
  std::uint64_t window_tag = 0;
  std::string_view pane;  // lib/window's
};
[[nodiscard]] PaneKeyParts ParsePaneKey(std::string_view key);
[[nodiscard]] GroupId ParseGroupKey(std::string_view key);

struct GroupRow {
  struct Window {
    std::uint64_t tag = 0;
    TimePoint from;      // it holds frames of the quanta from here on
    std::string frames;  // window::FrameWindow::Serialise
  };
  std::string view;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
  std::uint64_t fingerprint = 0;
  accumulate::Ordinal first_ordinal = 0;  // frames before it were counted by other rules
  bool correctable = false;               // some of its frames were kept for a correction
  PredictionStats predictions;
  window::FrameStats frames;
  window::SetCounts retracted_sets;
  std::vector<Window> windows;
};
[[nodiscard]] std::string Encode(const GroupRow& row);
[[nodiscard]] Result<GroupRow> ParseGroup(std::string_view bytes);

[[nodiscard]] std::string EncodeKnown(const std::vector<ClassId>& classes);
[[nodiscard]] Result<std::vector<ClassId>> ParseKnown(std::string_view bytes);

// The open pane of one window; null: nothing in it.
struct OpenPane {
  std::uint64_t tag = 0;
  std::int64_t pane = 0;
  const accumulate::Histogram* counts = nullptr;
};
[[nodiscard]] std::string EncodeCell(const accumulate::Histogram& total,
                                     const accumulate::Histogram* retracted, const IouCounts& iou,
                                     const accumulate::Ring& ring, const std::vector<OpenPane>& open);
struct StoredCell {
  struct Window {
    std::uint64_t tag = 0;
    std::int64_t open_pane = 0;
    std::unique_ptr<accumulate::Histogram> open;
  };
  accumulate::Histogram total;
  std::unique_ptr<accumulate::Histogram> retracted;
  IouCounts iou;
  accumulate::Ring ring;
  std::vector<Window> windows;
};
[[nodiscard]] Result<StoredCell> ParseCell(std::string_view bytes, std::size_t ring_capacity);

// One addition: the change, and the start of its quantum. A row holds those of one checkpoint.
void AppendAddition(std::string& row, TimePoint quantum, const CellChange& change);
struct Addition {
  TimePoint quantum;
  CellChange change;
};
[[nodiscard]] Result<std::vector<Addition>> ParseAdditions(std::string_view bytes);

}  // namespace detwatch::cells
