#include "lib/accumulate/summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

bool Has(IouMask mask, std::size_t threshold) {
  return (mask >> threshold & 1) != 0;
}

// All that a class has seen, in the forms that a cell keeps.
struct Cell {
  std::vector<Judged> frames;
  Histogram counts;
  std::vector<RingRecord> records;
};

Cell RandomCell(Random& random, const EvaluationParams& params, const Shape& shape, std::size_t frames) {
  Cell cell;
  for (std::size_t i = 0; i < frames; ++i) {
    cell.frames.push_back(RandomJudged(random, params));
  }
  cell.counts = HistogramOf(shape, params, cell.frames);
  cell.records = RecordsOf(cell.frames);
  return cell;
}

// TP flags of what counts at (area, threshold), in the order of the definition.
std::vector<std::uint8_t> RankedList(std::vector<RingRecord> records, std::size_t area, std::size_t t) {
  std::stable_sort(records.begin(), records.end(), [](const RingRecord& a, const RingRecord& b) {
    return std::tuple(-a.score, a.ordinal(), a.index) < std::tuple(-b.score, b.ordinal(), b.index);
  });
  std::vector<std::uint8_t> out;
  for (const RingRecord& record : records) {
    if (!Has(record.ignored[area], t)) {
      out.push_back(Has(record.true_positive[area], t) ? 1 : 0);
    }
  }
  return out;
}

class SummaryTest : public testing::Test {
 protected:
  const EvaluationParams params_ = ParamsWithPoints();
  const Shape fine_ = Shape::Fine(params_);
  const Shape coarse_ = Shape::Coarse(params_);
  Random random_{41};
};

TEST_F(SummaryTest, WithRecordsApIsExactWhateverTheirOrder) {
  for (int trial = 0; trial < 60; ++trial) {
    Cell cell = RandomCell(random_, params_, coarse_, 1 + random_.Below(60));
    std::vector<RingRecord> shuffled = cell.records;
    random_.Shuffle(shuffled);
    const ClassSummary summary = Summarise(params_, cell.counts, &shuffled);
    EXPECT_TRUE(summary.exact);
    for (std::size_t area = 0; area < params_.areas(); ++area) {
      if (summary.ground_truths[area] == 0) {
        continue;
      }
      for (std::size_t t = 0; t < params_.thresholds(); ++t) {
        const double expected = ObviousAveragePrecision(RankedList(cell.records, area, t),
                                                        summary.ground_truths[area], params_.interpolation);
        const ApValue& ap = summary.ap[area][t];
        ASSERT_EQ(ap.value, expected);
        ASSERT_EQ(ap.lower, expected);
        ASSERT_EQ(ap.upper, expected);
      }
    }
  }
}

TEST_F(SummaryTest, TiesGoToTheEarlierFrameAndThenToTheLowerIndex) {
  const auto record = [](Ordinal ordinal, std::uint32_t index, IouMask tp) {
    DetectionOutcome outcome;
    outcome.score = 0.5F;
    outcome.index = index;
    outcome.true_positive[0] = tp;
    return RingRecord::From(outcome, ordinal);
  };
  Histogram counts(fine_);
  counts.AddTally(fine_.GroundTruths(0), 2);
  const Ordinal late = Ordinal{1} << 40;
  // In order: FP (3, 9), TP (late, 1), FP (late, 2), TP (late + 1, 0).
  std::vector<RingRecord> records = {record(late + 1, 0, 1), record(late, 2, 0), record(late, 1, 1),
                                     record(3, 9, 0)};
  const double ap = Summarise(params_, counts, &records).ap[0][0].value;
  EXPECT_EQ(ap, ObviousAveragePrecision({0, 1, 0, 1}, 2, Interpolation::k101Points));
  EXPECT_EQ(records.front().ordinal(), 3U);
  EXPECT_EQ(records.back().ordinal(), late + 1);
}

