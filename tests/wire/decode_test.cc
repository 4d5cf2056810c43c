#include "lib/wire/decode.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "lib/wire/encode.h"
#include "tests/wire/wire_support.h"

namespace detwatch::wire {
namespace {

TEST(DecodeTest, HeaderFieldsAreAsSent) {
  pb::Header sent = GoodHeader();
  sent.set_store_id("store-1");
  const Decoder decoder{WireLimits{}};
  const auto header = decoder.DecodeHeader(sent.SerializeAsString());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->publisher, "detector-1");
  EXPECT_EQ(header->epoch, 1'700'000'000'000'000'001U);
  EXPECT_EQ(header->sequence, 7U);
  EXPECT_EQ(header->oldest_held, 3U);
  EXPECT_EQ(header->store_id, "store-1");
}

TEST(DecodeTest, PredictionsAreAsSent) {
  const auto p = std::get<Predictions>(DecodeGood(GoodPredictions().SerializeAsString()));
  EXPECT_EQ(p.frame, (FrameKey{"cam", "f1"}));
  EXPECT_EQ(p.model, (ModelKey{"yolo", "8"}));
  EXPECT_EQ(ToUnixNanos(p.capture_time), 1'700'000'000'000'000'000);
  EXPECT_EQ(static_cast<std::uint64_t>(p.class_list), 0x1234567890abcdefULL);
  EXPECT_EQ(p.boxes, (std::vector<Box>{{10, 20, 30, 40}, {1.5, 2.5, 3.5, 4.5}}));
  EXPECT_EQ(p.scores, (std::vector<float>{0.25F, 0.75F}));
  EXPECT_EQ(p.class_ids, (std::vector<std::uint32_t>{1, 90}));
  EXPECT_FLOAT_EQ(static_cast<float>(p.inference_seconds), 0.0125F);
  EXPECT_NE(p.content_hash, 0U);
}

// One slip would bend the sum of all inference times for ever.
TEST(DecodeTest, AnInferenceTimeBeyondAllReasonCountsAsTheLongest) {
  pb::Payload sent = GoodPredictions();
  sent.mutable_predictions()->set_inference_seconds(3e38F);
  EXPECT_EQ(std::get<Predictions>(DecodeGood(sent.SerializeAsString())).inference_seconds, 1e9);
}

// Labels that could not be decoded were once in no field of their publisher's tally.
TEST(DecodeTest, ARejectSaysWhetherItWasOfLabels) {
  const auto carried = [](const std::string& bytes, const WireLimits& limits = {}) {
    Decoder decoder{limits};
    std::vector<Item> items;
    decoder.DecodePayload(bytes, items);
    EXPECT_FALSE(items.front().has_value());
    return !items.front().has_value() && items.front().error().carried_labels;
  };
  pb::Payload labels = GoodLabels();
  labels.mutable_labels()->mutable_class_ids()->Clear();
  pb::Payload predictions = GoodPredictions();
  predictions.mutable_predictions()->mutable_class_ids()->Clear();
  pb::Payload both;
  *both.mutable_frame()->mutable_predictions() = predictions.predictions();
  const std::string half = both.SerializeAsString();
  *both.mutable_frame()->mutable_labels() = GoodLabels().labels();
  EXPECT_TRUE(carried(labels.SerializeAsString()));
  EXPECT_TRUE(carried(both.SerializeAsString()));
  EXPECT_FALSE(carried(half)) << "predictions whose labels are missing";
  EXPECT_FALSE(carried(predictions.SerializeAsString()));
  EXPECT_FALSE(carried(""));

  const std::string good = GoodLabels().SerializeAsString();
  EXPECT_TRUE(carried(good.substr(0, good.size() / 2))) << "cut short";
  EXPECT_TRUE(carried(good, {.message_bytes = good.size() - 1})) << "oversized";
  const std::string other = GoodPredictions().SerializeAsString();
  EXPECT_FALSE(carried(other.substr(0, other.size() / 2)));
  EXPECT_FALSE(carried(other, {.message_bytes = other.size() - 1}));

  pb::Payload batch;
  *batch.mutable_batch()->add_items() = labels;
  EXPECT_TRUE(carried(batch.SerializeAsString()));
  const auto field = [](char tag, const std::string& body) {
    std::string out(1, tag);
    for (std::size_t n = body.size(); n > 0; n >>= 7U) {
      out += static_cast<char>((n & 0x7FU) | (n > 0x7FU ? 0x80U : 0U));
    }
    return out + body;
  };
  const std::string cut = field('\x22', field('\x0a', good.substr(0, good.size() - 1)));
  EXPECT_TRUE(carried(cut)) << "an item that is cut short";
}

TEST(DecodeTest, LabelsAreAsSent) {
  pb::Payload sent = GoodLabels();
  pb::Labels& l = *sent.mutable_labels();
  l.add_double_areas(0.1);
  l.add_double_areas(7);
  l.add_crowd(false);
  l.add_crowd(true);
  l.add_difficult(true);
  l.add_difficult(false);
  l.set_partial(true);
  for (const std::uint32_t id : {90U, 1U, 90U, 3U}) {
    l.add_examined_class_ids(id);
  }
  l.set_final(true);
  const auto labels = std::get<Labels>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(labels.frame, (FrameKey{"cam", "f1"}));
  EXPECT_EQ(labels.boxes, (std::vector<Box>{{10, 20, 30, 40}, {1.5, 2.5, 3.5, 4.5}}));
  EXPECT_EQ(labels.areas, (std::vector<double>{0.1, 7}));
  EXPECT_EQ(labels.class_ids, (std::vector<std::uint32_t>{1, 90}));
  EXPECT_EQ(labels.crowd, (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(labels.difficult, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_TRUE(labels.partial);
  EXPECT_EQ(labels.examined, (std::vector<std::uint32_t>{1, 3, 90})) << "ascending, each once";
  EXPECT_EQ(labels.source, LabelSource::kHuman);
  EXPECT_EQ(labels.sampling, Sampling::kRandom);
  EXPECT_EQ(labels.revision, 2U);
  EXPECT_TRUE(labels.final);
}

TEST(DecodeTest, AreasThatAreNotSentAreWidthTimesHeight) {
  const auto labels = std::get<Labels>(DecodeGood(GoodLabels().SerializeAsString()));
  EXPECT_EQ(labels.areas, (std::vector<double>{1200, 3.5 * 4.5}));
}

TEST(DecodeTest, FlagsThatAreAllFalseAreKeptAsNone) {
  pb::Payload sent = GoodLabels();
  sent.mutable_labels()->mutable_crowd()->Resize(2, false);
  const auto labels = std::get<Labels>(DecodeGood(sent.SerializeAsString()));
  EXPECT_TRUE(labels.crowd.empty());
  EXPECT_EQ(labels.content_hash, std::get<Labels>(DecodeGood(GoodLabels().SerializeAsString())).content_hash);
}

TEST(DecodeTest, NoBoxesIsAStatementAndNeedsNoFormat) {
  pb::Payload predictions = GoodPredictions();
  predictions.mutable_predictions()->clear_boxes();
  predictions.mutable_predictions()->clear_scores();
  predictions.mutable_predictions()->clear_class_ids();
  EXPECT_TRUE(std::get<Predictions>(DecodeGood(predictions.SerializeAsString())).boxes.empty());
  pb::Payload labels = GoodLabels();
  labels.mutable_labels()->clear_boxes();
  labels.mutable_labels()->clear_class_ids();
  labels.mutable_labels()->mutable_boxes()->set_unit(pb::BOX_UNIT_NORMALIZED);
  labels.mutable_labels()->mutable_frame()->clear_image_width();
  EXPECT_TRUE(std::get<Labels>(DecodeGood(labels.SerializeAsString())).boxes.empty());
}

TEST(DecodeTest, DoubleColumnsAreTakenToTheLastBit) {
  pb::Payload sent = GoodPredictions();
  pb::Boxes& boxes = *sent.mutable_predictions()->mutable_boxes();
  boxes.clear_float_values();
  for (const double v : {0.1, 0.2, 0.3, 0.4, 1.1, 1.2, 1.3, 1.4}) {
    boxes.add_double_values(v);
  }
  const auto p = std::get<Predictions>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(p.boxes, (std::vector<Box>{{0.1, 0.2, 0.3, 0.4}, {1.1, 1.2, 1.3, 1.4}}));
}

TEST(DecodeTest, NormalisedBoxesAreScaledByTheImageOfTheFrame) {
  pb::Payload sent = GoodPredictions();
  pb::Boxes& boxes = *sent.mutable_predictions()->mutable_boxes();
  boxes.set_format(pb::BOX_FORMAT_XYXY);
  boxes.set_unit(pb::BOX_UNIT_NORMALIZED);
  const std::vector<float> corners = {0.25F, 0.5F, 0.75F, 1.0F, 0, 0, 1, 1};
  *boxes.mutable_float_values() = {corners.begin(), corners.end()};
  const auto p = std::get<Predictions>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(p.boxes, (std::vector<Box>{{160, 240, 320, 240}, {0, 0, 640, 480}}));
}

TEST(DecodeTest, LabelsOfAFrameMessageTakeTheFrameOfThePredictions) {
  pb::Payload sent = GoodFrame();
  pb::Labels& labels = *sent.mutable_frame()->mutable_labels();
  labels.clear_frame();
  labels.mutable_boxes()->set_unit(pb::BOX_UNIT_NORMALIZED);
  const auto pair = std::get<FramePair>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(pair.labels.frame, (FrameKey{"cam", "f1"}));
  EXPECT_EQ(pair.labels.capture_time, pair.predictions.capture_time);
  EXPECT_EQ(pair.labels.boxes.front(), (Box{6400, 9600, 19200, 19200})) << "scaled by 640 x 480";
}

TEST(DecodeTest, WhatTheLabelsOfAFrameMessageSayOfTheFrameGoesFirst) {
  pb::Payload sent = GoodFrame();
  pb::FrameRef& ref = *sent.mutable_frame()->mutable_labels()->mutable_frame();
  ref.clear_stream();
  ref.clear_frame_id();
  ref.set_capture_time_ns(5);
  ref.set_image_width(10);
  ref.set_image_height(100);
  sent.mutable_frame()->mutable_labels()->mutable_boxes()->set_unit(pb::BOX_UNIT_NORMALIZED);
  const auto pair = std::get<FramePair>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(pair.labels.frame, pair.predictions.frame);
  EXPECT_EQ(ToUnixNanos(pair.labels.capture_time), 5);
  EXPECT_EQ(pair.labels.boxes.front(), (Box{100, 2000, 300, 4000}));
}

TEST(DecodeTest, ModelInfoTellsWhatWasAnnouncedFromWhatWasNot) {
  pb::Payload sent = GoodModelInfo();
  auto info = std::get<ModelInfo>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(info.score_threshold, -1);
  EXPECT_EQ(info.max_detections, -1);
  EXPECT_TRUE(info.labels_expected);
  EXPECT_EQ(info.tags, (Tags{{"site", "hall 3"}}));
  sent.mutable_model_info()->set_score_threshold(0);
  sent.mutable_model_info()->set_max_detections(0);
  sent.mutable_model_info()->set_labels(pb::LABEL_EXPECTATION_NEVER);
  info = std::get<ModelInfo>(DecodeGood(sent.SerializeAsString()));
  EXPECT_EQ(info.score_threshold, 0);
  EXPECT_EQ(info.max_detections, 0);
  EXPECT_FALSE(info.labels_expected);
}

TEST(DecodeTest, ClassListsComeInAnyOrderAndLeaveSorted) {
  pb::Payload sent;
  SetClasses({{90, "z"}, {2, "a"}, {7, "m"}}, *sent.mutable_class_list());
  const auto list = std::get<ClassList>(DecodeGood(sent.SerializeAsString()));
  using Entry = std::pair<std::uint32_t, std::string>;
  EXPECT_EQ(list.entries, (std::vector<Entry>{{2, "a"}, {7, "m"}, {90, "z"}}));
  EXPECT_EQ(list.hash, HashClassList(list.entries));
}

TEST(DecodeTest, ARejectedItemCostsNothingElse) {
  pb::Payload broken = GoodPredictions();
  broken.mutable_predictions()->set_scores(0, 2);
  pb::Payload not_utf8 = GoodPredictions();
  not_utf8.mutable_predictions()->set_model("\xff");
  pb::Payload nested;
  nested.mutable_batch();
  pb::Payload batch;
  for (const pb::Payload& item :
       {GoodPredictions(), broken, GoodLabels(), not_utf8, nested, pb::Payload{}, GoodFrame()}) {
    *batch.mutable_batch()->add_items() = item;
  }
  std::string bytes = batch.SerializeAsString();
  const std::vector<Item> items = DecodeAll(bytes);
  ASSERT_EQ(items.size(), 7U);
  EXPECT_TRUE(std::holds_alternative<Predictions>(items[0].value()));
  EXPECT_EQ(items[1].error().reason, RejectReason::kScoreOutOfRange);
  EXPECT_TRUE(std::holds_alternative<Labels>(items[2].value()));
  EXPECT_EQ(items[3].error().reason, RejectReason::kStringInvalid);
  EXPECT_EQ(items[4].error().reason, RejectReason::kNestedBatch);
  EXPECT_EQ(items[5].error().reason, RejectReason::kPayloadEmpty);
  EXPECT_TRUE(std::holds_alternative<FramePair>(items[6].value()));
}

TEST(DecodeTest, AnUnreadableItemIsRejectedAmongReadableOnes) {
  const std::string good = GoodPredictions().SerializeAsString();
  std::string bad = good;
  bad.back() = '\x7f';  // inference_seconds lies 4 bytes before the end; a length now runs past it
  bad[1] = '\x05';
  std::string inner;
  for (const std::string& item : {good, bad, good}) {
    inner += '\x0a';
    inner += static_cast<char>(item.size() % 128 + 128);
    inner += static_cast<char>(item.size() / 128);
    inner += item;
  }
  std::string bytes = "\x22";
  bytes += static_cast<char>(inner.size() % 128 + 128);
  bytes += static_cast<char>(inner.size() / 128);
  const std::vector<Item> items = DecodeAll(bytes + inner);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_TRUE(items[0].has_value());
  ASSERT_FALSE(items[1].has_value());
  EXPECT_EQ(items[1].error().reason, RejectReason::kPayloadUnreadable);
  EXPECT_TRUE(items[2].has_value());
}

TEST(DecodeTest, EveryTruncationIsOneRejectOrAShorterMessage) {
  const std::string whole = GoodFrame().SerializeAsString();
  Decoder decoder{WireLimits{}};
  std::vector<Item> items;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    decoder.DecodePayload(std::string_view(whole).substr(0, n), items);
    ASSERT_EQ(items.size(), 1U);
    ASSERT_FALSE(items.front()) << n;
    ASSERT_EQ(items.front().error().reason,
              n == 0 ? RejectReason::kPayloadEmpty : RejectReason::kPayloadUnreadable);
  }
}

TEST(DecodeTest, LimitsBeyondWhatMatchingCanNumberAreCut) {
  const Decoder decoder{WireLimits{.message_bytes = ~std::size_t{0}, .boxes_per_frame = 1'000'000}};
  EXPECT_EQ(decoder.limits().boxes_per_frame, 65535U);
  EXPECT_EQ(decoder.limits().message_bytes, 2147483647U);
}

TEST(DecodeTest, ADecoderIsReusedAfterAnyMessageAndOnAnotherThread) {
  Decoder decoder{WireLimits{}};
  std::vector<Item> items;
  pb::Payload large = GoodPredictions();
  pb::Predictions& p = *large.mutable_predictions();
  p.mutable_boxes()->mutable_float_values()->Resize(40000, 1);
  p.mutable_scores()->Resize(10000, 0.5F);
  p.mutable_class_ids()->Resize(10000, 1);
  decoder.DecodePayload(large.SerializeAsString(), items);
  ASSERT_TRUE(items.front());
  EXPECT_EQ(std::get<Predictions>(*items.front()).boxes.size(), 10000U);
  decoder.DecodePayload("\xff\xff", items);
  EXPECT_FALSE(items.front());
  std::thread([moved = std::move(decoder), &items]() mutable {
    moved.DecodePayload(GoodLabels().SerializeAsString(), items);
  }).join();
  EXPECT_TRUE(items.front());
}

}  // namespace
}  // namespace detwatch::wire
