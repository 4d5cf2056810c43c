// What /metrics says of a snapshot.

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>

#include "lib/expose/expose.h"
#include "lib/expose/labels.h"
#include "tests/expose/snapshot_support.h"
#include "tests/expose/text_support.h"

namespace detwatch::expose {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ParsedText Exposed(std::shared_ptr<const snapshot::Snapshot> snapshot, ExposeOptions options = {}) {
  return Parse(Serve(std::move(snapshot), options).Text());
}

// By series; le edges as ours, where prometheus-cpp writes le="0.050000000000000003".
std::map<std::string, double> Normalised(const ParsedText& text) {
  std::map<std::string, double> values;
  for (auto [series, value] : text.series) {
    if (const std::size_t le = series.find("le=\""); le != std::string::npos) {
      const std::size_t begin = le + 4;
      const std::size_t end = series.find('"', begin);
      double edge = std::numeric_limits<double>::infinity();
      std::from_chars(series.data() + begin, series.data() + end, edge);
      std::string number;
      AppendNumber(number, edge);
      series.replace(begin, end - begin, number);
    }
    values[series] = value;
  }
  return values;
}

// DETWATCH_UPDATE_GOLDEN=1 rewrites the file; look at the difference before committing it.
TEST(ExpositionTest, TheTextIsTheGoldenFile) {
  const std::string path = DETWATCH_TESTS_DIR "/expose/golden/metrics.txt";
  const std::string text = Serve(SampleSnapshot()).Text();
  if (std::getenv("DETWATCH_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  const std::string golden = ReadFile(path);
  ASSERT_FALSE(golden.empty()) << path;
  EXPECT_EQ(text, golden);
}

TEST(ExpositionTest, SameSnapshotSameText) {
  EXPECT_EQ(Serve(SampleSnapshot()).Text(), Serve(SampleSnapshot()).Text());
}

TEST(ExpositionTest, TextAndFamiliesAgree) {
  for (const auto& snapshot : {SampleSnapshot(), CocoSnapshot(2, 3), std::shared_ptr<snapshot::Snapshot>()}) {
    const Collector collector = Serve(snapshot);
    const ParsedText ours = Parse(collector.Text());
    const ParsedText theirs = Parse(prometheus::TextSerializer().Serialize(collector.Collect()));
    EXPECT_EQ(ours.types, theirs.types);
    EXPECT_EQ(ours.helps, theirs.helps);
    const auto expected = Normalised(theirs);
    const auto actual = Normalised(ours);
    EXPECT_EQ(actual.size(), expected.size());
    for (const auto& [series, value] : expected) {
      ASSERT_TRUE(actual.contains(series)) << series;
      EXPECT_NEAR(actual.at(series), value, std::abs(value) * 1e-15) << series;  // it rounds to 16 digits
    }
  }
}

TEST(ExpositionTest, NamesAndHelpFollowTheRules) {
  std::set<std::string_view> names;
  for (const FamilyInfo& family : AllFamilies()) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name;
    EXPECT_TRUE(family.name.starts_with("detwatch_") || family.name.starts_with("process_")) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter) << family.name;
    EXPECT_TRUE(family.help.ends_with('.')) << family.help;
    EXPECT_EQ(family.help.find_first_of("\\\n"), std::string_view::npos) << family.help;
  }
}

TEST(ExpositionTest, TheSampleHasEveryFamily) {
  const ParsedText text = Exposed(SampleSnapshot());
  for (const FamilyInfo& family : AllFamilies()) {
    EXPECT_TRUE(text.types.contains(std::string(family.name))) << family.name;
  }
}

TEST(ExpositionTest, NoSeriesStandsTwice) {
  for (const auto& snapshot : {SampleSnapshot(), CocoSnapshot(2, 3)}) {
    std::set<std::string> seen;
    for (const auto& [series, value] : Exposed(snapshot).series) {
      EXPECT_TRUE(seen.insert(series).second) << series;
    }
  }
}

// Were a total to stand beside its parts, it would lack a label that they have.
TEST(ExpositionTest, ATotalNeverStandsBesideItsPartsInAView) {
  std::map<std::string, std::string> names_of;
  for (const auto& [series, value] : Exposed(SampleSnapshot()).series) {
    const std::string view = series.find("view=\"stream\"") != std::string::npos ? "stream" : "default";
    const std::string labels = LabelNames(series);
    const auto [known, added] = names_of.emplace(view + NameOf(series), labels);
    EXPECT_TRUE(added || known->second == labels) << series;
  }
}

TEST(ExpositionTest, UndefinedIsAbsentAndNeverZero) {
  const ParsedText text = Exposed(SampleSnapshot());
  const std::string clutter =
      "{view=\"default\",model=\"yolo\",version=\"1\",window=\"total\",class=\"clutter\"";
  EXPECT_FALSE(text.Has("detwatch_average_precision" + clutter + ",iou=\"0.50\"}"));
  EXPECT_FALSE(text.Has("detwatch_average_precision_binning_upper" + clutter + ",iou=\"0.50\"}"));
  EXPECT_FALSE(text.Has("detwatch_recall" + clutter + ",iou=\"0.50\",confidence=\"0.5\"}"));
  EXPECT_FALSE(text.Has("detwatch_true_positive_iou_mean" + clutter + "}"));
  // Its detections are false positives: precision is defined, and 0.
  EXPECT_EQ(text.Value("detwatch_precision" + clutter + ",iou=\"0.50\",confidence=\"0.5\"}"), 0);
  // Not judged in this window at all.
  const std::string quiet = "{view=\"default\",model=\"yolo\",version=\"1\",window=\"5m\",class=\"person\"";
  EXPECT_FALSE(text.Has("detwatch_average_precision" + quiet + ",iou=\"0.50\"}"));
  EXPECT_FALSE(text.Has("detwatch_precision" + quiet + ",iou=\"0.50\",confidence=\"0.5\"}"));
  EXPECT_EQ(text.Value("detwatch_window_ground_truths" + quiet + "}"), 0);
  // The window holds no frame with a capture time; the silent model sent nothing.
  EXPECT_FALSE(
      text.Has(R"(detwatch_window_capture_timestamp_seconds{view="default",model="yolo",version="1",)"
               R"(window="5m",edge="oldest"})"));
  EXPECT_FALSE(text.Has(R"(detwatch_last_frame_timestamp_seconds{model="silent",version=""})"));
  EXPECT_FALSE(text.Has(R"(detwatch_label_coverage_ratio{model="silent",version=""})"));
  EXPECT_TRUE(
      text.Has(R"(detwatch_model_info{model="silent",version="",score_threshold="",max_detections=""})"));
  for (const auto& [series, value] : text.series) {
    EXPECT_FALSE(std::isnan(value)) << series;
  }
}

TEST(ExpositionTest, ASeriesAppearsWithZeroAsSoonAsItsGroupAndClassAreKnown) {
  const ParsedText text = Exposed(SampleSnapshot());
  const std::string clutter = R"({view="default",model="yolo",version="1",class="clutter")";
  EXPECT_EQ(text.Value("detwatch_true_positives_total" + clutter + R"(,iou="0.50",confidence="0.5"})"), 0);
  EXPECT_EQ(text.Value("detwatch_ground_truths_total" + clutter + "}"), 0);
  EXPECT_EQ(text.Value("detwatch_frame_outcomes_total" + clutter + R"(,confidence="0.5",outcome="tp"})"), 0);
  EXPECT_EQ(text.Value(R"(detwatch_frames_rejected_total{reason="oversized",transport="subscribe"})"), 0);
}

TEST(ExpositionTest, FramesCountedForAListAreTrueNegativesOfEachClass) {
  const auto snapshot = SampleSnapshot();
  const ParsedText text = Exposed(snapshot);
  const auto outcomes = [](const std::string& family, const std::string& class_name) {
    return family + R"({view="default",model="yolo",version="1",class=")" + class_name +
           R"(",confidence="0.5",outcome="tn"})";
  };
  EXPECT_EQ(text.Value(outcomes("detwatch_frame_outcomes_total", "clutter")), 14);
  EXPECT_EQ(text.Value(outcomes("detwatch_frame_outcomes_retracted_total", "clutter")), 1);
  const auto own = static_cast<double>(snapshot->views[0].groups[0].counters[0]->frames[0].tn);
  EXPECT_EQ(text.Value(outcomes("detwatch_frame_outcomes_total", "person")), own + 1);
  // A window in which the class was judged and never there.
  EXPECT_EQ(text.Value(R"(detwatch_frame_accuracy{view="default",model="yolo",version="1",window="5m",)"
                       R"(class="clutter",confidence="0.5"})"),
            1);
}

