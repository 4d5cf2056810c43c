// deploy/METRICS.md, the page of all metrics, against what is exposed.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lib/expose/expose.h"
#include "tests/expose/snapshot_support.h"
#include "tests/expose/text_support.h"

namespace detwatch::expose {
namespace {

struct Row {
  std::string type, labels, meaning, absent;
};

// The cells between the bars of "| a | b |", without blanks around them.
std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  std::string cell;
  std::getline(in, cell, '|');  // before the first bar
  while (std::getline(in, cell, '|')) {
    const std::size_t begin = cell.find_first_not_of(' ');
    cells.push_back(begin == std::string::npos ? ""
                                               : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
  }
  return cells;
}

// "group, `window`, `edge` = oldest, newest" names view,model,version,window,edge.
std::string LabelsOf(const std::string& cell) {
  std::string names = cell.starts_with("group") ? "view,model,version" : "";
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
    const std::size_t end = cell.find('`', at + 1);
    names += (names.empty() ? "" : ",") + cell.substr(at + 1, end - at - 1);
    at = end;
  }
  return names;
}

// By name, in the order of the page in `order`.
std::map<std::string, Row> ReadPage(std::vector<std::string>& order) {
  std::ifstream in(DETWATCH_SOURCE_DIR "/deploy/METRICS.md");
  std::map<std::string, Row> rows;
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with("| `")) {
      continue;
    }
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() != 5) {
      ADD_FAILURE() << "not five cells: " << line;
      continue;
    }
    const std::string name = cells[0].substr(1, cells[0].size() - 2);
    EXPECT_TRUE(rows.emplace(name, Row{cells[1], LabelsOf(cells[2]), cells[3], cells[4]}).second) << name;
    order.push_back(name);
  }
  return rows;
}

// The name of the family of a series: a histogram's less what its series add.
std::string FamilyOf(const ParsedText& text, const std::string& series) {
  const std::string name = NameOf(series);
  for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
    if (name.ends_with(suffix) && text.types.contains(name.substr(0, name.size() - suffix.size()))) {
      return name.substr(0, name.size() - suffix.size());
    }
  }
  return name;
}

// A daemon in its first second: a model that sent nothing yet, its group, and a class of its list.
std::shared_ptr<snapshot::Snapshot> FirstSnapshot() {
  auto out = std::make_shared<snapshot::Snapshot>();
  out->fleet_ious = {0.5};
  const auto params = std::make_shared<const EvaluationParams>(EvaluationParams::Coco());
  snapshot::Group group;
  group.labels = {{"model", "yolo"}, {"version", "1"}};
  group.params = params;
  group.class_names = {"forklift"};
  group.counters = {nullptr};
  group.windows.emplace_back().name = "total";
  group.windows[0].classes = {nullptr};
  group.windows[0].mean = accumulate::Mean(*params, {});
  out->views.emplace_back().groups = {group};
  out->models.emplace_back().key = {"yolo", "1"};
  return out;
}

TEST(MetricsPageTest, TheMetricsPageIsWhatIsExposed) {
  std::vector<std::string> order;
  const std::map<std::string, Row> page = ReadPage(order);
  std::vector<std::string> families;
  const ParsedText text = Parse(Serve(SampleSnapshot()).Text());
  for (const FamilyInfo& family : AllFamilies()) {
    families.emplace_back(family.name);
    const auto row = page.find(families.back());
    if (row != page.end()) {
      EXPECT_EQ(row->second.type, text.types.at(families.back())) << family.name;
      EXPECT_EQ(row->second.meaning, family.help) << family.name;
    }
  }
  EXPECT_EQ(order, families);
}

TEST(MetricsPageTest, LabelsAreThoseOfTheSeries) {
  std::vector<std::string> order;
  const std::map<std::string, Row> page = ReadPage(order);
  const ParsedText text = Parse(Serve(SampleSnapshot()).Text());
  for (const auto& [series, value] : text.series) {
    if (series.find("view=\"stream\"") != std::string::npos) {
      continue;  // the page shows the default view
    }
    std::string labels = LabelNames(series);
    if (labels == "le") {
      labels.clear();
    } else if (labels.ends_with(",le")) {
      labels.resize(labels.size() - 3);
    }
    const auto row = page.find(FamilyOf(text, series));
    ASSERT_NE(row, page.end()) << series;
    ASSERT_EQ(labels, row->second.labels) << series;
  }
}

// In the first second of a daemon exactly those families are absent of which the page says when they are.
TEST(MetricsPageTest, WhatCanBeAbsentIsSaid) {
  std::vector<std::string> order;
  const std::map<std::string, Row> page = ReadPage(order);
  const auto snapshot = FirstSnapshot();
  const ParsedText text = Parse(Collector([&] { return snapshot; }, [] { return Process(); }, {}).Text());
  for (const auto& [name, row] : page) {
    EXPECT_EQ(row.absent.empty(), text.types.contains(name)) << name << ": " << row.absent;
  }
}

}  // namespace
}  // namespace detwatch::expose
