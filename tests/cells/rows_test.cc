// Rows of counts are frozen, and damage is told.
#include "lib/cells/rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/cells/cells_support.h"
#include "tests/core/golden_support.h"

namespace detwatch::cells {
namespace {

GroupRow MakeGroup() {
  GroupRow row;
  row.view = "default";
  row.labels = {{"model", "yolo"}, {"version", "2"}};
  row.model = "yolo";
  row.fingerprint = 0x0123456789abcdef;
  row.first_ordinal = 77;
  row.correctable = true;
  row.predictions.frames = 5;
  row.predictions.confidence.Observe(kConfidenceEdges, 0.3, 4);
  row.frames.Add(80, kStart);
  row.frames.by_set.Add(0xfeedULL, 3);
  row.retracted_sets.Add(0xfeedULL, 1);
  row.windows = {{99, kStart, "frames"}};
  return row;
}

CellChange MakeChange() {
  std::mt19937 random(6);
  const auto params = EvaluationParams::Coco();
  const auto fine = accumulate::Shape::Fine(params);
  const auto frame = MakeFrame(random, {ClassId{1}}, {ClassId{1}});
  GroupChange change;
  Contribute(frame->judged, 1, {5, kStart, false}, {params, fine}, change);
  Contribute(frame->judged, -1, {4, kStart, true}, {params, fine}, change);
  Contribute(frame->judged, 1, {4, kStart, true}, {params, fine}, change);
  CellChange out = std::move(*change.cells.front());
  DetectionOutcome found;
  found.score = 1;
  found.iou = 0.75F;
  found.true_positive[0] = 1;
  out.iou.Count(params, std::span(&found, 1), 1);
  out.dropped = true;
  out.dropped_through = 2;
  return out;
}

TEST(CellRowsTest, EveryRowIsFrozen) {
  EXPECT_TRUE(ParseGroup(test::Golden("cells/golden/group_v1.bin", Encode(MakeGroup()))));
  EXPECT_TRUE(ParseKnown(test::Golden("cells/golden/known_v1.bin", EncodeKnown({ClassId{0}, ClassId{400}}))));
  const CellChange change = MakeChange();
  accumulate::Ring ring;
  ring.Append(change.records);
  EXPECT_TRUE(ParseCell(
      test::Golden("cells/golden/cell_v2.bin", EncodeCell(change.counts, change.retracted.get(), change.iou,
                                                          ring, {{7, 12, &change.counts}, {8, 13, nullptr}})),
      4096));
  std::string row;
  AppendAddition(row, kStart, change);
  AppendAddition(row, kStart, change);
  EXPECT_TRUE(ParseAdditions(test::Golden("cells/golden/additions_v2.bin", row)));
}

TEST(CellRowsTest, ReadingWhatWasWrittenGivesTheSame) {
  EXPECT_EQ(Encode(*ParseGroup(Encode(MakeGroup()))), Encode(MakeGroup()));
  const CellChange change = MakeChange();
  std::string row;
  AppendAddition(row, kStart, change);
  const auto read = ParseAdditions(row);
  ASSERT_TRUE(read && read->size() == 1);
  const CellChange& again = read->front().change;
  EXPECT_TRUE(again.counts == change.counts);
  EXPECT_TRUE(*again.retracted == *change.retracted);
  EXPECT_EQ(again.records, change.records);
  EXPECT_TRUE(again.iou == change.iou);
  EXPECT_FALSE(std::isnan(again.iou.Quantile(0.5)));
  EXPECT_EQ(again.removed, change.removed);
  EXPECT_EQ(again.inserted, change.inserted);
  EXPECT_EQ(again.dropped_through, 2U);
}

TEST(CellRowsTest, WhatWasCutIsTold) {
  const std::string group = Encode(MakeGroup());
  EXPECT_FALSE(ParseGroup(std::string_view(group).substr(0, group.size() - 1)));
  EXPECT_FALSE(ParseGroup(""));
  EXPECT_FALSE(ParseKnown(""));
  EXPECT_FALSE(ParseCell("\x02garbage", 10));
  std::string row;
  AppendAddition(row, kStart, MakeChange());
  EXPECT_FALSE(ParseAdditions(std::string_view(row).substr(0, row.size() - 3)));
}

}  // namespace
}  // namespace detwatch::cells
