// What released publishers send must be understood for ever, and what newer ones add must not disturb.
// tests/wire/golden holds the bytes; the texts beside them are for reading.

#include <detwatch/v1/detwatch.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "lib/wire/encode.h"
#include "tests/wire/wire_support.h"

namespace detwatch::wire {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Golden(const std::string& name) {
  return ReadFile(std::string(DETWATCH_TESTS_DIR) + "/wire/golden/" + name);
}

constexpr auto kGoldenList = static_cast<ClassListHash>(1311768467294899695ULL);

TEST(CompatibilityTest, GoldenHeaderDecodes) {
  const auto header = Decoder{WireLimits{}}.DecodeHeader(Golden("header.bin"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->publisher, "detector-1");
  EXPECT_EQ(header->epoch, 1700000000000000001U);
  EXPECT_EQ(header->sequence, 42U);
  EXPECT_EQ(header->oldest_held, 40U);
  EXPECT_EQ(header->store_id, "store-a");
}

TEST(CompatibilityTest, GoldenPredictionsDecode) {
  const auto p = std::get<Predictions>(DecodeGood(Golden("predictions.bin")));
  EXPECT_EQ(p.frame, (FrameKey{"cam", "f1"}));
  EXPECT_EQ(p.model, (ModelKey{"yolo", "8"}));
  EXPECT_EQ(ToUnixNanos(p.capture_time), 1700000000000000000);
  EXPECT_EQ(p.class_list, kGoldenList);
  EXPECT_EQ(p.boxes, (std::vector<Box>{{160, 240, 320, 240}, {0, 0, 320, 240}}));
  EXPECT_EQ(p.scores, (std::vector<float>{0.25F, 0.75F}));
  EXPECT_EQ(p.class_ids, (std::vector<std::uint32_t>{1, 90}));
  EXPECT_EQ(p.inference_seconds, 0.5);
}

TEST(CompatibilityTest, GoldenLabelsDecode) {
  const auto l = std::get<Labels>(DecodeGood(Golden("labels.bin")));
  EXPECT_EQ(l.frame, (FrameKey{"cam", "f1"}));
  EXPECT_EQ(l.class_list, kGoldenList);
  EXPECT_EQ(l.boxes, (std::vector<Box>{{10, 20, 30, 40}, {10, 10, 1, 1}}));
  EXPECT_EQ(l.areas, (std::vector<double>{0.1, 0.2}));
  EXPECT_EQ(l.class_ids, (std::vector<std::uint32_t>{1, 90}));
  EXPECT_EQ(l.crowd, (std::vector<std::uint8_t>{0, 1}));
  EXPECT_EQ(l.difficult, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_TRUE(l.partial);
  EXPECT_EQ(l.examined, (std::vector<std::uint32_t>{1, 3, 90}));
  EXPECT_EQ(l.source, LabelSource::kHuman);
  EXPECT_EQ(l.sampling, Sampling::kTriggered);
  EXPECT_EQ(l.revision, 3U);
  EXPECT_TRUE(l.final);
}

TEST(CompatibilityTest, GoldenFrameDecodes) {
  const auto pair = std::get<FramePair>(DecodeGood(Golden("frame.bin")));
  EXPECT_EQ(pair.predictions.frame, (FrameKey{"", "f2"}));
  EXPECT_EQ(pair.predictions.boxes, (std::vector<Box>{{10, 20, 30, 40}}));
  EXPECT_EQ(pair.labels.frame, pair.predictions.frame);
  EXPECT_EQ(pair.labels.boxes, (std::vector<Box>{{11, 20, 30, 40}}));
  EXPECT_EQ(pair.labels.areas, (std::vector<double>{900}));
  EXPECT_EQ(pair.labels.source, LabelSource::kSimulator);
  EXPECT_EQ(pair.labels.sampling, Sampling::kRandom);
}

TEST(CompatibilityTest, GoldenBatchDecodes) {
  const std::vector<Item> items = DecodeAll(Golden("batch.bin"));
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(std::get<Tombstone>(items[0].value()).reason, "first");
  EXPECT_EQ(std::get<Labels>(items[1].value()).source, LabelSource::kAuto);
  EXPECT_EQ(std::get<Tombstone>(items[2].value()).frames, 3U);
}

TEST(CompatibilityTest, GoldenWordsAboutModelsStreamsAndClassesDecode) {
  const auto info = std::get<ModelInfo>(DecodeGood(Golden("model_info.bin")));
  EXPECT_EQ(info.model, (ModelKey{"yolo", "8"}));
  EXPECT_EQ(info.class_list, kGoldenList);
  EXPECT_EQ(info.tags, (Tags{{"site", "hall 3"}, {"gpu", "orin"}}));
  EXPECT_EQ(info.score_threshold, 0.25F);
  EXPECT_EQ(info.max_detections, 300);
  EXPECT_FALSE(info.labels_expected);
  const auto stream = std::get<StreamInfo>(DecodeGood(Golden("stream_info.bin")));
  EXPECT_EQ(stream.stream, "cam");
  EXPECT_EQ(stream.tags, (Tags{{"line", "A"}}));
  const auto list = std::get<ClassList>(DecodeGood(Golden("class_list.bin")));
  using Entry = std::pair<std::uint32_t, std::string>;
  EXPECT_EQ(list.entries, (std::vector<Entry>{{1, "person"}, {3, "car"}, {90, "toothbrush"}}));
  const auto tombstone = std::get<Tombstone>(DecodeGood(Golden("tombstone.bin")));
  EXPECT_EQ(tombstone.reason, "oversized");
  EXPECT_EQ(tombstone.frames, 12U);
}

TEST(CompatibilityTest, GoldenReplyDecodes) {
  const auto reply = DecodeReply(Golden("reply.bin"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->publisher, "detector-1");
  EXPECT_EQ(reply->acknowledgement.store_id, "store-a");
  EXPECT_EQ(reply->acknowledgement.boot_id, "boot-b");
  EXPECT_EQ(reply->acknowledgement.received, 41U);
  EXPECT_EQ(reply->acknowledgement.durable, 39U);
  EXPECT_EQ(reply->acknowledgement.credit_bytes, 1048576U);
  EXPECT_EQ(reply->acknowledgement.expected, 42U);
  EXPECT_EQ(reply->limits.boxes_per_frame, 10000U);
  ASSERT_EQ(reply->rejected.size(), 1U);
  EXPECT_EQ(reply->rejected[0].item, 2U);
  EXPECT_TRUE(reply->stale_epoch);
}

TEST(CompatibilityTest, GoldenTextsSayWhatTheBytesSay) {
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(DETWATCH_TESTS_DIR) + "/wire/golden")) {
    if (entry.path().extension() != ".txtpb") {
      continue;
    }
    SCOPED_TRACE(entry.path().stem().string());
    const std::string stem = entry.path().stem().string();
    const auto compare = [&](auto from_text, auto from_bytes) {
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(Golden(stem + ".txtpb"), &from_text));
      ASSERT_TRUE(from_bytes.ParseFromString(Golden(stem + ".bin")));
      EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(from_text, from_bytes));
    };
    if (stem == "header") {
      compare(v1::Header{}, v1::Header{});
    } else if (stem == "reply") {
      compare(v1::Reply{}, v1::Reply{});
    } else {
      compare(v1::Payload{}, v1::Payload{});
    }
    ++seen;
  }
  EXPECT_EQ(seen, 10U);
}

