// The keys of rows. Frozen, as the rows are.

#include "lib/cells/rows.h"
#include "lib/core/bytes.h"

namespace detwatch::cells {
namespace {

std::string Numbered(char kind, GroupId group) {
  std::string key(1, kind);
  AppendFixed32(key, Index(group));
  return key;
}

}  // namespace

std::string GroupKey(GroupId group) {
  return Numbered('g', group);
}
std::string KnownKey(GroupId group) {
  return Numbered('k', group);
}
std::string CellsKey(GroupId group) {
  return Numbered('C', group);
}
std::string CellKey(GroupId group, ClassId class_id) {
  std::string key = CellsKey(group);
  AppendFixed32(key, detwatch::Index(class_id));
  return key;
}
std::string BaseKey(const std::string& cell) {
  return cell + 'b';
}
std::string AdditionKey(const std::string& cell, std::uint32_t n) {
  std::string key = cell + 'd';
  AppendFixed32(key, n);
  return key;
}
std::string PanesKey(GroupId group) {
  return Numbered('W', group);
}
std::string PanesKey(GroupId group, ClassId class_id, std::uint64_t window_tag) {
  std::string key = PanesKey(group);
  AppendFixed32(key, detwatch::Index(class_id));
  AppendFixed64(key, window_tag);
  return key;
}

std::uint64_t WindowTag(const WindowSpec& window) {
  return (static_cast<std::uint64_t>(window.pane.count()) << 20U) ^ static_cast<std::uint64_t>(window.panes);
}

GroupId ParseGroupKey(std::string_view key) {
  ByteReader in(key.substr(1));
  return static_cast<GroupId>(in.Fixed32());
}

CellKeyParts ParseCellKey(std::string_view key) {
  ByteReader in(key.substr(5));
  const auto class_id = static_cast<ClassId>(in.Fixed32());
  return {class_id, static_cast<char>(in.Byte())};
}

PaneKeyParts ParsePaneKey(std::string_view key) {
  ByteReader in(key.substr(5));
  PaneKeyParts parts;
  parts.class_id = static_cast<ClassId>(in.Fixed32());
  parts.window_tag = in.Fixed64();
  parts.pane = in.Raw(in.left());
  return parts;
}

}  // namespace detwatch::cells
