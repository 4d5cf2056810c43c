#pragma once
// lib/pipeline -- the keys of the store, format kFormat. Numbers are big-endian, so that a scan is in their
// order.
//
//   u                              store id
//   z                              head: checkpoint, time, next ordinal and ids
//   i                              ingest counters
//   l <list 4>                     class lists, in the order of their announcement
//   m <model 4>                    models: what was announced, and their counts
//   s <name>                       streams with tags
//   q <transport 1> <name>         publishers: epoch, received, label tally
//   p <number 8>                   messages that wait for their class list
//   d <p or l> <generation 8> <checkpoint 8>   dedup keys of predictions and labels
//   g <group 4>                    groups: labels, fingerprint, frames, prediction statistics
//   C <group 4> <class 4> b        a cell: total, open panes, ring, as of some checkpoint
//   C <group 4> <class 4> d <n 4>  what checkpoints added since (cell_journal.h)
//   W <group 4> <class 4> <window 8> <pane 8>  closed panes (lib/window)
//   F, X, j ...                    waiting and kept frames (lib/join/ledger_rows.h)
//
// Kept small and in one place, because a change here is a new format with a migration.

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/core/bytes.h"
#include "lib/core/envelope.h"
#include "lib/core/outcome.h"
#include "lib/core/view.h"
#include "lib/pipeline/arrivals.h"

namespace detwatch::pipeline::keys {

inline constexpr std::uint32_t kFormat = 1;

inline constexpr std::string_view kStoreId = "u";
inline constexpr std::string_view kHead = "z";
inline constexpr std::string_view kCounters = "i";

[[nodiscard]] inline std::string Numbered(char kind, std::uint32_t number) {
  std::string key(1, kind);
  AppendFixed32(key, number);
  return key;
}
[[nodiscard]] inline std::string ClassList(std::uint32_t index) {
  return Numbered('l', index);
}
[[nodiscard]] inline std::string Model(std::uint32_t id) {
  return Numbered('m', id);
}
[[nodiscard]] inline std::string Group(GroupId id) {
  return Numbered('g', Index(id));
}
[[nodiscard]] inline std::string Stream(std::string_view name) {
  return "s" + std::string(name);
}
[[nodiscard]] inline std::string Publisher(Transport transport, std::string_view name) {
  return std::string{'q', static_cast<char>(transport)} + std::string(name);
}
[[nodiscard]] inline std::string Parked(std::uint64_t number) {
  std::string key = "p";
  AppendFixed64(key, number);
  return key;
}
// `which`: p or l.
[[nodiscard]] inline std::string Dedup(char which, std::uint64_t generation) {
  std::string key{'d', which};
  AppendFixed64(key, generation);
  return key;
}
[[nodiscard]] inline std::string Cells(GroupId group) {
  return Numbered('C', Index(group));
}
[[nodiscard]] inline std::string Cell(GroupId group, ClassId class_id) {
  std::string key = Cells(group);
  AppendFixed32(key, detwatch::Index(class_id));
  return key;
}
[[nodiscard]] inline std::string Panes(GroupId group) {
  return Numbered('W', Index(group));
}
// What a window is, whatever its place in the configuration.
[[nodiscard]] inline std::uint64_t WindowTag(const WindowSpec& window) {
  return (static_cast<std::uint64_t>(window.pane.count()) << 20U) ^ static_cast<std::uint64_t>(window.panes);
}
[[nodiscard]] inline std::string Panes(GroupId group, ClassId class_id, const WindowSpec& window) {
  std::string key = Panes(group);
  AppendFixed32(key, detwatch::Index(class_id));
  AppendFixed64(key, WindowTag(window));
  return key;
}

}  // namespace detwatch::pipeline::keys
