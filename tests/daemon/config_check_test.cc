// check-config, its estimates, and what a reload may change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/config/check.h"
#include "daemon/config/estimate.h"
#include "daemon/config/reload.h"
#include "daemon/config/window.h"

namespace detwatch::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct Checked {
  int exit_code = 0;
  std::string out, err;
};

Checked Check(const std::string& path, CheckFormat format = CheckFormat::kText) {
  std::ostringstream out, err;
  const int exit_code = RunCheckConfig(path, out, err, format);
  return {exit_code, out.str(), err.str()};
}

// A file that is gone when the test ends.
class TempFile {
 public:
  explicit TempFile(const std::string& text)
      : path_(testing::TempDir() + "detwatch_" + std::to_string(getpid()) + ".yml") {
    std::ofstream(path_) << text;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(CheckConfigTest, EveryProblemIsListedAndTheExitCodeIs2) {
  const TempFile file("log: {level: loud}\nweb:\n  timeout: x\n");
  const Checked text = Check(file.path());
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.out, IsEmpty());
  EXPECT_THAT(text.err, AllOf(StartsWith(file.path() + ":1: log.level: "),
                              HasSubstr("\n" + file.path() + ":3: web.timeout: ")));
  const Checked json = Check(file.path(), CheckFormat::kJson);
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_THAT(json.err, IsEmpty());
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"valid\": false"), HasSubstr("\"line\": 3"),
                              HasSubstr("\"field\": \"web.timeout\"")));
  EXPECT_EQ(Check("/nowhere").exit_code, 2);
}

TEST(CheckConfigTest, ASoundFileTellsWhatItWillCost) {
  const Checked text = Check(std::string(DETWATCH_SOURCE_DIR) + "/deploy/detwatch.yml");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.err, IsEmpty());
  EXPECT_THAT(
      text.out,
      AllOf(HasSubstr("model of 80 classes"), HasSubstr("limits.cell_bytes, 2GiB"),
            HasSubstr("828 per class, of which 720 fleet bins; 371 of them once labels came that can be "
                      "corrected)"),
            HasSubstr("besides: 7 of the model, "), Not(HasSubstr("note:"))));
  const Checked json = Check("", CheckFormat::kJson);
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"valid\": true"), HasSubstr("\"assumed_classes\": 80"),
                              HasSubstr("\"series_per_class_retracted\": 371")));
}

// A model is 66 532 series, and the process needs some too.
TEST(CheckConfigTest, HowManyModelsTheLimitOfSeriesHoldsIsSaid) {
  const auto models = [](const std::string& series) {
    const TempFile file("limits: {series: " + series + "}\n");
    const std::string text = Check(file.path()).out;
    const std::string before = "limits.series " + series + " holds ";
    const std::size_t at = text.find(before);
    return at == std::string::npos ? text : text.substr(at + before.size(), 2);
  };
  EXPECT_EQ(models("199856"), "3 ");
  EXPECT_EQ(models("199855"), "2 ");
  EXPECT_EQ(models("1000"), "0 ");
}

TEST(CheckConfigTest, WhatTheStoreMayTakeIsSaid) {
  const Checked none = Check(std::string(DETWATCH_SOURCE_DIR) + "/deploy/detwatch.yml");
  EXPECT_THAT(none.out,
              AllOf(HasSubstr("besides: waiting frames at most 512MiB, judged frames that labels may "
                              "still correct at most 1GiB, keys of seen frames"),
                    HasSubstr("\nstore: none, so counts and waiting frames end with the process"),
                    HasSubstr(", panes 29 MB to 114 MB)")));
  const TempFile file("storage: {path: /srv/x}\njoin: {bytes: 1GiB, corrections_bytes: 2GiB}\n");
  const Checked store = Check(file.path());
  EXPECT_EQ(store.exit_code, 0);
  // Closed panes are no memory then, so more models fit.
  EXPECT_THAT(store.out,
              AllOf(HasSubstr("\nstore, in /srv/x:\n  waiting frames at most 1GiB, judged frames that labels "
                              "may still correct at most 2GiB\n  closed panes 29 MB to 114 MB for each"),
                    HasSubstr("besides: keys of seen frames"), Not(HasSubstr(", panes "))));
  EXPECT_THAT(Check(file.path(), CheckFormat::kJson).out,
              AllOf(HasSubstr("\"storage_path\": \"/srv/x\""),
                    HasSubstr("\"corrections_bytes_limit\": 2147483648"), HasSubstr("\"model_pane_bytes\"")));
}

TEST(CheckConfigTest, WhatAnOpenPortMeansIsSaid) {
  const TempFile file(
      "web: {listen_address: \":9977\"}\ningest: {reliable: [\"tcp://*:5557\"], insecure: true}\n");
  const Checked checked = Check(file.path());
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.out,
              AllOf(HasSubstr("note: tcp://*:5557 is open without keys: whoever reaches it can publish"),
                    HasSubstr("note: :9977 is open: whoever reaches it can read all metrics")));
}

TEST(CheckConfigTest, JsonSurvivesNamesThatAreNotUtf8) {
  const TempFile file("web: {\"\xff\xfe\": 1}\n");
  EXPECT_EQ(Check(file.path(), CheckFormat::kJson).exit_code, 2);
}

TEST(EstimateTest, MemoryOfAModelIsWhatWasCalculated) {
  const Config config;
  const GroupMemory memory = EstimateGroup(config.evaluation, config.windows, 80);
  // 13 MB of totals; 4096 records of 28 bytes for 80 classes; 29 to 114 MB of closed panes.
  EXPECT_NEAR(static_cast<double>(memory.totals), 13.2e6, 0.2e6);
  EXPECT_EQ(memory.rings, 80U * 4096 * 28);
  EXPECT_NEAR(static_cast<double>(memory.panes_least), 29e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(memory.panes_most), 114e6, 0.3e6);
}

