// Rows of the store: frozen, read as they were written, and told from damage.
#include "lib/pipeline/rows.h"

#include <gtest/gtest.h>

#include "tests/core/golden_support.h"

namespace detwatch::pipeline {
namespace {

const TimePoint kAt = FromUnixNanos(1'700'000'000'123'456'789);

HeadRow Head() {
  return {7, kAt, 1234567, 3, 4, 90, 2, 5, 6};
}

ModelRow Model() {
  ModelRow row;
  row.values.key = {"yolo", "2"};
  row.values.score_threshold = 0.25F;
  row.values.max_detections = 300;
  row.values.last_frame = kAt;
  row.values.frames = 10;
  row.values.judged = 8;
  row.values.expired = 1;
  row.tags = {{"site", "gate"}, {"line", ""}};
  row.labels_expected = false;
  row.class_list = static_cast<ClassListHash>(0x0123456789abcdef);
  return row;
}

PublisherRow Publisher() {
  return {{"camera", Transport::kReliable, 11, 12}, kAt, 11, {1, 2, 3, 4, 5, 6}};
}

ParkedRow Parked() {
  return {{Transport::kReliable, "camera", 11, 13, 2}, kAt, "payload"};
}

TEST(RowsTest, EveryRowIsFrozen) {
  EXPECT_TRUE(ParseHead(test::Golden("pipeline/golden/head_v1.bin", Encode(Head()))));
  EXPECT_TRUE(ParseModel(test::Golden("pipeline/golden/model_v1.bin", Encode(Model()))));
  EXPECT_TRUE(ParsePublisher(keys::Publisher(Transport::kReliable, "camera"),
                             test::Golden("pipeline/golden/publisher_v1.bin", Encode(Publisher()))));
  EXPECT_TRUE(ParseParked(test::Golden("pipeline/golden/parked_v1.bin", Encode(Parked()))));
  EXPECT_TRUE(ParseStream(test::Golden("pipeline/golden/stream_v1.bin", EncodeStream({{"site", "gate"}}))));
  EXPECT_TRUE(ParseClassName(test::Golden("pipeline/golden/class_name_v1.bin", EncodeClassName("person"))));
  EXPECT_TRUE(ParseClassList(test::Golden("pipeline/golden/class_list_v1.bin",
                                          EncodeClassList({{3, ClassId{0}}, {900, ClassId{1}}}))));
  EXPECT_TRUE(ParseClassSet(
      test::Golden("pipeline/golden/class_set_v1.bin", EncodeClassSet({ClassId{0}, ClassId{300}}))));
  EXPECT_TRUE(ParseSeen(test::Golden("pipeline/golden/seen_v1.bin", EncodeSeen(std::string(24, 's')))));
}

TEST(RowsTest, ReadingWhatWasWrittenGivesTheSame) {
  EXPECT_EQ(Encode(*ParseHead(Encode(Head()))), Encode(Head()));
  EXPECT_EQ(ParseHead(Encode(Head()))->taken, kAt);
  const auto model = ParseModel(Encode(Model()));
  EXPECT_EQ(Encode(*model), Encode(Model()));
  EXPECT_EQ(model->values.key, Model().values.key);
  EXPECT_EQ(model->class_list, Model().class_list);
  const auto publisher =
      ParsePublisher(keys::Publisher(Transport::kSubscribe, "camera"), Encode(Publisher()));
  EXPECT_EQ(publisher->mark.publisher, "camera");
  EXPECT_EQ(publisher->mark.transport, Transport::kSubscribe);
  EXPECT_EQ(publisher->labels, Publisher().labels);
  const auto parked = ParseParked(Encode(Parked()));
  EXPECT_EQ(parked->payload, "payload");
  EXPECT_EQ(parked->sender.item, 2U);
  EXPECT_EQ(*ParseClassName(EncodeClassName("")), "");
}

TEST(RowsTest, WhatWasCutOrIsOfAnotherVersionIsTold) {
  const auto check = [](const std::string& row, const auto& parses) {
    std::string other = row;
    other[0] = 9;
    EXPECT_FALSE(parses(other));
    EXPECT_FALSE(parses(std::string_view(row).substr(0, row.size() - 1)));
    EXPECT_FALSE(parses(""));
  };
  check(Encode(Head()), [](std::string_view row) { return ParseHead(row).has_value(); });
  check(Encode(Model()), [](std::string_view row) { return ParseModel(row).has_value(); });
  check(Encode(Publisher()), [](std::string_view row) {
    return ParsePublisher(keys::Publisher(Transport::kReliable, "camera"), row).has_value();
  });
  check(Encode(Parked()), [](std::string_view row) { return ParseParked(row).has_value(); });
  check(EncodeStream({{"a", "b"}}), [](std::string_view row) { return ParseStream(row).has_value(); });
  check(EncodeSeen(std::string(24, 's')), [](std::string_view row) { return ParseSeen(row).has_value(); });
  check(EncodeClassList({{3, ClassId{200}}}),
        [](std::string_view row) { return ParseClassList(row).has_value(); });
}

}  // namespace
}  // namespace detwatch::pipeline
