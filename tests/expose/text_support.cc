#include "tests/expose/text_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <sstream>

namespace detwatch::expose {

bool ParsedText::Has(const std::string& one) const {
  return std::any_of(series.begin(), series.end(), [&](const auto& entry) { return entry.first == one; });
}

bool ParsedText::HasName(const std::string& name) const {
  return std::any_of(series.begin(), series.end(), [&](const auto& entry) {
    return entry.first == name || entry.first.starts_with(name + "{");
  });
}

double ParsedText::Value(const std::string& one) const {
  const auto found =
      std::find_if(series.begin(), series.end(), [&](const auto& entry) { return entry.first == one; });
  return found == series.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

ParsedText Parse(const std::string& text) {
  ParsedText out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    if (line.starts_with("# ")) {
      words >> hash >> kind >> name >> std::ws;
      std::getline(words, rest);
      auto& map = kind == "TYPE" ? out.types : out.helps;
      EXPECT_TRUE(kind == "TYPE" || kind == "HELP") << line;
      EXPECT_TRUE(map.emplace(name, rest).second) << "twice: " << line;
      continue;
    }
    const std::size_t space = line.rfind(' ');
    if (space == std::string::npos) {
      ADD_FAILURE() << "no value: " << line;
      continue;
    }
    const std::string number = line.substr(space + 1);
    double value = std::numeric_limits<double>::infinity();
    if (number != "+Inf" && number != "Inf") {
      const auto result = std::from_chars(number.data(), number.data() + number.size(), value);
      EXPECT_TRUE(result.ec == std::errc() && result.ptr == number.data() + number.size()) << line;
    }
    out.series.emplace_back(line.substr(0, space), value);
  }
  return out;
}

std::string NameOf(const std::string& series) {
  return series.substr(0, series.find('{'));
}

std::string LabelNames(const std::string& series) {
  std::string names;
  bool in_value = false;
  const std::size_t open = series.find('{');
  for (std::size_t i = open == std::string::npos ? series.size() : open + 1; i < series.size(); ++i) {
    if (in_value && series[i] == '\\') {
      ++i;
    } else if (series[i] == '"') {
      in_value = !in_value;
    } else if (!in_value && series[i] != '}' && series[i] != '=') {
      names += series[i];
    }
  }
  return names;
}

}  // namespace detwatch::expose
