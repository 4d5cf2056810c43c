// The ledger's rows are frozen.
#include <gtest/gtest.h>

#include "lib/join/ledger_rows.h"
#include "tests/core/golden_support.h"

namespace detwatch::join {
namespace {

const TimePoint kAt = FromUnixNanos(1'700'000'000'123'456'789);

HeldLabels Labels() {
  return {3, LabelSource::kHuman, true, 0x0123456789abcdef, kAt - std::chrono::seconds(5), "labels"};
}

TEST(LedgerRowsTest, EveryRowIsFrozen) {
  const auto labels = DecodeLabels(test::Golden("join/golden/labels_v1.bin", EncodeLabels(Labels(), kAt)));
  EXPECT_EQ(labels.since, kAt);
  EXPECT_EQ(labels.labels->accepted, Labels().accepted);
  EXPECT_EQ(labels.labels->bytes, "labels");
  EXPECT_TRUE(labels.labels->final);
  const auto half =
      DecodePredictions(4, test::Golden("join/golden/predictions_v1.bin", EncodePredictions("half", kAt)));
  EXPECT_EQ(half.since, kAt);
  EXPECT_EQ(half.bytes, "half");
  const Ledger::Totals totals{1, 2, 300, 4, 50000, 6};
  EXPECT_EQ(ParseTotals(test::Golden("join/golden/totals_v1.bin", EncodeTotals(totals)))->kept_bytes, 50000U);
  std::string lingering;
  AppendLingering(lingering, {1, 2}, {std::make_shared<const HeldLabels>(Labels()), kAt});
  AppendLingering(lingering, {3, 4}, {std::make_shared<const HeldLabels>(Labels()), kAt});
  const auto entries = ParseLingering(test::Golden("join/golden/lingering_v1.bin", lingering));
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ(entries->back().frame.low, 4U);
}

TEST(LedgerRowsTest, WhatWasNotWrittenByUsIsTold) {
  EXPECT_THROW((void)DecodeLabels("\x09labels"), std::runtime_error);
  EXPECT_THROW((void)DecodePredictions(0, ""), std::runtime_error);
  EXPECT_FALSE(ParseTotals("").has_value());
  EXPECT_FALSE(ParseLingering("\x09").has_value());
}

}  // namespace
}  // namespace detwatch::join
