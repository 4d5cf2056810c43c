#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "daemon/tools/eval_format.h"

namespace detwatch::tools {
namespace {

using accumulate::ApValue;
using Row = std::vector<std::string>;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string Text(double value) {
  if (std::isnan(value)) {
    return "-1";
  }
  std::array<char, 32> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 4);
  return error == std::errc{} ? std::string(text.data(), end) : std::string("?");
}

// Characters of UTF-8, not bytes.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

ApValue Ar(double value) {
  return {value, value, value};
}

class Table {
 public:
  explicit Table(bool colour) : colour_(colour) {}

  void Add(Row row) { rows_.push_back(std::move(row)); }

  // First column to the left, numbers to the right, the first row as a heading.
  void AppendTo(std::string& out) const {
    std::vector<std::size_t> widths;
    for (const Row& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t c = 0; c < row.size(); ++c) {
        widths[c] = std::max(widths[c], Width(row[c]));
      }
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      std::string line;
      for (std::size_t c = 0; c < rows_[r].size(); ++c) {
        const std::string gap(widths[c] - Width(rows_[r][c]), ' ');
        line += c == 0 ? rows_[r][c] + gap : "  " + gap + rows_[r][c];
      }
      line.erase(line.find_last_not_of(' ') + 1);
      const bool bold = colour_ && r == 0;
      out.append(bold ? kBold : "").append(line).append(bold ? kPlain : "").append("\n");
    }
  }

 private:
  bool colour_;
  std::vector<Row> rows_;
};

std::string Head(const EvalReport& report) {
  return std::string(Name(report.params.protocol())) +
         (report.params.inclusive_pixels ? " with inclusive pixels, " : ", ") +
         (report.method == Method::kExact ? "exact" : "binned") + ": " + std::to_string(report.frames) +
         " frames, " + std::to_string(report.ground_truths) + " ground truths, " +
         std::to_string(report.detections) + " detections, " + std::to_string(report.mean.classes) +
         " classes with ground truths\n\n";
}

void AppendCoco(const EvalReport& report, bool colour, std::string& out) {
  const std::size_t t75 = 5;  // of linspace(.5, .95, 10)
  const std::size_t last = report.params.max_dets.size() - 1;
  Table classes(colour);
  classes.Add({"class", "ground truths", "detections", "AP", "AP50", "AP75", "APs", "APm", "APl", "AR100"});
  for (const ClassReport& entry : report.classes) {
    const accumulate::ClassSummary& summary = entry.summary;
    const auto mean = [&](const auto& values, const auto& value_of) {
      double sum = 0;
      for (std::size_t t = 0; t < report.params.thresholds(); ++t) {
        sum += value_of(values[t]);
      }
      return Text(sum / static_cast<double>(report.params.thresholds()));
    };
    const auto ap = [](const ApValue& value) { return value.value; };
    const auto same = [](double value) { return value; };
    classes.Add({entry.entry.name, std::to_string(summary.ground_truths[0]), std::to_string(entry.detections),
                 mean(summary.ap[0], ap), Text(summary.ap[0][0].value), Text(summary.ap[0][t75].value),
                 mean(summary.ap[1], ap), mean(summary.ap[2], ap), mean(summary.ap[3], ap),
                 mean(summary.recall_by_max_dets[last], same)});
  }
  classes.AppendTo(out);
  out += "\n";
  Table stats(colour);
  const bool binned = report.method == Method::kBinned;
  stats.Add(binned ? Row{"all classes", "value", "lower", "upper"} : Row{"all classes", "value"});
  for (const Stat& stat : CocoStats(report)) {
    Row row = {std::string(stat.name), Text(stat.value.value)};
    if (binned) {
      row.push_back(Text(stat.value.lower));
      row.push_back(Text(stat.value.upper));
    }
    stats.Add(std::move(row));
  }
  stats.AppendTo(out);
}

void AppendVoc(const EvalReport& report, bool colour, std::string& out) {
  const bool binned = report.method == Method::kBinned;
  Table table(colour);
  const auto add = [&](Row row, const ApValue& ap) {
    row.push_back(Text(ap.value));
    if (binned) {
      row.push_back(Text(ap.lower));
      row.push_back(Text(ap.upper));
    }
    table.Add(std::move(row));
  };
  Row heading = {"class", "ground truths", "detections", "TP", "FP", "AP"};
  if (binned) {
    heading.insert(heading.end(), {"lower", "upper"});
  }
  table.Add(std::move(heading));
  for (const ClassReport& entry : report.classes) {
    const accumulate::OperatingCounts& counts = entry.summary.operating[0][0];
    add({entry.entry.name, std::to_string(entry.summary.ground_truths[0]), std::to_string(entry.detections),
         std::to_string(counts.true_positives), std::to_string(counts.false_positives)},
        entry.summary.ap[0][0]);
  }
  add({"mean", "", "", "", ""}, report.mean.map[0][0]);
  table.AppendTo(out);
}

}  // namespace

std::array<Stat, 12> CocoStats(const EvalReport& report) {
  const accumulate::MeanSummary& mean = report.mean;
  const std::size_t all = report.params.thresholds();  // the mean over thresholds
  return {{{"AP", mean.map[0][all]},
           {"AP50", mean.map[0][0]},
           {"AP75", mean.map[0][5]},
           {"APs", mean.map[1][all]},
           {"APm", mean.map[2][all]},
           {"APl", mean.map[3][all]},
           {"AR1", Ar(mean.ar_by_max_dets[0])},
           {"AR10", Ar(mean.ar_by_max_dets[1])},
           {"AR100", Ar(mean.ar_by_max_dets[2])},
           {"ARs", Ar(mean.ar[1])},
           {"ARm", Ar(mean.ar[2])},
           {"ARl", Ar(mean.ar[3])}}};
}

std::string FormatTable(const EvalReport& report, bool colour) {
  std::string out = Head(report);
  if (report.params.matching_rule == MatchingRule::kCoco) {
    AppendCoco(report, colour, out);
  } else {
    AppendVoc(report, colour, out);
  }
  return out;
}

}  // namespace detwatch::tools
