// What is evaluated and how it is grouped: protocols, overrides, windows, views, fleet thresholds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/config/load.h"

namespace detwatch::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> MessagesOf(std::string_view yaml) {
  return LoadText(yaml, "f.yml").Messages();
}

Config MustLoad(std::string_view yaml) {
  const LoadResult loaded = LoadText(yaml, "f.yml");
  EXPECT_THAT(loaded.Messages(), IsEmpty());
  return loaded.config;
}

TEST(ConfigEvaluationTest, AProtocolBringsItsOwnDefaults) {
  const Config config = MustLoad("evaluation: {protocol: voc2007, inclusive_pixels: true}");
  EXPECT_EQ(config.evaluation, EvaluationParams::Voc(Interpolation::k11Points, true));
  EXPECT_EQ(MustLoad("evaluation: {protocol: coco}").evaluation, EvaluationParams::Coco());
}

TEST(ConfigEvaluationTest, KeysBesideAProtocolChangeOnlyWhatTheySay) {
  EvaluationParams expected = EvaluationParams::Voc(Interpolation::kAllPoints, false);
  expected.iou_thresholds = {0.3, 0.5};
  expected.operating_points = {0.25F, 0.75F};
  EXPECT_EQ(MustLoad("evaluation:\n  operating_points: [0.25, 0.75]\n  iou_thresholds: [0.3, 0.5]\n  "
                     "protocol: voc2012\n")
                .evaluation,
            expected);
}

TEST(ConfigEvaluationTest, NineTenthsMeansCocosNinthThreshold) {
  const Config config =
      MustLoad("evaluation: {iou_thresholds: [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]}");
  EXPECT_EQ(config.evaluation.iou_thresholds, CocoIouThresholds());
  EXPECT_EQ(config.evaluation.Fingerprint(), EvaluationParams::Coco().Fingerprint());
}

TEST(ConfigEvaluationTest, AreaRangesAreAMapOrAList) {
  const std::vector<AreaRange> expected = {{"all", 0, 1e10}, {"tiny", 0, 256}};
  EXPECT_EQ(MustLoad("evaluation: {area_ranges: {all: [0, 1e10], tiny: [0, 256]}}").evaluation.area_ranges,
            expected);
  EXPECT_EQ(MustLoad("evaluation:\n  area_ranges:\n    - {name: all, lower: 0, upper: 1e10}\n"
                     "    - {name: tiny, lower: 0, upper: 256}\n")
                .evaluation.area_ranges,
            expected);
  EXPECT_THAT(MessagesOf("evaluation:\n  area_ranges:\n    all: [0, 1e10]\n    odd: [5]\n"),
              ElementsAre("f.yml:4: evaluation.area_ranges.odd: must be [lower, upper] in square pixels"));
}

TEST(ConfigEvaluationTest, UnsoundParametersAreToldAtTheirLine) {
  EXPECT_THAT(
      MessagesOf("evaluation:\n  iou_thresholds: [0.5, 1.5]\n  max_dets: [100, 10]\n  operating_points: []\n"
                 "  inclusive_pixels: true\n"),
      ElementsAre(StartsWith("f.yml:2: evaluation.iou_thresholds: 1.5"),
                  StartsWith("f.yml:3: evaluation.max_dets: 10"),
                  StartsWith("f.yml:4: evaluation.operating_points: 0 entries"),
                  StartsWith("f.yml:5: evaluation.inclusive_pixels: ")));
}

TEST(ConfigEvaluationTest, OverridesStartFromTheEvaluationOrFromTheirProtocol) {
  const Config config = MustLoad(R"(
evaluation: {operating_points: [0.3], max_dets: [50]}
models:
  - {model: a, iou_thresholds: [0.5]}
  - {model: b, protocol: voc2007, inclusive_pixels: true}
)");
  EvaluationParams a = config.evaluation;
  a.iou_thresholds = {0.5};
  EvaluationParams b = EvaluationParams::Voc(Interpolation::k11Points, true);
  b.operating_points = {0.3F};
  EXPECT_EQ(config.EvaluationOf("a"), a);
  EXPECT_EQ(config.EvaluationOf("b"), b);
  EXPECT_EQ(config.EvaluationOf("c"), config.evaluation);
}

TEST(ConfigEvaluationTest, OverridesNeedANameOnceAndSoundValues) {
  EXPECT_THAT(MessagesOf("models:\n  - {protocol: coco}\n  - {model: a}\n  - {model: a, max_dets: [0]}\n"),
              ElementsAre("f.yml:2: models[0].model: is missing; which model is this for?",
                          "f.yml:4: models[2].model: a is listed twice",
                          StartsWith("f.yml:4: models[2].max_dets: 0 ")));
}

TEST(ConfigEvaluationTest, AViewWithoutModelCannotSumDifferentEvaluations) {
  const std::string views = "views: [{name: a}, {name: site, group_by: [site]}]\n";
  EXPECT_THAT(MessagesOf(views), IsEmpty());
  EXPECT_THAT(MessagesOf(views + "models: [{model: m}]\n"), IsEmpty());  // not different
  EXPECT_THAT(MessagesOf(views + "models: [{model: m, max_dets: [5]}]\n"),
              ElementsAre(StartsWith("f.yml:1: views[1].group_by: needs model")));
}