// Fields no version of ours has: a varint, a fixed64, a string and a group, numbered from 1000.
std::string UnknownFields() {
  const std::string varint = "\xc0\x3e\x05";
  const std::string fixed64 = std::string("\xc9\x3e") + "12345678";
  const std::string text = std::string("\xd2\x3e\x03") + "new";
  const std::string group = "\xdb\x3e\xc0\x3e\x01\xdc\x3e";
  return varint + fixed64 + text + group;
}

TEST(CompatibilityTest, UnknownFieldsAreIgnoredAtEveryLevel) {
  const Decoder decoder{WireLimits{}};
  EXPECT_TRUE(decoder.DecodeHeader(UnknownFields() + Golden("header.bin") + UnknownFields()));
  pb::Payload payload = GoodPredictions();
  ASSERT_TRUE(payload.mutable_predictions()->MergeFromString(UnknownFields()));
  ASSERT_TRUE(payload.mutable_predictions()->mutable_boxes()->MergeFromString(UnknownFields()));
  ASSERT_TRUE(payload.mutable_predictions()->mutable_frame()->MergeFromString(UnknownFields()));
  const Message decoded = DecodeGood(UnknownFields() + payload.SerializeAsString() + UnknownFields());
  const auto plain = std::get<Predictions>(DecodeGood(GoodPredictions().SerializeAsString()));
  EXPECT_EQ(std::get<Predictions>(decoded).content_hash, plain.content_hash);
  EXPECT_TRUE(DecodeReply(Golden("reply.bin") + UnknownFields()));
}

