// Generated sets at the scale of COCO, with the values of the reference evaluator: three score profiles, two
// sizes, one with scores rounded until they tie.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/tools/eval_format.h"
#include "tests/golden/reference_support.h"

namespace detwatch {
namespace {

constexpr std::size_t kSets = 5;

struct Loaded {
  Json expected;
  dataset::Dataset data;
};

class SyntheticTest : public testing::TestWithParam<std::size_t> {
 protected:
  static Loaded Load(const std::filesystem::path& directory, const Json& expected) {
    Loaded loaded{expected, ReadDataset(directory / "gt.json", directory / "dt.json")};
    RoundToFloat32(loaded.data);
    EXPECT_EQ(loaded.data.frames.size(), expected.at("images").get<std::size_t>());
    EXPECT_EQ(loaded.data.GroundTruths(), expected.at("ground_truths").get<std::size_t>());
    EXPECT_EQ(loaded.data.Detections(), expected.at("detections").get<std::size_t>());
    return loaded;
  }
};

TEST_P(SyntheticTest, ExactAndBinnedAgreeWithTheReferenceEvaluator) {
  DETWATCH_GOLDEN_OR_SKIP(list, Golden("../synthetic/expected.json"));
  const Json all = ReadJson(list);
  ASSERT_EQ(all.size(), kSets);
  const Json& expected = all.at(GetParam());
  DETWATCH_GOLDEN_OR_SKIP(directory, Synthetic(expected.at("gen_args")));
  const Loaded loaded = Load(directory, expected);

  const auto exact = EvaluateWith(loaded.data, tools::Method::kExact);
  const Json report = Json::parse(tools::FormatJson(exact));
  ExpectSame(report.at("stats"), expected.at("stats"), 1e-9, "stats");
  const Json& per_class = expected.at("per_class_ap");
  EXPECT_EQ(report.at("per_class").size(), per_class.size());
  for (const auto& [id, ap] : per_class.items()) {
    ExpectSame(report.at("per_class").at(id).at("ap").at("all"), ap, 1e-9, "per_class." + id);
  }

  const auto binned = EvaluateWith(loaded.data, tools::Method::kBinned);
  EXPECT_NEAR(tools::CocoStats(binned)[0].value.value, expected.at("stats").at("AP").get<double>(), 0.001);
  ExpectBoundsHold(binned, exact);
  for (const tools::ClassReport& entry : binned.classes) {
    const Json& ap = per_class.at(std::to_string(entry.entry.id));
    for (std::size_t t = 0; t < ap.size(); ++t) {
      const double reference = ap.at(t);
      if (reference == -1) {
        EXPECT_TRUE(std::isnan(entry.summary.ap[0][t].value)) << entry.entry.name << " " << t;
        continue;
      }
      EXPECT_LE(entry.summary.ap[0][t].lower, reference + 1e-12) << entry.entry.name << " " << t;
      EXPECT_GE(entry.summary.ap[0][t].upper, reference - 1e-12) << entry.entry.name << " " << t;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, SyntheticTest, testing::Range(std::size_t{0}, kSets),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace detwatch