TEST(ExpositionTest, TimesOfArrivalAreAsTheWallClockHasThem) {
  auto snapshot = SampleSnapshot();
  const std::string model = R"({model="yolo",version="1"})";
  const double before = Exposed(snapshot).Value("detwatch_last_frame_timestamp_seconds" + model);
  snapshot->wall_ahead = -std::chrono::hours(1);
  const ParsedText text = Exposed(snapshot);
  EXPECT_EQ(text.Value("detwatch_last_frame_timestamp_seconds" + model), before - 3600);
  EXPECT_EQ(text.Value("detwatch_last_label_timestamp_seconds" + model), 1763800098.0 - 3600);
  EXPECT_EQ(text.Value("detwatch_snapshot_timestamp_seconds"), 1763800100.0 - 3600);
  // The detector's clock is its own.
  EXPECT_EQ(text.Value(R"(detwatch_window_capture_timestamp_seconds{view="default",model="yolo",version="1",)"
                       R"(window="total",edge="oldest"})"),
            1763800001);
}

TEST(ExpositionTest, FleetBinsAreOfClassesThatWereSeen) {
  std::size_t seen = 0;
  for (const auto& [series, value] : Exposed(SampleSnapshot()).series) {
    if (series.starts_with("detwatch_bin_") && series.find("class=\"") != std::string::npos) {
      ++seen;
      EXPECT_EQ(series.find("class=\"clutter\""), std::string::npos) << series;
    }
  }
  EXPECT_GT(seen, 0U);
}

