#pragma once
// tests/expose -- /metrics text taken apart.

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace detwatch::expose {

// `name{labels}` -> value, in the order of the text. Fails the test on a line that is not of the format.
struct ParsedText {
  std::vector<std::pair<std::string, double>> series;
  std::map<std::string, std::string> types;  // family -> "counter"
  std::map<std::string, std::string> helps;

  [[nodiscard]] bool Has(const std::string& one) const;
  [[nodiscard]] bool HasName(const std::string& name) const;
  [[nodiscard]] double Value(const std::string& one) const;  // NaN when absent
};
[[nodiscard]] ParsedText Parse(const std::string& text);

// Of one series: "name", and the names of its labels as "a,b"; values are skipped, escapes and all.
[[nodiscard]] std::string NameOf(const std::string& series);
[[nodiscard]] std::string LabelNames(const std::string& series);

}  // namespace detwatch::expose