TEST(EstimateTest, MoreOfAnythingNeverCostsLess) {
  const Config config;
  const auto most = [&](const EvaluationParams& params, std::size_t windows, std::uint64_t classes) {
    std::vector<WindowSpec> some(config.windows.begin(),
                                 config.windows.begin() + static_cast<std::ptrdiff_t>(windows));
    return EstimateGroup(params, some, classes).most();
  };
  const EvaluationParams coco = EvaluationParams::Coco();
  EvaluationParams points = coco;
  points.operating_points = {0.5F, 0.6F};
  EXPECT_LT(most(coco, 3, 1), most(coco, 3, 2));
  EXPECT_LT(most(coco, 2, 80), most(coco, 3, 80));
  EXPECT_LT(most(EvaluationParams::Voc(Interpolation::k11Points, false), 3, 80), most(coco, 3, 80));
  EXPECT_LT(most(coco, 3, 80), most(points, 3, 80));
  EXPECT_LE(EstimateDedup({.frames = 1'000'000}), EstimateDedup({.frames = 4'000'000}));
  // Each table holds its frames at 3/4.
  EXPECT_GE(EstimateDedup({}) * 3 / 4, 4U * 16 * 4'000'000);
}

TEST(ReloadTest, EveryFieldIsEitherTakenOverOrRefused) {
  struct Case {
    std::function<void(Config&)> change;
    std::string refused;  // the field named; empty when it can be taken over
  };
  const std::vector<Case> cases = {
      {[](Config& c) { c.web.timeout *= 2; }, "web"},
      {[](Config& c) { c.web.listen_address = ":1"; }, "web"},
      {[](Config& c) { c.web.max_connections = 1; }, "web"},
      {[](Config& c) { c.web.max_connections_per_ip = 1; }, "web"},
      {[](Config& c) { c.ingest.subscribe.clear(); }, "ingest"},
      {[](Config& c) { c.ingest.reliable.clear(); }, "ingest"},
      {[](Config& c) { c.ingest.message_bytes *= 2; }, "ingest"},
      {[](Config& c) { c.ingest.boxes_per_frame = 1; }, "ingest"},
      {[](Config& c) { c.ingest.high_water_mark = 1; }, "ingest"},
      {[](Config& c) { c.ingest.reliable_high_water_mark = 1; }, "ingest"},
      {[](Config& c) { c.ingest.credit_bytes *= 2; }, "ingest"},
      {[](Config& c) { c.ingest.insecure = true; }, "ingest"},
      {[](Config& c) { c.storage.path = "x"; }, "storage"},
      {[](Config& c) { c.storage.fsync = false; }, "storage"},
      {[](Config& c) { c.storage.checkpoint *= 2; }, "storage"},
      {[](Config& c) { c.evaluation.max_dets = {5}; }, "evaluation"},
      {[](Config& c) {
         c.models.push_back({"m", EvaluationParams::Coco()});
       },
       "models"},
      {[](Config& c) { c.windows.pop_back(); }, "windows"},
      {[](Config& c) { c.views[0].group_by = {"model"}; }, "views"},
      {[](Config& c) { c.views[0].name = "x"; }, "views"},
      {[](Config& c) { c.views[0].windows.pop_back(); }, "views"},
      {[](Config& c) { c.views.push_back(c.views[0]); }, "views"},
      {[](Config& c) { c.views[0].classes = false; }, ""},
      {[](Config& c) { c.views[0].families.calibration = false; }, ""},
      {[](Config& c) { c.join.retention *= 2; }, ""},
      {[](Config& c) { c.join.bytes *= 2; }, ""},
      {[](Config& c) { c.join.linger *= 2; }, ""},
      {[](Config& c) { c.join.class_list_wait *= 2; }, ""},
      {[](Config& c) { c.join.corrections *= 2; }, ""},
      {[](Config& c) { c.join.corrections_bytes *= 2; }, ""},
      {[](Config& c) { c.dedup.horizon *= 2; }, ""},
      {[](Config& c) { c.dedup.frames = 1; }, ""},
      {[](Config& c) { c.limits.models = 1; }, ""},
      {[](Config& c) { c.limits.groups = 1; }, ""},
      {[](Config& c) { c.limits.streams = 1; }, ""},
      {[](Config& c) { c.limits.publishers = 1; }, ""},
      {[](Config& c) { c.limits.classes = 1; }, ""},
      {[](Config& c) { c.limits.class_lists = 1; }, ""},
      {[](Config& c) { c.limits.cell_bytes *= 2; }, ""},
      {[](Config& c) { c.limits.series = 1; }, ""},
      {[](Config& c) { c.labels.sources = {LabelSource::kHuman}; }, ""},
      {[](Config& c) { c.labels.sampling = {Sampling::kRandom}; }, ""},
      {[](Config& c) { c.fleet.bins = false; }, ""},
      {[](Config& c) { c.fleet.iou = {0.5}; }, ""},
      {[](Config& c) { c.log.level = LogLevel::kDebug; }, ""},
      {[](Config& c) { c.log.format = LogFormat::kJson; }, ""},
  };
  for (const Case& change : cases) {
    Config next;
    change.change(next);
    ASSERT_FALSE(next == Config()) << change.refused;
    if (change.refused.empty()) {
      EXPECT_THAT(RefusedChanges(Config(), next), IsEmpty());
    } else {
      EXPECT_THAT(RefusedChanges(Config(), next),
                  ElementsAre(StartsWith(change.refused + " cannot change without a restart: ")));
    }
  }
  EXPECT_THAT(RefusedChanges(Config(), Config()), IsEmpty());
}

}  // namespace
}  // namespace detwatch::config
