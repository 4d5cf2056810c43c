#include "lib/core/labels.h"

#include <algorithm>
#include <array>

namespace detwatch {
namespace {

constexpr std::array<std::string_view, 19> kReserved = {
    "job",       "instance", "le",      "quantile",   "share",    "class", "iou",
    "window",    "area",     "view",    "confidence", "max_dets", "bin",   "outcome",
    "transport", "reason",   "missing", "edge",       "store_id"};
constexpr std::array<std::string_view, 3> kIdentity = {"model", "version", "stream"};

// Not <cctype>: the process locale has no say in what a label name is.
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool IsLabelName(std::string_view name) {
  return !name.empty() && IsLetter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c); });
}

bool IsReservedLabel(std::string_view name) {
  return name.starts_with("__") || std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

bool IsIdentityLabel(std::string_view name) {
  return std::find(kIdentity.begin(), kIdentity.end(), name) != kIdentity.end();
}

}  // namespace detwatch