TEST(ExpositionTest, AClassNameIsEscaped) {
  const ParsedText text = Exposed(SampleSnapshot());
  EXPECT_EQ(text.Value(R"(detwatch_ground_truths_total{view="default",model="yolo",version="1",)"
                       R"(class="6\" \\ pipe\nfitting"})"),
            12);
}

TEST(ExpositionTest, AViewWithoutClassesHasNoClassLabel) {
  std::size_t seen = 0;
  for (const auto& [series, value] : Exposed(SampleSnapshot()).series) {
    if (series.find("view=\"stream\"") != std::string::npos) {
      ++seen;
      EXPECT_EQ(series.find("class=\""), std::string::npos) << series;
      EXPECT_EQ(series.find("_total{"), std::string::npos) << "counters live in one view: " << series;
    }
  }
  EXPECT_GT(seen, 0U);
}

TEST(ExpositionTest, FamiliesThatAViewLeavesOutAreAbsent) {
  const auto snapshot = SampleSnapshot();
  for (snapshot::View& view : snapshot->views) {
    view.spec.families = {.mean_average_precision = false,
                          .average_precision = false,
                          .average_recall = false,
                          .precision = false,
                          .recall = false,
                          .f1_score = false,
                          .micro_macro = false,
                          .frame_outcomes = false,
                          .localization = false,
                          .calibration = false};
  }
  const ParsedText text = Exposed(snapshot);
  for (const char* name :
       {"detwatch_mean_average_precision", "detwatch_average_precision", "detwatch_average_recall",
        "detwatch_precision", "detwatch_recall", "detwatch_f1_score", "detwatch_micro_recall",
        "detwatch_macro_recall", "detwatch_frame_accuracy", "detwatch_frame_outcomes_total",
        "detwatch_true_positive_iou_mean", "detwatch_best_f1_confidence",
        "detwatch_expected_calibration_error"}) {
    EXPECT_FALSE(text.HasName(name)) << name;
  }
  EXPECT_TRUE(text.HasName("detwatch_window_frames"));
}

