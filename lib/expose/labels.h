#pragma once
// lib/expose -- label sets, made once and used by many series, and numbers as text.
//
// A LabelSet holds the same labels twice: as pairs for prometheus-cpp and as escaped text, so that a series
// costs three string appends and one number. Threads: values.

#include <prometheus/client_metric.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace detwatch::expose {

class LabelSet {
 public:
  LabelSet() = default;
  LabelSet(std::string_view name, std::string_view value) { Add(name, value); }

  // Appends; names are Prometheus label names, values any UTF-8.
  LabelSet& Add(std::string_view name, std::string_view value);
  [[nodiscard]] LabelSet With(std::string_view name, std::string_view value) const;

  [[nodiscard]] const std::vector<prometheus::ClientMetric::Label>& pairs() const { return pairs_; }
  // `a="1",b="x\"y"`: backslash, quote and newline are escaped.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::vector<prometheus::ClientMetric::Label> pairs_;
  std::string text_;
};

// Shortest text that reads back as the same value; whole numbers below 2^53 without exponent.
void AppendNumber(std::string& out, double value);
// Shortest decimal of the float: 0.05F is "0.05".
[[nodiscard]] std::string ConfidenceText(float confidence);
// Two decimals, "0.50"; the ninth COCO threshold, 0.8999999999999999, is "0.90".
[[nodiscard]] std::string IouText(double iou);
// "100"; "unlimited" for the largest value there is.
[[nodiscard]] std::string MaxDetsText(std::uint32_t max_dets);
// "0.50:0.95".
[[nodiscard]] std::string IouRangeText(const std::vector<double>& thresholds);

}  // namespace detwatch::expose