TEST_F(SummaryTest, WithoutRecordsApComesFromBinsAndTheBoundsHoldTheExactValue) {
  for (int trial = 0; trial < 60; ++trial) {
    const Shape& shape = trial % 2 == 0 ? fine_ : coarse_;
    Cell cell = RandomCell(random_, params_, shape, 1 + random_.Below(80));
    const ClassSummary binned = Summarise(params_, cell.counts, nullptr);
    const ClassSummary exact = Summarise(params_, cell.counts, &cell.records);
    EXPECT_FALSE(binned.exact);
    for (std::size_t area = 0; area < params_.areas(); ++area) {
      if (binned.ground_truths[area] == 0) {
        continue;
      }
      for (std::size_t t = 0; t < params_.thresholds(); ++t) {
        ASSERT_LE(binned.ap[area][t].lower, exact.ap[area][t].value);
        ASSERT_GE(binned.ap[area][t].upper, exact.ap[area][t].value);
        std::vector<BinCounts> bins;
        for (int bin = shape.layout(area).bins() - 1; bin >= 0; --bin) {
          const CountTable& table = cell.counts.table(area);
          bins.push_back({table.TruePositives(bin, t), table.FalsePositives(bin, t), table.Tied(bin)});
        }
        const ApValue expected =
            BinnedAveragePrecision(bins, binned.ground_truths[area], params_.interpolation);
        ASSERT_EQ(binned.ap[area][t].value, expected.value);
      }
    }
  }
}

TEST_F(SummaryTest, ExactAndBinnedAgreeOnEverythingButAp) {
  Cell cell = RandomCell(random_, params_, fine_, 100);
  const ClassSummary a = Summarise(params_, cell.counts, nullptr);
  const ClassSummary b = Summarise(params_, cell.counts, &cell.records);
  EXPECT_EQ(a.ground_truths, b.ground_truths);
  EXPECT_EQ(a.recall, b.recall);
  EXPECT_EQ(a.recall_by_max_dets[0], b.recall_by_max_dets[0]);
  EXPECT_EQ(a.best_f1, b.best_f1);
  EXPECT_EQ(a.calibration_error, b.calibration_error);
  EXPECT_EQ(a.detections, b.detections);
  EXPECT_EQ(a.iou_mean, b.iou_mean);
}

TEST_F(SummaryTest, RecallIsTruePositivesPerGroundTruthByAreaAndMaxDets) {
  const Cell cell = RandomCell(random_, params_, coarse_, 120);
  const ClassSummary summary = Summarise(params_, cell.counts, nullptr);
  for (std::size_t t = 0; t < params_.thresholds(); ++t) {
    for (std::size_t area = 0; area < params_.areas(); ++area) {
      double tp = 0;
      double ground_truths = 0;
      for (const Judged& frame : cell.frames) {
        ground_truths += frame.outcome.ground_truths[area];
        for (const DetectionOutcome& d : frame.detections) {
          tp += Has(d.true_positive[area], t) ? 1 : 0;
        }
      }
      ASSERT_DOUBLE_EQ(summary.recall[area][t], tp / ground_truths);
    }
    for (std::size_t k = 0; k < params_.max_dets.size(); ++k) {
      double tp = 0;
      for (const Judged& frame : cell.frames) {
        for (const DetectionOutcome& d : frame.detections) {
          tp += d.rank < params_.max_dets[k] && Has(d.true_positive[0], t) ? 1 : 0;
        }
      }
      const auto ground_truths = static_cast<double>(summary.ground_truths[0]);
      ASSERT_DOUBLE_EQ(summary.recall_by_max_dets[k][t], tp / ground_truths);
    }
  }
}

