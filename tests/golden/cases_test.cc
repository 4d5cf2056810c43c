// 207 small cases with the values of the reference evaluator: exact equalities, ties, crowds, areas on the
// limits, empty and degenerate boxes, saturated scores, more detections than max dets.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "daemon/tools/eval_format.h"
#include "tests/golden/reference_support.h"

namespace detwatch {
namespace {

struct Case {
  std::string name;
  dataset::Dataset data;
  Json expected;
};

// Goes through files, so that the readers are part of what is tested.
Case ReadCase(const std::filesystem::path& file) {
  const Json json = ReadJson(file);
  const std::filesystem::path directory = testing::TempDir();
  const std::string stem = "detwatch_case_" + std::to_string(getpid()) + "_";
  const auto write = [&](const std::string& name, const Json& value) {
    const std::filesystem::path path = directory / (stem + name);
    std::ofstream(path) << value.dump();
    return path;
  };
  const auto ground_truth = write("gt.json", json.at("ground_truth"));
  const auto detections = write("dt.json", json.at("detections"));
  Case result{file.stem().string(), ReadDataset(ground_truth, detections), json.at("expected")};
  std::filesystem::remove(ground_truth);
  std::filesystem::remove(detections);
  return result;
}

std::vector<std::filesystem::path> CaseFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(DETWATCH_TESTS_DIR) + "/golden/cases")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(GoldenCasesTest, ExactAgreesWithTheReferenceEvaluator) {
  const auto files = CaseFiles();
  ASSERT_EQ(files.size(), 207U);
  for (const auto& file : files) {
    const Case golden = ReadCase(file);
    SCOPED_TRACE(golden.name);
    const auto report = EvaluateWith(golden.data, tools::Method::kExact);
    ExpectSame(Json::parse(tools::FormatJson(report)), golden.expected, 1e-9);
  }
}

TEST(GoldenCasesTest, BoundsHoldTheExactValue) {
  for (const auto& file : CaseFiles()) {
    const Case golden = ReadCase(file);
    SCOPED_TRACE(golden.name);
    ExpectBoundsHold(EvaluateWith(golden.data, tools::Method::kBinned),
                     EvaluateWith(golden.data, tools::Method::kExact));
  }
}

// Recalls, average recalls and counts come from tallies, which are exact in every mode.
TEST(GoldenCasesTest, RecallIsExactInBinnedModeToo) {
  for (const auto& file : CaseFiles()) {
    const Case golden = ReadCase(file);
    SCOPED_TRACE(golden.name);
    const Json binned = Json::parse(tools::FormatJson(EvaluateWith(golden.data, tools::Method::kBinned)));
    for (const char* name : {"AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}) {
      ExpectSame(binned.at("stats").at(name), golden.expected.at("stats").at(name), 1e-9, name);
    }
    for (const auto& [id, values] : golden.expected.at("per_class").items()) {
      for (const char* name : {"recall", "recall_max_dets_1", "recall_max_dets_10"}) {
        ExpectSame(binned.at("per_class").at(id).at(name), values.at(name), 1e-9, id + "." + name);
      }
    }
  }
}

// VOC has no reference values for these, but its bounds are a theorem all the same.
TEST(GoldenCasesTest, VocBoundsHoldTheExactValue) {
  for (const auto& file : CaseFiles()) {
    const Case golden = ReadCase(file);
    SCOPED_TRACE(golden.name);
    for (const Protocol protocol : {kVoc2007, kVoc2012}) {
      for (const bool inclusive_pixels : {false, true}) {
        ExpectBoundsHold(EvaluateWith(golden.data, tools::Method::kBinned, protocol, inclusive_pixels),
                         EvaluateWith(golden.data, tools::Method::kExact, protocol, inclusive_pixels));
      }
    }
  }
}

}  // namespace
}  // namespace detwatch
