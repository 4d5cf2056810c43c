// The series a configuration is said to need, against those of a scrape of a pipeline that runs with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/load.h"
#include "daemon/config/series.h"
#include "daemon/serve/wiring.h"
#include "lib/core/key_value.h"
#include "lib/expose/expose.h"
#include "lib/pipeline/ingest.h"
#include "lib/pipeline/state.h"
#include "lib/wire/encode.h"

namespace detwatch::config {
namespace {

constexpr TimePoint kNow = TimePoint(std::chrono::seconds(1'763'800'000));

Config Loaded(const std::string& text) {
  LoadResult loaded = LoadText(text, "test");
  EXPECT_TRUE(loaded.ok()) << (loaded.problems.empty() ? "" : loaded.problems[0].text) << "\n" << text;
  return std::move(loaded.config);
}

// A pipeline that runs by the configuration, and models in which everything that can be defined is.
class Daemon {
 public:
  explicit Daemon(const Config& config) : config_(serve::ToPipeline(config, "")), ingest_(config_) {
    header_.publisher = "camera";
    header_.epoch = 1;
    header_.oldest_held = 1;
  }

  void AddModel(const std::string& name, std::uint32_t classes) {
    for (std::uint32_t id = static_cast<std::uint32_t>(list_.entries.size()); id < classes; ++id) {
      list_.entries.emplace_back(id, "class-" + std::to_string(id));
    }
    list_.hash = HashClassList(list_.entries);
    Send(list_);
    ModelInfo info;
    info.model = {name, "1"};
    info.class_list = list_.hash;
    Send(info);
    wire::FramePair seen = Frame(name, "seen");
    for (std::uint32_t id = 0; id < classes; ++id) {
      for (const double side : {20, 60, 200}) {  // small, medium, large
        seen.labels.boxes.push_back({side * 3, 10, side, side});
        seen.labels.areas.push_back(side * side);
        seen.labels.class_ids.push_back(id);
      }
    }
    seen.predictions.boxes = seen.labels.boxes;
    seen.predictions.class_ids = seen.labels.class_ids;
    seen.predictions.scores.assign(seen.labels.boxes.size(), 1);
    Send(seen);
    Send(Frame(name, "empty"));  // so that there are true negatives
  }

  std::shared_ptr<const snapshot::Snapshot> Take() {
    ingest_.OnAbsorbed(state_.Absorb(*ingest_.TakeCut(kNow)));
    return state_.Take();
  }

 private:
  void Send(const wire::Message& message) {
    ++header_.sequence;
    const pipeline::Reaction reaction = ingest_.OnMessage(Transport::kReliable, wire::EncodeHeader(header_),
                                                          wire::EncodePayload(message), kNow);
    EXPECT_TRUE(reaction.rejected.empty());
  }
  [[nodiscard]] wire::FramePair Frame(const std::string& model, const std::string& id) const {
    wire::FramePair pair;
    pair.predictions.frame = pair.labels.frame = {"gate", model + id};
    pair.predictions.class_list = pair.labels.class_list = list_.hash;
    pair.predictions.model = {model, "1"};
    pair.predictions.capture_time = pair.labels.capture_time = kNow;
    pair.labels.source = LabelSource::kHuman;
    return pair;
  }

  ClassList list_;
  Header header_;
  pipeline::PipelineConfig config_;
  MemoryKeyValue store_;
  pipeline::State state_{config_, store_};
  pipeline::Ingest ingest_;
};

struct Scrape {
  std::uint64_t series = 0;
  bool complete = false;  // nothing was left out
};

Scrape Scraped(const Config& config, const std::shared_ptr<const snapshot::Snapshot>& snapshot,
               std::size_t limit = std::numeric_limits<std::size_t>::max()) {
  expose::Process process;
  process.config_reload_timestamp_seconds = process.checkpoint_timestamp_seconds = 1'763'800'000;
  const expose::Collector collector([snapshot] { return snapshot; }, [process] { return process; },
                                    {limit, config.fleet.bins});
  const std::string text = "\n" + collector.Text();
  Scrape scrape;
  for (std::size_t line = text.find('\n'); line + 1 < text.size(); line = text.find('\n', line + 1)) {
    scrape.series += text[line + 1] == '#' ? 0 : 1;
  }
  scrape.complete = text.find("\ndetwatch_series_dropped_total{reason=\"limit\"} 0\n") != std::string::npos;
  return scrape;
}

const std::vector<std::string>& Configurations() {
  static const std::vector<std::string> kTexts = {
      "",
      "join: {corrections: 0s}\n",
      "join: {corrections_bytes: 0}\n",
      "fleet: {bins: false}\n",
      "views: [{name: a, classes: false}]\n",
      "fleet: {iou: [0.75]}\nevaluation: {operating_points: [0.05, 0.25, 0.5]}\n",
      "evaluation: {protocol: voc2012}\nfleet: {iou: [0.5]}\n",
      "windows: [10m]\nviews:\n  - {name: all, windows: []}\n  - {name: by_model, group_by: [model], "
      "windows: [10m]}\n",
      "views:\n  - {name: a, families: [precision, average_recall, mean_average_precision]}\n"
      "  - {name: b, classes: true, families: [average_precision, recall, calibration, frame_outcomes]}\n",
  };
  return kTexts;
}

TEST(SeriesEstimateTest, TheEstimateIsWhatAScrapeHolds) {
  for (const std::string& text : Configurations()) {
    const Config config = Loaded(text);
    const SeriesEstimate estimate = EstimateSeries(config);
    Daemon daemon(config);
    EXPECT_EQ(Scraped(config, daemon.Take()).series, estimate.besides) << text;
    daemon.AddModel("one", 3);
    EXPECT_EQ(Scraped(config, daemon.Take()).series, estimate.besides + estimate.of_model(3)) << text;
    daemon.AddModel("two", 5);
    EXPECT_EQ(Scraped(config, daemon.Take()).series,
              estimate.besides + estimate.of_model(3) + estimate.of_model(5))
        << text;
  }
}

TEST(SeriesEstimateTest, SoManyModelsAreCompleteAndOneMoreIsNot) {
  const Config config;
  const SeriesEstimate estimate = EstimateSeries(config);
  const std::uint64_t limit = estimate.besides + 2 * estimate.of_model(4);
  Daemon daemon(config);
  daemon.AddModel("one", 4);
  daemon.AddModel("two", 4);
  EXPECT_TRUE(Scraped(config, daemon.Take(), limit).complete);
  EXPECT_FALSE(Scraped(config, daemon.Take(), limit - 1).complete);
  daemon.AddModel("three", 4);
  EXPECT_FALSE(Scraped(config, daemon.Take(), limit).complete);
}

TEST(SeriesEstimateTest, SeriesAreThoseOfTheMetricTables) {
  const GroupSeries full = EstimateSeries({}).views.at(0);
  // Four windows: 5 facts, mAP 4 areas x 3 IoUs x 3 bounds, AR 3 + 3, micro and macro 2 x 3 x 2 IoUs;
  // 49 of the three histograms.
  EXPECT_EQ(full.fixed, 4U * (5 + 36 + 6 + 12) + 49);
  // Four windows: ground truths, IoU mean, frames 2, P, R and F1 at 2 IoUs, AP 9, calibration 2; IoU
  // quantiles 2, of the total; counters 1 + 6 + 4; 90 bins x 2 IoUs x 2; and all of these counters once more,
  // for what is retracted.
  EXPECT_EQ(full.per_class, 4U * (1 + 1 + 2 + 6 + 9 + 2) + 2 + 2 * (11 + 360));
  EXPECT_EQ(full.per_class_fleet, 720U);
  EXPECT_EQ(full.per_class_retracted, 371U);
  const SeriesEstimate voc = EstimateSeries(
      Loaded("evaluation: {protocol: voc2012}\nviews: [{name: a}, {name: b}]\nfleet: {bins: false}\n"
             "join: {corrections: 0s}\n"));
  // One threshold, one area, one max dets.
  EXPECT_EQ(voc.views.at(0).per_class, 4U * (1 + 1 + 2 + 3 + 3 + 2) + 2 + 8);
  EXPECT_EQ(voc.views.at(0).per_class_retracted, 0U);
  const GroupSeries& headlines = voc.views.at(1);
  EXPECT_EQ(headlines.per_class, 0U);
  EXPECT_EQ(headlines.fixed, 4U * (5 + 3 + 2 * 2 + 1));
}

TEST(SeriesEstimateTest, MoreOfAnythingNeverNeedsFewerSeries) {
  const auto of = [](const std::string& text) { return EstimateSeries(Loaded(text)).of_model(80); };
  EXPECT_LT(EstimateSeries({}).of_model(80), EstimateSeries({}).of_model(81));
  EXPECT_LT(of("windows: [5m]\nviews: [{name: a, windows: [5m]}]\n"), of(""));
  EXPECT_LT(of("evaluation: {protocol: voc2012}\nfleet: {iou: [0.5]}\n"), of(""));
  EXPECT_LT(of("join: {corrections: 0s}\n"), of(""));
  EXPECT_LT(of("fleet: {bins: false}\n"), of(""));
  EXPECT_LT(of("fleet: {iou: [0.5]}\n"), of(""));
  EXPECT_LT(of(""), of("evaluation: {operating_points: [0.25, 0.5]}\n"));
  EXPECT_LT(of(""), of("views: [{name: a}, {name: b}]\n"));
}

}  // namespace
}  // namespace detwatch::config
