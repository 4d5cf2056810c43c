// The limit of series.

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "lib/expose/expose.h"
#include "tests/expose/snapshot_support.h"
#include "tests/expose/text_support.h"

namespace detwatch::expose {
namespace {

constexpr std::size_t kAlways = 2;  // detwatch_series and detwatch_series_dropped_total
constexpr const char* kDropped = "detwatch_series_dropped_total{reason=\"limit\"}";

ParsedText Limited(std::size_t max_series) {
  return Parse(Serve(SampleSnapshot(), {.max_series = max_series}).Text());
}

TEST(SeriesLimitTest, TheSeriesLimitHolds) {
  const std::size_t all = Limited(100000).series.size();
  for (std::size_t limit = 0; limit < all + 5; limit += 7) {
    const ParsedText text = Limited(limit);
    EXPECT_LE(text.series.size(), std::max(limit, kAlways));
    EXPECT_EQ(text.Value("detwatch_series"), static_cast<double>(text.series.size()));
    EXPECT_EQ(text.Value("detwatch_series") + text.Value(kDropped), static_cast<double>(all)) << limit;
  }
}

// A histogram as its buckets, sum and count, and nothing of a block that is left out.
TEST(SeriesLimitTest, TheCountIsThatOfTheText) {
  for (const std::size_t limit : {0U, 100U, 400U, 1000U, 100000U}) {
    EXPECT_EQ(CountSeries(*SampleSnapshot(), SampleProcess(), {.max_series = limit}),
              Limited(limit).series.size())
        << limit;
  }
  EXPECT_LT(CountSeries(*SampleSnapshot(), SampleProcess(), {.fleet_bins = false}),
            CountSeries(*SampleSnapshot(), SampleProcess(), {}));
}

TEST(SeriesLimitTest, ExactlyEnoughLeavesNothingOut) {
  const std::size_t all = Limited(100000).series.size();
  EXPECT_EQ(Limited(all).Value(kDropped), 0);
  EXPECT_GT(Limited(all - 1).Value(kDropped), 0);
}

TEST(SeriesLimitTest, HealthIsKeptFirstAndFleetBinsAreDroppedFirst) {
  const char* const in_order[] = {"detwatch_bin_detections_total", "detwatch_true_positives_total",
                                  "detwatch_average_precision", "detwatch_mean_average_precision",
                                  "detwatch_messages_total"};
  // With less and less room, what is gone before the next one goes stays gone.
  std::size_t gone = 0;
  for (std::size_t limit = Limited(100000).series.size(); limit > 10; limit -= 9) {
    const ParsedText text = Limited(limit);
    while (gone < std::size(in_order) && !text.HasName(in_order[gone])) {
      ++gone;
    }
    for (std::size_t i = gone; i < std::size(in_order); ++i) {
      EXPECT_TRUE(text.HasName(in_order[i])) << in_order[i] << " is gone before " << in_order[gone];
    }
  }
  EXPECT_EQ(gone, std::size(in_order));
}

TEST(SeriesLimitTest, AHistogramAndTheBoundsOfAValueAreWholeOrAbsent) {
  for (std::size_t limit = 0; limit < 700; limit += 3) {
    const ParsedText text = Limited(limit);
    std::map<std::string, std::size_t> n;
    for (const auto& [series, value] : text.series) {
      ++n[series.substr(0, series.find('{'))];
    }
    EXPECT_EQ(n["detwatch_label_delay_seconds_bucket"], n["detwatch_label_delay_seconds_count"] * 14);
    EXPECT_EQ(n["detwatch_prediction_confidence_bucket"], n["detwatch_prediction_confidence_sum"] * 20);
    EXPECT_EQ(n["detwatch_mean_average_precision"], n["detwatch_mean_average_precision_binning_lower"]);
    EXPECT_EQ(n["detwatch_mean_average_precision"], n["detwatch_mean_average_precision_binning_upper"]);
    EXPECT_EQ(n["detwatch_average_precision"], n["detwatch_average_precision_binning_lower"]);
  }
}

TEST(SeriesLimitTest, LeftOutSeriesOnlyEverGrow) {
  const Collector collector = Serve(SampleSnapshot(), {.max_series = 400});
  double before = 0;
  for (int scrape = 1; scrape <= 3; ++scrape) {
    const double now = Parse(collector.Text()).Value(kDropped);
    EXPECT_GT(now, before);
    before = now;
  }
  for (const prometheus::MetricFamily& family : collector.Collect()) {
    if (family.name == "detwatch_series_dropped_total") {
      EXPECT_GT(family.metric.front().counter.value, before);
      return;
    }
  }
  FAIL() << "no detwatch_series_dropped_total";
}

TEST(SeriesLimitTest, AnotherLimitTakesEffectWithTheNextScrape) {
  Collector collector = Serve(SampleSnapshot(), {});
  const std::size_t all = collector.Text().size();
  collector.SetOptions({200, true});
  const std::string few = collector.Text();
  EXPECT_LT(few.size(), all / 2);
  EXPECT_NE(few.find("detwatch_series_dropped_total"), std::string::npos);
  collector.SetOptions({200000, false});
  EXPECT_EQ(collector.Text().find("detwatch_bin_detections_total"), std::string::npos);
}

}  // namespace
}  // namespace detwatch::expose
