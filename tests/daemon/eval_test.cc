#include "daemon/tools/eval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "daemon/files/dataset_files.h"
#include "daemon/tools/eval_format.h"
#include "tests/daemon/temp_tree_support.h"

namespace detwatch::tools {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// Two cats, one found, one detection beside; the dog has no ground truth.
constexpr std::string_view kGroundTruth = R"({
  "images": [{"id": 1, "width": 640, "height": 480}, {"id": 2, "width": 640, "height": 480}],
  "categories": [{"id": 4, "name": "cat"}, {"id": 9, "name": "dög"}],
  "annotations": [{"id": 1, "image_id": 1, "category_id": 4, "bbox": [0, 0, 100, 100], "area": 10000},
                  {"id": 2, "image_id": 2, "category_id": 4, "bbox": [0, 0, 100, 100], "area": 10000}]})";
constexpr std::string_view kResults = R"([
  {"image_id": 1, "category_id": 4, "bbox": [0, 0, 100, 100], "score": 0.9},
  {"image_id": 2, "category_id": 4, "bbox": [300, 300, 100, 100], "score": 0.8},
  {"image_id": 2, "category_id": 9, "bbox": [300, 300, 100, 100], "score": 0.8}])";

class EvalTest : public testing::Test {
 protected:
  EvalTest() {
    options_.ground_truth = tree_.Write("gt.json", kGroundTruth);
    options_.predictions = tree_.Write("dt.json", kResults);
  }
  int Run() {
    out_.str("");
    err_.str("");
    return RunEval(options_, out_, err_);
  }
  json RunJson() {
    options_.format = OutputFormat::kJson;
    EXPECT_EQ(Run(), 0) << err_.str();
    return json::parse(out_.str());
  }
  TempTree tree_;
  EvalOptions options_;
  std::ostringstream out_, err_;
};

TEST_F(EvalTest, CocoJsonHasTwelveNumbersAndMinusOneWhereUndefined) {
  const json report = RunJson();
  EXPECT_EQ(report.size(), 2U);
  EXPECT_EQ(report["stats"].size(), 12U);
  EXPECT_NEAR(report["stats"]["AP"], 51.0 / 101, 1e-12);
  EXPECT_EQ(report["stats"]["AR1"], 0.5);
  EXPECT_EQ(report["stats"]["APs"], -1);
  EXPECT_EQ(report["stats"]["ARm"], -1);
  EXPECT_EQ(report["per_class"]["9"]["ap"]["all"], json(std::vector<double>(10, -1)));
  EXPECT_EQ(report["per_class"]["4"]["recall"]["large"], json(std::vector<double>(10, 0.5)));
  EXPECT_EQ(report["per_class"]["4"]["recall_max_dets_10"], json(std::vector<double>(10, 0.5)));
}

TEST_F(EvalTest, BinnedCocoJsonHasBoundsOfEveryAp) {
  options_.method = Method::kBinned;
  const json report = RunJson();
  EXPECT_EQ(report["bounds"]["stats"].size(), 6U);
  EXPECT_LE(report["bounds"]["stats"]["AP"]["lower"], report["stats"]["AP"]);
  EXPECT_GE(report["bounds"]["stats"]["AP"]["upper"], report["stats"]["AP"]);
  EXPECT_EQ(report["bounds"]["stats"]["APs"]["lower"], -1);
  const json& cat = report["bounds"]["per_class"]["4"]["ap"];
  EXPECT_EQ(cat.size(), 4U);
  EXPECT_EQ(cat["all"]["lower"].size(), 10U);
  EXPECT_LE(cat["large"]["lower"][0], 51.0 / 101 + 1e-12);
  EXPECT_GE(cat["large"]["upper"][0], 51.0 / 101 - 1e-12);
}

TEST_F(EvalTest, VocJsonIsKeyedByNameWithNullWhereUndefined) {
  options_.protocol = {MatchingRule::kVoc, Interpolation::kAllPoints};
  options_.voc_inclusive_pixels = true;
  json report = RunJson();
  EXPECT_EQ(report, json::parse(R"({"iou": 0.5, "plus1": 1.0, "mAP": 0.5, "classes": 1, "per_class": {
    "cat": {"gts": 2, "dets": 2, "TP": 1, "FP": 1, "AP": 0.5}, "dög": {"gts": 0, "dets": 1, "AP": null}}})"));
  options_.method = Method::kBinned;
  report = RunJson();
  EXPECT_NEAR(report["bounds"]["per_class"]["cat"]["lower"], 0.5, 1e-12);
  EXPECT_NEAR(report["bounds"]["per_class"]["cat"]["upper"], 0.5, 1e-12);
  EXPECT_EQ(report["bounds"]["per_class"]["dög"], json::parse(R"({"lower": null, "upper": null})"));
  EXPECT_NEAR(report["bounds"]["mAP"]["lower"], 0.5, 1e-12);
}