TEST(ConfigEvaluationTest, WindowsAreNamedAsWritten) {
  const Config config = MustLoad("windows: [10m, 168h]");
  EXPECT_EQ(config.windows, (std::vector<WindowSpec>{{"10m", std::chrono::seconds(15), 40},
                                                     {"168h", std::chrono::hours(6), 28}}));
  EXPECT_THAT(config.views[0].windows, ElementsAre("10m", "168h"));
  EXPECT_THAT(MustLoad("windows: []").views[0].windows, IsEmpty());
}

TEST(ConfigEvaluationTest, WindowsAreListedOnceAndAreFew) {
  EXPECT_THAT(MessagesOf("windows:\n  - 60m\n  - 5m\n  - 1h\n"),
              ElementsAre("f.yml:4: windows[2]: 1h is as long as 60m; list each length once"));
  EXPECT_THAT(MessagesOf("windows: [1m, 2m, 3m, 4m, 5m, 6m, 7m, 8m, 9m]"),
              ElementsAre("f.yml:1: windows: 9 is above 8"));
}

TEST(ConfigEvaluationTest, TheFirstViewHasEverythingFurtherOnesTheHeadlines) {
  const Config config = MustLoad("views:\n  - {name: default}\n  - {name: site, group_by: [model, site]}\n");
  Config expected;
  Families few{false, false, false, false, false, false, false, false, false, false};
  few.mean_average_precision = few.precision = few.recall = few.micro_macro = true;
  expected.views.push_back({"site", {"model", "site"}, false, false, few, {"5m", "1h", "24h"}});
  EXPECT_EQ(config, expected);
}

TEST(ConfigEvaluationTest, AViewChoosesFamiliesClassesAndWindows) {
  const Config config = MustLoad(
      "views: [{name: v, group_by: [], classes: false, families: [average_recall], windows: [total, 1h]}]");
  Families one{false, false, false, false, false, false, false, false, false, false};
  one.average_recall = true;
  EXPECT_EQ(config.views[0].families, one);
  EXPECT_FALSE(config.views[0].classes);
  EXPECT_TRUE(config.views[0].counters);
  EXPECT_THAT(config.views[0].group_by, IsEmpty());
  EXPECT_THAT(config.views[0].windows, ElementsAre("1h"));
}

TEST(ConfigEvaluationTest, ViewsAreChecked) {
  EXPECT_THAT(MessagesOf(R"(views:
  - name: a
    group_by: [model, model]
    windows: [5m, 2h]
  - name: a
    group_by: [le, 9lives, __x, stream]
    families: [accuracy]
  - windows: [1h, 1h]
)"),
              ElementsAre("f.yml:3: views[0].group_by[1]: model is listed twice",
                          "f.yml:4: views[0].windows[1]: 2h is not one of windows",
                          "f.yml:5: views[1].name: a is listed twice",
                          HasSubstr("views[1].group_by[0]: le is a reserved label name"),
                          HasSubstr("views[1].group_by[1]: \"9lives\" is not a label name"),
                          HasSubstr("views[1].group_by[2]: __x is a reserved label name"),
                          HasSubstr("f.yml:7: views[1].families[0]: \"accuracy\" is none of "),
                          HasSubstr("f.yml:8: views[2].name: is missing"),
                          "f.yml:8: views[2].windows[1]: 1h is listed twice"));
  EXPECT_THAT(MessagesOf("views: []"),
              ElementsAre("f.yml:1: views: needs at least one view; leave the key out for the default"));
}

TEST(ConfigEvaluationTest, AWrongWindowIsToldOnceNotByEveryViewThatListsIt) {
  EXPECT_THAT(MessagesOf("windows: [97s]\nviews: [{name: a, windows: [97s]}]\n"),
              ElementsAre(HasSubstr("windows[0]: 97s")));
}

TEST(ConfigEvaluationTest, FleetThresholdsAreEvaluatedOnes) {
  EXPECT_THAT(MessagesOf("fleet: {iou: [0.5, 0.52]}"),
              ElementsAre("f.yml:1: fleet.iou[1]: 0.52 is not one of evaluation.iou_thresholds"));
  EXPECT_THAT(MessagesOf("fleet: {iou: [0.5, 0.5]}"),
              ElementsAre("f.yml:1: fleet.iou[1]: 0.5 is listed twice"));
  EXPECT_THAT(MessagesOf("fleet: {iou: []}"),
              ElementsAre("f.yml:1: fleet.iou: is empty; set bins: false to export none"));
}

TEST(ConfigEvaluationTest, FleetThresholdsThatAreNotGivenFollowTheEvaluation) {
  EXPECT_THAT(MustLoad("evaluation: {protocol: voc2012}").fleet.iou, ElementsAre(0.5));
  EXPECT_THAT(MustLoad("evaluation: {iou_thresholds: [0.3, 0.4]}").fleet.iou, ElementsAre(0.3));
}

}  // namespace
}  // namespace detwatch::config
