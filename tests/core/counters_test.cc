#include "lib/core/counters.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>

namespace detwatch {
namespace {

// Every number of the counters, found without knowing their names: all are 64 bits but the sum of delays.
std::vector<std::uint64_t*> Numbers(IngestCounters& counters) {
  std::vector<std::uint64_t*> numbers;
  for (auto* by_transport : {&counters.messages, &counters.bytes, &counters.frames, &counters.labels,
                             &counters.duplicate_frames, &counters.duplicate_labels, &counters.lost_messages,
                             &counters.duplicate_messages, &counters.stale_epochs, &counters.tombstones}) {
    for (std::uint64_t& n : *by_transport) {
      numbers.push_back(&n);
    }
  }
  for (auto& by_transport : counters.rejected) {
    for (std::uint64_t& n : by_transport) {
      numbers.push_back(&n);
    }
  }
  for (std::uint64_t* n :
       {&counters.judged_frames, &counters.unjudged_ground_truths, &counters.unjudged_detections,
        &counters.corrected_frames, &counters.retracted_unjudged_ground_truths,
        &counters.retracted_unjudged_detections, &counters.filtered_labels, &counters.expired_labels_missing,
        &counters.expired_predictions_missing, &counters.never_expected, &counters.groups_refused,
        &counters.groups_restarted, &counters.clock_holds, &counters.clock_set_backs}) {
    numbers.push_back(n);
  }
  for (std::uint64_t& n : counters.label_delay.counts) {
    numbers.push_back(&n);
  }
  return numbers;
}

IngestCounters AllDistinct() {
  IngestCounters counters;
  std::uint64_t n = 1000;
  for (std::uint64_t* number : Numbers(counters)) {
    *number = ++n;
  }
  counters.label_delay.sum = 12.25;
  return counters;
}

TEST(CountersTest, NoNumberIsForgotten) {
  // A counter that is new belongs into Numbers() here, and into ForEach() there.
  IngestCounters counters;
  EXPECT_EQ(Numbers(counters).size() * sizeof(std::uint64_t) + sizeof(double), sizeof(IngestCounters));
}

TEST(CountersTest, EveryNumberIsReadAsItWasWritten) {
  IngestCounters counters = AllDistinct();
  auto parsed = ParseIngestCounters(Serialise(counters));
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto expected = Numbers(counters);
  const auto read = Numbers(*parsed);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(*read[i], *expected[i]) << i;
  }
  EXPECT_EQ(parsed->label_delay.sum, 12.25);
}

TEST(CountersTest, ASumIsOfEachNumber) {
  IngestCounters counters = AllDistinct();
  counters += AllDistinct();
  IngestCounters once = AllDistinct();
  const auto sums = Numbers(counters);
  const auto addends = Numbers(once);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    EXPECT_EQ(*sums[i], 2 * *addends[i]) << i;
  }
  EXPECT_EQ(counters.label_delay.sum, 24.5);
}

// Four forged sequences once added so much to the lost messages that their counter wrapped, and fell.
TEST(CountersTest, SumsStopAtTheTopAndNeverFall) {
  constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
  IngestCounters nearly;
  for (std::uint64_t* number : Numbers(nearly)) {
    *number = kTop - 5;
  }
  IngestCounters sum = AllDistinct();
  sum += nearly;
  for (const std::uint64_t* number : Numbers(sum)) {
    EXPECT_EQ(*number, kTop);
  }
  std::uint64_t lost = kTop - 1;
  AddSaturating(lost, 1);
  EXPECT_EQ(lost, kTop);
  AddSaturating(lost, kTop);
  EXPECT_EQ(lost, kTop);
}

TEST(CountersTest, UnknownNamesAreSkipped) {
  std::string bytes = Serialise(AllDistinct());
  AppendText(bytes, "of a later version");
  AppendVarint(bytes, 5);
  AppendText(bytes, "judged_frames");
  AppendVarint(bytes, 77);
  const auto parsed = ParseIngestCounters(bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->judged_frames, 77U);
}

TEST(CountersTest, WhatIsCutShortIsRefused) {
  const std::string bytes = Serialise(AllDistinct());
  EXPECT_FALSE(ParseIngestCounters(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(ParseIngestCounters(bytes.substr(0, 5)));
  EXPECT_FALSE(ParseIngestCounters(""));
}

TEST(CountersTest, BucketsAreReadAsTheyWereWritten) {
  BucketCounts<kPerFrameEdges.size()> counts;
  counts.Observe(kPerFrameEdges, 3, 7);
  counts.Observe(kPerFrameEdges, 5000, 2);
  std::string bytes;
  Serialise(counts, bytes);
  ByteReader in(bytes);
  BucketCounts<kPerFrameEdges.size()> read;
  Restore(in, read);
  EXPECT_TRUE(in.AtEnd());
  EXPECT_EQ(read.counts, counts.counts);
  EXPECT_EQ(read.sum, counts.sum);
}

}  // namespace
}  // namespace detwatch