TEST_F(SummaryTest, OperatingPointsGiveRawCountsAndFramesTheirFourOutcomes) {
  const Cell cell = RandomCell(random_, params_, coarse_, 150);
  const ClassSummary summary = Summarise(params_, cell.counts, nullptr);
  for (std::size_t c = 0; c < params_.operating_points.size(); ++c) {
    for (std::size_t t = 0; t < params_.thresholds(); ++t) {
      const OperatingCounts& counts = summary.operating[c][t];
      ASSERT_EQ(counts.true_positives, cell.counts.Tally(coarse_.TruePositives(c, t)));
      ASSERT_EQ(counts.false_positives, cell.counts.Tally(coarse_.FalsePositives(c, t)));
      ASSERT_EQ(counts.true_positives + counts.false_negatives, summary.ground_truths[0]);
    }
    const FrameCounts& frames = summary.frames[c];
    const auto judged = std::count_if(cell.frames.begin(), cell.frames.end(), [](const Judged& frame) {
      return frame.outcome.ground_truths[0] > 0 || frame.outcome.ignored_ground_truths == 0;
    });
    EXPECT_EQ(frames.tp + frames.fp + frames.fn + frames.tn, judged);
    EXPECT_GT(frames.tn, 0);
  }
}

TEST_F(SummaryTest, BestF1IsTheBestOverAllBinEdges) {
  for (int trial = 0; trial < 20; ++trial) {
    const Cell cell = RandomCell(random_, params_, coarse_, 40);
    const ClassSummary summary = Summarise(params_, cell.counts, nullptr);
    const std::size_t t = params_.HeadlineIou();
    double best = 0;
    double at = -1;
    const auto edges = coarse_.layout(0).edges();
    for (std::size_t e = edges.size() - 1; e-- > 0;) {
      OperatingCounts counts;
      for (const Judged& frame : cell.frames) {
        for (const DetectionOutcome& d : frame.detections) {
          if (static_cast<double>(d.score) >= edges[e] && !Has(d.ignored[0], t)) {
            ++(Has(d.true_positive[0], t) ? counts.true_positives : counts.false_positives);
          }
        }
      }
      counts.false_negatives = summary.ground_truths[0] - counts.true_positives;
      if (counts.F1() > best) {
        best = counts.F1();
        at = edges[e];
      }
    }
    ASSERT_DOUBLE_EQ(summary.best_f1, best);
    ASSERT_EQ(summary.best_f1_confidence, at);
  }
}

TEST_F(SummaryTest, CalibrationErrorWeighsTheGapOfSixteenBins) {
  const Cell cell = RandomCell(random_, params_, fine_, 100);
  const ClassSummary summary = Summarise(params_, cell.counts, nullptr);
  const std::size_t t = params_.HeadlineIou();
  const BinLayout& layout = fine_.layout(0);
  double sum = 0;
  double n = 0;
  for (int group = 0; group < 16; ++group) {
    double confidence = 0;
    double hits = 0;
    for (const Judged& frame : cell.frames) {
      for (const DetectionOutcome& d : frame.detections) {
        const auto bin = static_cast<std::size_t>(layout.Bin(d.score));
        const double middle = (layout.edges()[bin] + layout.edges()[bin + 1]) / 2;
        if (Has(d.ignored[0], t) || middle < group / 16.0 || middle >= (group + 1) / 16.0) {
          continue;
        }
        confidence += middle;
        hits += Has(d.true_positive[0], t) ? 1 : 0;
        ++n;
      }
    }
    sum += std::abs(confidence - hits);
  }
  EXPECT_NEAR(summary.calibration_error, sum / n, 1e-12);
  EXPECT_EQ(summary.detections, static_cast<std::int64_t>(n));
}

TEST_F(SummaryTest, MeanIouIsOfTruePositivesAtTheFirstPoint) {
  const Cell cell = RandomCell(random_, params_, fine_, 100);
  const ClassSummary summary = Summarise(params_, cell.counts, nullptr);
  double sum = 0;
  double n = 0;
  for (const Judged& frame : cell.frames) {
    for (const DetectionOutcome& d : frame.detections) {
      if (Has(d.true_positive[0], params_.HeadlineIou()) && d.score >= params_.operating_points[0]) {
        sum += static_cast<double>(d.iou);
        ++n;
      }
    }
  }
  EXPECT_NEAR(summary.iou_mean, sum / n, 1e-9);
}

