// Real data sets with the values of the reference evaluators.
#include <gtest/gtest.h>

#include <string>

#include "daemon/tools/eval_format.h"
#include "tests/golden/reference_support.h"

namespace detwatch {
namespace {

class RealSetTest : public testing::TestWithParam<std::string> {};

TEST_P(RealSetTest, ExactAgreesWithTheReferenceEvaluator) {
  DETWATCH_GOLDEN_OR_SKIP(set, Golden(GetParam()));
  const auto data = ReadDataset(set / "gt.json", set / "dt.json");
  const auto report = EvaluateWith(data, tools::Method::kExact);
  ExpectSame(Json::parse(tools::FormatJson(report)), ReadJson(set / "expected_coco.json"), 1e-9);
}

TEST_P(RealSetTest, BinnedMeanIsWithinAThousandthAndBoundsHold) {
  DETWATCH_GOLDEN_OR_SKIP(set, Golden(GetParam()));
  const auto data = ReadDataset(set / "gt.json", set / "dt.json");
  const auto binned = EvaluateWith(data, tools::Method::kBinned);
  const double expected = ReadJson(set / "expected_coco.json").at("stats").at("AP");
  EXPECT_NEAR(tools::CocoStats(binned)[0].value.value, expected, 0.001);
  ExpectBoundsHold(binned, EvaluateWith(data, tools::Method::kExact));
}

INSTANTIATE_TEST_SUITE_P(Sets, RealSetTest, testing::Values("coco_fake100", "cartucho", "blood_cells"),
                         [](const auto& set) { return set.param; });

struct VocCase {
  std::string name;
  std::string file;
  bool inclusive_pixels;
};

class VocTest : public testing::TestWithParam<VocCase> {
 protected:
  // The golden file holds both rules side by side; a report holds one.
  static Json ExpectedOf(const Json& golden, bool eleven_points) {
    Json expected = golden;
    expected["mAP"] = golden.at(eleven_points ? "mAP11" : "mAP");
    expected.erase("mAP11");
    for (auto& [name, values] : expected.at("per_class").items()) {
      if (eleven_points && values.contains("AP11")) {
        values["AP"] = values.at("AP11");
      }
      values.erase("AP11");
    }
    return expected;
  }
};

TEST_P(VocTest, ExactAgreesWithTheReferenceEvaluator) {
  DETWATCH_GOLDEN_OR_SKIP(set, Golden("cartucho"));
  const auto data = ReadDataset(set / "gt.json", set / "dt.json");
  const Json golden = ReadJson(set / GetParam().file);
  for (const bool eleven_points : {false, true}) {
    SCOPED_TRACE(eleven_points ? "11 points" : "area");
    const auto report = EvaluateWith(data, tools::Method::kExact, eleven_points ? kVoc2007 : kVoc2012,
                                     GetParam().inclusive_pixels);
    ExpectSame(Json::parse(tools::FormatJson(report)), ExpectedOf(golden, eleven_points), 1e-9);
  }
}

TEST_P(VocTest, BoundsHoldTheExactValue) {
  DETWATCH_GOLDEN_OR_SKIP(set, Golden("cartucho"));
  const auto data = ReadDataset(set / "gt.json", set / "dt.json");
  for (const Protocol protocol : {kVoc2007, kVoc2012}) {
    ExpectBoundsHold(EvaluateWith(data, tools::Method::kBinned, protocol, GetParam().inclusive_pixels),
                     EvaluateWith(data, tools::Method::kExact, protocol, GetParam().inclusive_pixels));
  }
}

INSTANTIATE_TEST_SUITE_P(Pixels, VocTest,
                         testing::Values(VocCase{"inclusive", "expected_voc.json", true},
                                         VocCase{"exclusive", "expected_voc_without_plus_one.json", false}),
                         [](const auto& set) { return set.param.name; });

}  // namespace
}  // namespace detwatch