TEST_F(EvalTest, TheTableIsAlignedByCharactersAndPlainAwayFromATerminal) {
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(out_.str(), HasSubstr("coco, exact: 2 frames, 2 ground truths, 3 detections, 1 classes with"));
  EXPECT_THAT(
      out_.str(),
      HasSubstr("\nclass  ground truths  detections      AP    AP50    AP75  APs  APm     APl   AR100\n"
                "cat                2           2  0.5050  0.5050  0.5050   -1   -1  0.5050  0.5000\n"
                "dög                0           1      -1      -1      -1   -1   -1      -1      -1\n"));
  EXPECT_THAT(out_.str(), HasSubstr("\nAP           0.5050\n"));
  EXPECT_EQ(err_.str(), "");
}

TEST_F(EvalTest, BinnedTablesShowTheBounds) {
  options_.method = Method::kBinned;
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("coco, binned: "));
  EXPECT_THAT(out_.str(), HasSubstr("\nAP           0.5050  0.5050  0.5050\n"));
  options_.protocol = {MatchingRule::kVoc, Interpolation::k11Points};
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(out_.str(), HasSubstr("voc2007, binned: "));
  EXPECT_THAT(out_.str(), HasSubstr("class  ground truths  detections  TP  FP      AP   lower   upper\n"
                                    "cat                2           2   1   1  0.5455  0.5455  0.5455\n"));
}

TEST_F(EvalTest, ColourIsOnlyForTheHeadings) {
  const auto data = files::ReadGroundTruth(options_.ground_truth);
  const auto report = Evaluate(data.value(), options_);
  std::string coloured = FormatTable(report.value(), true);
  EXPECT_THAT(coloured, HasSubstr("\x1b[1mclass"));
  for (const std::string_view code : {"\x1b[1m", "\x1b[0m"}) {
    for (std::size_t at = coloured.find(code); at != std::string::npos; at = coloured.find(code)) {
      coloured.erase(at, code.size());
    }
  }
  EXPECT_EQ(coloured, FormatTable(report.value(), false));
}

TEST_F(EvalTest, AWrongFileIsExitCode1AndSaysWhich) {
  options_.predictions =
      tree_.Write("bad.json", R"([{"image_id": 3, "category_id": 4, "bbox": [0, 0, 1, 1], "score": 1}])");
  EXPECT_EQ(Run(), 1);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("error: "));
  EXPECT_THAT(err_.str(), HasSubstr("bad.json: results[0].image_id: 3 is not in the ground truth\n"));
}

TEST_F(EvalTest, InclusivePixelsWithoutVocIsExitCode2) {
  options_.voc_inclusive_pixels = true;
  EXPECT_EQ(Run(), 2);
  EXPECT_EQ(err_.str(), "error: --voc-inclusive-pixels needs --protocol voc2007 or voc2012\n");
  const auto data = files::ReadGroundTruth(options_.ground_truth);
  EXPECT_FALSE(Evaluate(data.value(), options_).has_value());
}

TEST_F(EvalTest, WarningsOfTheReaderArePrintedAndTheReportStays) {
  options_.predictions =
      tree_.Write("dt.json", R"([{"image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1], "score": 1}])");
  EXPECT_EQ(Run(), 0);
  EXPECT_THAT(err_.str(), HasSubstr("warning: "));
  EXPECT_THAT(err_.str(), HasSubstr("1 detections of category_id 5 are left out"));
  EXPECT_THAT(out_.str(), HasSubstr("0 detections"));
}

TEST_F(EvalTest, AnEmptyDataSetHasNoNumbersAndNoCrash) {
  options_.ground_truth = tree_.Write("gt.json", R"({"images": [], "categories": [], "annotations": []})");
  options_.predictions = tree_.Write("dt.json", "[]");
  const json report = RunJson();
  EXPECT_EQ(report["stats"]["AP"], -1);
  EXPECT_EQ(report["per_class"], json::object());
}

}  // namespace
}  // namespace detwatch::tools