TEST(ExpositionTest, WithoutASnapshotHealthIsServed) {
  const ParsedText text = Exposed(nullptr);
  EXPECT_EQ(text.Value("detwatch_ready"), 1);
  EXPECT_EQ(text.Value(R"(detwatch_build_info{version="1.2.3",revision="0123456789ab"})"), 1);
  EXPECT_FALSE(text.HasName("detwatch_messages_total"));
}

TEST(ExpositionTest, FleetBinsCanBeSwitchedOff) {
  EXPECT_TRUE(Exposed(SampleSnapshot()).HasName("detwatch_bin_layout_info"));
  const ParsedText text = Exposed(SampleSnapshot(), {.fleet_bins = false});
  EXPECT_FALSE(text.HasName("detwatch_bin_detections_total"));
  EXPECT_FALSE(text.HasName("detwatch_bin_layout_info"));
}

TEST(ExpositionTest, MeansAreLabelledByTheirRangeOfThresholds) {
  const ParsedText text = Exposed(CocoSnapshot(1, 2));
  const std::string group = R"({view="default",model="detector-0",version="2025-11-22",window="5m")";
  EXPECT_TRUE(text.Has("detwatch_mean_average_precision" + group + R"(,iou="0.50:0.95",area="large"})"));
  EXPECT_TRUE(text.Has("detwatch_average_precision" + group + R"(,class="class-0",iou="0.50:0.95"})"));
  EXPECT_TRUE(text.Has("detwatch_average_recall" + group + R"(,max_dets="10",area="all"})"));
  EXPECT_TRUE(text.Has("detwatch_average_recall" + group + R"(,max_dets="100",area="small"})"));
  EXPECT_FALSE(text.Has("detwatch_average_recall" + group + R"(,max_dets="10",area="small"})"));
  EXPECT_FALSE(text.Has("detwatch_mean_average_precision" + group + R"(,iou="0.55",area="all"})"));
}

TEST(ExpositionTest, VocHasOneThresholdAndNoMeanOverThresholds) {
  const auto snapshot = CocoSnapshot(1, 1);
  const auto voc = EvaluationParams::Voc(Interpolation::kAllPoints, false);
  snapshot->views[0].groups[0].params = std::make_shared<const EvaluationParams>(voc);
  const ParsedText text = Exposed(snapshot);
  const std::string group = R"({view="default",model="detector-0",version="2025-11-22",window="total")";
  EXPECT_TRUE(text.Has("detwatch_mean_average_precision" + group + R"(,iou="0.50",area="all"})"));
  EXPECT_FALSE(text.Has("detwatch_mean_average_precision" + group + R"(,iou="0.50:0.50",area="all"})"));
  EXPECT_TRUE(text.Has("detwatch_average_recall" + group + R"(,max_dets="unlimited",area="all"})"));
}

TEST(ExpositionTest, AThresholdTheGroupIsNotEvaluatedAtHasNoFleetBins) {
  const auto snapshot = SampleSnapshot();
  snapshot->fleet_ious = {0.5, 0.9};
  const ParsedText text = Exposed(snapshot);
  const std::string person = R"({view="default",model="yolo",version="1",class="person")";
  EXPECT_TRUE(text.Has("detwatch_bin_detections_total" + person + R"(,iou="0.50",bin="07"})"));
  EXPECT_FALSE(text.Has("detwatch_bin_detections_total" + person + R"(,iou="0.90",bin="07"})"));
}

TEST(ExpositionTest, BinsAreNumberedInAscendingConfidence) {
  const ParsedText text = Exposed(SampleSnapshot());
  EXPECT_TRUE(
      text.Has(R"(detwatch_bin_layout_info{layout="16/2/8/14",bin="00",lower="0",upper="0.001953125"})"));
  EXPECT_TRUE(text.Has(
      R"(detwatch_bin_layout_info{layout="16/2/8/14",bin="89",lower="0.999969482421875",upper="1"})"));
}

}  // namespace
}  // namespace detwatch::expose
