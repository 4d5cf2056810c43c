#include "lib/expose/labels.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace detwatch::expose {
namespace {

constexpr double kWholeLimit = 9007199254740992.0;  // 2^53
constexpr std::size_t kNumberSize = 32;             // longest: "-2.2250738585072014e-308"

void AppendEscaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

LabelSet& LabelSet::Add(std::string_view name, std::string_view value) {
  pairs_.push_back({std::string(name), std::string(value)});
  if (!text_.empty()) {
    text_ += ',';
  }
  text_ += name;
  text_ += "=\"";
  AppendEscaped(text_, value);
  text_ += '"';
  return *this;
}

LabelSet LabelSet::With(std::string_view name, std::string_view value) const {
  LabelSet copy = *this;
  copy.Add(name, value);
  return copy;
}

void AppendNumber(std::string& out, double value) {
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, kNumberSize> buffer{};
  char* const begin = buffer.data();
  char* const end = begin + buffer.size();
  const bool whole = std::abs(value) < kWholeLimit && value == std::trunc(value);
  const auto result =
      whole ? std::to_chars(begin, end, static_cast<std::int64_t>(value)) : std::to_chars(begin, end, value);
  out.append(begin, result.ptr);
}

std::string ConfidenceText(float confidence) {
  std::array<char, kNumberSize> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), confidence);
  return {buffer.data(), result.ptr};
}

std::string IouText(double iou) {
  std::array<char, kNumberSize> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), iou, std::chars_format::fixed, 2);
  return {buffer.data(), result.ptr};
}

std::string MaxDetsText(std::uint32_t max_dets) {
  return max_dets == std::numeric_limits<std::uint32_t>::max() ? "unlimited" : std::to_string(max_dets);
}

std::string IouRangeText(const std::vector<double>& thresholds) {
  return IouText(thresholds.front()) + ":" + IouText(thresholds.back());
}

}  // namespace detwatch::expose