TEST(CompatibilityTest, AKindFromTheFutureIsEmptyHereAndCostsNothingElse) {
  // Field 100 of Payload, then two good items around it.
  pb::Payload batch;
  *batch.mutable_batch()->add_items() = GoodPredictions();
  ASSERT_TRUE(batch.mutable_batch()->add_items()->MergeFromString("\xa2\x06\x01x"));
  *batch.mutable_batch()->add_items() = GoodLabels();
  const std::vector<Item> items = DecodeAll(batch.SerializeAsString());
  ASSERT_EQ(items.size(), 3U);
  EXPECT_TRUE(items[0]);
  EXPECT_EQ(items[1].error().reason, RejectReason::kPayloadEmpty);
  EXPECT_TRUE(items[2]);
}

TEST(CompatibilityTest, UnknownWordsAboutLabelsAreUnknownNotWrong) {
  pb::Payload payload = GoodLabels();
  payload.mutable_labels()->set_source(static_cast<pb::LabelSource>(77));
  payload.mutable_labels()->set_sampling(static_cast<pb::Sampling>(77));
  const auto labels = std::get<Labels>(DecodeGood(payload.SerializeAsString()));
  EXPECT_EQ(labels.source, LabelSource::kUnknown);
  EXPECT_EQ(labels.sampling, Sampling::kUnknown);
}

TEST(CompatibilityTest, UnpackedColumnsAreTaken) {
  // One tag a value, as proto2 libraries write it.
  std::string inner =
      "\x0a\x04\x12\x02"
      "f1\x12\x01m";
  for (const char id : {'\x05', '\x06'}) {
    inner += '\x38';
    inner += id;
  }
  const std::string boxes = "\x08\x01";
  inner += "\x2a\x02" + boxes;
  std::string payload = "\x0a";
  payload += static_cast<char>(inner.size());
  payload += inner;
  EXPECT_EQ(DecodeBad(payload).detail, "class_ids: 2 values, need 0");
}

TEST(CompatibilityTest, TheReadmeTellsEveryReasonAndTheWorkedHash) {
  const std::string readme = ReadFile(std::string(DETWATCH_SOURCE_DIR) + "/proto/README.md");
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    const std::string row = "| `" + std::string(Name(static_cast<RejectReason>(i))) + "` |";
    EXPECT_NE(readme.find(row), std::string::npos) << row;
  }
  const ClassListHash hash = HashClassList({{1, "person"}, {3, "car"}, {90, "toothbrush"}});
  EXPECT_NE(readme.find(std::to_string(static_cast<std::uint64_t>(hash))), std::string::npos);
}

}  // namespace
}  // namespace detwatch::wire
