// A half that waits is frozen.
#include "lib/settle/held.h"

#include <gtest/gtest.h>

#include "lib/wire/decode.h"
#include "tests/core/golden_support.h"

namespace detwatch::settle {
namespace {

TEST(HeldTest, EveryHeldHalfIsFrozen) {
  Predictions predictions;
  predictions.frame = {"gate", "17"};
  predictions.model = {"yolo", "2"};
  predictions.class_list = static_cast<ClassListHash>(99);
  predictions.boxes = {{1, 2, 3, 4}};
  predictions.scores = {0.5F};
  predictions.class_ids = {7};
  const std::string bytes = test::Golden(
      "settle/golden/held_v1.bin", EncodeHeld(300, {cells::GroupId{1}, cells::GroupId{200}}, predictions));
  const HeldFrame held = DecodeHeld(bytes);
  EXPECT_EQ(held.ordinal, 300U);
  EXPECT_EQ(held.groups, (std::vector<cells::GroupId>{cells::GroupId{1}, cells::GroupId{200}}));
  wire::Decoder decoder{wire::WireLimits{}};
  std::vector<wire::Item> items;
  decoder.DecodePayload(held.payload, items);
  ASSERT_TRUE(items.at(0));
  EXPECT_EQ(std::get<Predictions>(*items[0]).frame, predictions.frame);
}

TEST(HeldTest, WhatIsNotOursIsTold) {
  EXPECT_THROW((void)DecodeHeld(""), std::runtime_error);
  EXPECT_THROW((void)DecodeHeld("\x09"), std::runtime_error);
}

}  // namespace
}  // namespace detwatch::settle
