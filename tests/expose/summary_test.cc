// GET /api/v1/summary.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/expose/expose.h"
#include "tests/expose/snapshot_support.h"
#include "tests/expose/text_support.h"

namespace detwatch::expose {
namespace {

using nlohmann::json;

json Summary(const snapshot::Snapshot* snapshot) {
  return json::parse(SummaryJson(snapshot, SampleProcess()));
}

TEST(SummaryJsonTest, WithoutASnapshotThereAreNoViews) {
  const json summary = Summary(nullptr);
  EXPECT_TRUE(summary["taken"].is_null());
  EXPECT_EQ(summary["version"], "1.2.3");
  EXPECT_EQ(summary["ready"], true);
  EXPECT_EQ(summary["endpoints"]["reliable"], json({"tcp://127.0.0.1:5557"}));
  EXPECT_EQ(summary["views"], json::array());
  EXPECT_EQ(summary["counters"]["messages"]["reliable"], 0);
}

TEST(SummaryJsonTest, SameSnapshotSameText) {
  EXPECT_EQ(SummaryJson(SampleSnapshot().get(), SampleProcess()),
            SummaryJson(SampleSnapshot().get(), SampleProcess()));
}

TEST(SummaryJsonTest, EveryValueOfAClassIsThereForEveryAreaAndThreshold) {
  const auto snapshot = CocoSnapshot(2, 3);
  const snapshot::Group& expected = snapshot->views[0].groups[1];  // not exact
  const json group = Summary(snapshot.get())["views"][0]["groups"][1];
  EXPECT_EQ(group["labels"], json({{"model", "detector-1"}, {"version", "2025-11-22"}}));
  EXPECT_EQ(group["protocol"], "coco");
  EXPECT_EQ(group["iou_thresholds"].get<std::vector<double>>(), expected.params->iou_thresholds);
  const json& window = group["windows"][2];
  EXPECT_EQ(window["window"], "1h");
  EXPECT_EQ(window["exact"], false);
  for (std::size_t c = 0; c < expected.class_names.size(); ++c) {
    const accumulate::ClassSummary& one = *expected.windows[2].classes[c];
    const json& got = window["per_class"][expected.class_names[c]];
    for (std::size_t a = 0; a < expected.params->areas(); ++a) {
      const std::string& area = expected.params->area_ranges[a].name;
      EXPECT_EQ(got["ground_truths"][area], one.ground_truths[a]);
      for (std::size_t t = 0; t < expected.params->thresholds(); ++t) {
        EXPECT_EQ(got["ap"][area][t]["value"], one.ap[a][t].value);
        EXPECT_EQ(got["ap"][area][t]["lower"], one.ap[a][t].lower);
        EXPECT_EQ(got["ap"][area][t]["upper"], one.ap[a][t].upper);
        EXPECT_EQ(got["recall"][area][t], one.recall[a][t]);
        EXPECT_EQ(got["recall_by_max_dets"]["10"][t], one.recall_by_max_dets[1][t]);
      }
    }
    const json& point = got["operating_points"][0];
    EXPECT_EQ(point["confidence"], "0.5");
    EXPECT_EQ(point["iou"], "0.50");
    EXPECT_EQ(point["tp"], one.operating[0][0].true_positives);
    EXPECT_EQ(point["fn"], one.operating[0][0].false_negatives);
    EXPECT_EQ(point["f1"], one.operating[0][0].F1());
    EXPECT_EQ(got["frames"][0]["tn"], one.frames[0].tn);
    EXPECT_EQ(got["iou_mean"], one.iou_mean);
    EXPECT_EQ(got["calibration_error"], one.calibration_error);
  }
}

// They are known since the beginning only.
TEST(SummaryJsonTest, IouQuantilesAreOfTheTotal) {
  const auto snapshot = CocoSnapshot(1, 2);
  snapshot->views[0].groups[0].iou_quantiles = {{0.55, 0.9}, {}};
  const json windows = Summary(snapshot.get())["views"][0]["groups"][0]["windows"];
  const json& classes = windows[0]["per_class"];
  EXPECT_EQ(classes["class-0"]["iou_quantiles"], (json{{"0.1", 0.55}, {"0.5", 0.9}}));
  EXPECT_EQ(classes["class-1"]["iou_quantiles"]["0.5"], nullptr);
  for (std::size_t w = 1; w < windows.size(); ++w) {
    EXPECT_FALSE(windows[w]["per_class"]["class-0"].contains("iou_quantiles"));
  }
}

TEST(SummaryJsonTest, StatsHaveTheTwelveNamesOfCoco) {
  const auto snapshot = CocoSnapshot(1, 3);
  const accumulate::MeanSummary& mean = snapshot->views[0].groups[0].windows[0].mean;
  const json stats = Summary(snapshot.get())["views"][0]["groups"][0]["windows"][0]["stats"];
  EXPECT_EQ(stats.size(), 12U);
  EXPECT_EQ(stats["AP"], mean.map[0][10].value);
  EXPECT_EQ(stats["AP50"], mean.map[0][0].value);
  EXPECT_EQ(stats["AP75"], mean.map[0][5].value);
  EXPECT_EQ(stats["APs"], mean.map[1][10].value);
  EXPECT_EQ(stats["APl"], mean.map[3][10].value);
  EXPECT_EQ(stats["AR1"], mean.ar_by_max_dets[0]);
  EXPECT_EQ(stats["AR100"], mean.ar_by_max_dets[2]);
  EXPECT_EQ(stats["ARm"], mean.ar[2]);
}

TEST(SummaryJsonTest, StatsThatAreNotConfiguredAreNull) {
  const auto snapshot = CocoSnapshot(1, 1);
  snapshot->views[0].groups[0].params =
      std::make_shared<const EvaluationParams>(EvaluationParams::Voc(Interpolation::k11Points, true));
  const json group = Summary(snapshot.get())["views"][0]["groups"][0];
  const json& stats = group["windows"][0]["stats"];
  EXPECT_EQ(group["protocol"], "voc2007");
  EXPECT_TRUE(stats["AP50"].is_number());
  for (const char* name : {"AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"}) {
    EXPECT_TRUE(stats[name].is_null()) << name;
  }
  EXPECT_EQ(group["windows"][0]["ar"][0]["max_dets"], "unlimited");
}

TEST(SummaryJsonTest, UndefinedIsNullAndAClassThatWasNotJudgedIsLeftOut) {
  const auto snapshot = SampleSnapshot();
  const json windows = Summary(snapshot.get())["views"][0]["groups"][0]["windows"];
  const auto person_tn = snapshot->views[0].groups[0].windows[0].classes[0]->frames[0].tn + 1;
  const json& clutter = windows[0]["per_class"]["clutter"];
  EXPECT_TRUE(clutter["ap"]["all"][0]["value"].is_null());
  EXPECT_TRUE(clutter["operating_points"][0]["recall"].is_null());
  EXPECT_EQ(clutter["operating_points"][0]["precision"], 0);
  EXPECT_FALSE(windows[1]["per_class"].contains("person"));
  EXPECT_TRUE(windows[1]["per_class"].at("clutter").is_null());  // judged, and never there
  EXPECT_EQ(windows[0]["per_class"]["person"]["frames"][0]["tn"], person_tn);
  EXPECT_TRUE(windows[1]["oldest_capture"].is_null());
  EXPECT_EQ(windows[0]["newest_capture"], 1763800099.5);
}

TEST(SummaryJsonTest, AViewWithoutClassesHasNone) {
  const json view = Summary(SampleSnapshot().get())["views"][1];
  EXPECT_EQ(view["group_by"], json({"stream"}));
  EXPECT_FALSE(view["groups"][0]["windows"][0].contains("per_class"));
  EXPECT_TRUE(view["groups"][0]["windows"][0]["operating_points"][0]["micro"]["precision"].is_number());
}

TEST(SummaryJsonTest, CountersAndModelsAreThere) {
  const json summary = Summary(SampleSnapshot().get());
  EXPECT_EQ(summary["counters"]["messages"], json({{"subscribe", 7}, {"reliable", 1000001}}));
  EXPECT_EQ(summary["counters"]["frames_rejected"]["score_out_of_range"]["reliable"], 2);
  EXPECT_EQ(summary["counters"]["frames_expired"], json({{"labels", 3}, {"predictions", 1}}));
  EXPECT_EQ(summary["gauges"]["join_pending_frames"], json({{"labels", 3}, {"predictions", 1}}));
  EXPECT_EQ(summary["models"][0]["score_threshold"], "0.05");
  EXPECT_EQ(summary["models"][0]["label_coverage"], 0.85);
  EXPECT_TRUE(summary["models"][1]["score_threshold"].is_null());
  EXPECT_TRUE(summary["models"][1]["last_frame"].is_null());
}

TEST(SummaryJsonTest, AClassNameThatIsNotUtf8DoesNotCostTheDocument) {
  const auto snapshot = SampleSnapshot();
  snapshot->views[0].groups[0].class_names[0] = "caf\xe9";
  EXPECT_TRUE(Summary(snapshot.get())["views"][0]["groups"][0]["windows"][0]["per_class"].contains(
      "caf\xef\xbf\xbd"));
}

// The page and the scraper must not tell two stories.
TEST(SummaryJsonTest, TheSameNumbersAsInMetrics) {
  const auto snapshot = CocoSnapshot(1, 2);
  const json window = Summary(snapshot.get())["views"][0]["groups"][0]["windows"][0];
  const ParsedText text = Parse(Serve(snapshot).Text());
  const std::string group = R"({view="default",model="detector-0",version="2025-11-22",window="total")";
  for (const json& row : window["map"]) {
    const std::string iou = row["iou"];
    if (iou == "0.50" || iou == "0.75" || iou == "0.50:0.95") {
      EXPECT_EQ(text.Value("detwatch_mean_average_precision" + group + ",iou=\"" + iou + "\",area=\"" +
                           row["area"].get<std::string>() + "\"}"),
                row["value"].get<double>());
    }
  }
  for (const json& row : window["ar"]) {
    EXPECT_EQ(
        text.Value("detwatch_average_recall" + group + ",max_dets=\"" + row["max_dets"].get<std::string>() +
                   "\",area=\"" + row["area"].get<std::string>() + "\"}"),
        row["value"].get<double>());
  }
  const json& point = window["operating_points"][1];
  EXPECT_EQ(text.Value("detwatch_micro_recall" + group + R"(,iou="0.75",confidence="0.5"})"),
            point["micro"]["recall"].get<double>());
}

}  // namespace
}  // namespace detwatch::expose