TEST_F(SummaryTest, WithoutGroundTruthsTheNumbersAreUndefinedAndFalsePositivesStillCount) {
  Judged frame;
  frame.outcome.count = 1;
  DetectionOutcome d;
  d.score = 0.7F;
  frame.detections = {d};
  const Histogram counts = HistogramOf(fine_, params_, {frame});
  std::vector<RingRecord> records = RecordsOf({frame});
  for (std::vector<RingRecord>* given : {static_cast<std::vector<RingRecord>*>(nullptr), &records}) {
    const ClassSummary summary = Summarise(params_, counts, given);
    EXPECT_TRUE(std::isnan(summary.ap[0][0].value));
    EXPECT_TRUE(std::isnan(summary.ap[0][0].lower));
    EXPECT_TRUE(std::isnan(summary.recall[0][0]));
    EXPECT_TRUE(std::isnan(summary.recall_by_max_dets[0][0]));
    EXPECT_TRUE(std::isnan(summary.best_f1));
    EXPECT_TRUE(std::isnan(summary.best_f1_confidence));
    EXPECT_TRUE(std::isnan(summary.iou_mean));
    EXPECT_EQ(summary.operating[0][0].false_positives, 1);
    EXPECT_EQ(summary.operating[0][0].Precision(), 0);
    EXPECT_TRUE(std::isnan(summary.operating[0][0].Recall()));
    EXPECT_TRUE(std::isnan(summary.operating[0][0].F1()));
    EXPECT_NEAR(summary.calibration_error, 0.7, 0.01);
  }
}

TEST_F(SummaryTest, GroundTruthsWithoutDetectionsGiveZeroAndPrecisionIsUndefined) {
  Judged frame;
  frame.outcome.ground_truths = {2, 2, 0, 0};
  const Histogram counts = HistogramOf(fine_, params_, {frame});
  std::vector<RingRecord> records;
  for (std::vector<RingRecord>* given : {static_cast<std::vector<RingRecord>*>(nullptr), &records}) {
    const ClassSummary summary = Summarise(params_, counts, given);
    EXPECT_EQ(summary.ap[0][0].value, 0);
    EXPECT_EQ(summary.ap[1][9].upper, 0);
    EXPECT_TRUE(std::isnan(summary.ap[2][0].value));
    EXPECT_EQ(summary.recall[0][0], 0);
    EXPECT_TRUE(std::isnan(summary.operating[0][0].Precision()));
    EXPECT_EQ(summary.operating[0][0].Recall(), 0);
    EXPECT_EQ(summary.operating[0][0].F1(), 0);
    EXPECT_EQ(summary.best_f1, 0);
    EXPECT_TRUE(std::isnan(summary.best_f1_confidence));
    EXPECT_TRUE(std::isnan(summary.calibration_error));
    EXPECT_EQ(summary.frames[0].fn, 1);
  }
}

TEST(FrameCountsTest, AccuracyAndSpecificityAreThoseOfAConfusionMatrix) {
  const FrameCounts frames{.tp = 6, .fp = 1, .fn = 2, .tn = 11};
  EXPECT_DOUBLE_EQ(frames.Accuracy(), 17.0 / 20);
  EXPECT_DOUBLE_EQ(frames.Specificity(), 11.0 / 12);
  EXPECT_TRUE(std::isnan(FrameCounts{}.Accuracy()));
  EXPECT_TRUE(std::isnan((FrameCounts{.tp = 3, .fn = 1}).Specificity()));
}

TEST(OperatingCountsTest, FormulasAreThoseOfRawCounts) {
  const OperatingCounts counts{.true_positives = 3, .false_positives = 1, .false_negatives = 2};
  EXPECT_DOUBLE_EQ(counts.Precision(), 3.0 / 4);
  EXPECT_DOUBLE_EQ(counts.Recall(), 3.0 / 5);
  EXPECT_DOUBLE_EQ(counts.F1(), 6.0 / 9);
}

}  // namespace
}  // namespace detwatch::accumulate
