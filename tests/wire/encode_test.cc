#include "lib/wire/encode.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lib/wire/content_hash.h"
#include "tests/wire/wire_support.h"

namespace detwatch::wire {
namespace {

// Random messages in order, with the values at which encodings break.
class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  [[nodiscard]] Predictions MakePredictions() {
    Predictions p;
    p.frame = {Text(), "f" + Text()};
    p.model = {"m" + Text(), Text()};
    p.capture_time = FromUnixNanos(static_cast<std::int64_t>(random_() >> 1U));
    p.class_list = static_cast<ClassListHash>(random_());
    p.inference_seconds = static_cast<double>(static_cast<float>(Below(1000)) / 64.0F);
    const std::size_t n = Below(20);
    p.boxes = Boxes(n);
    for (std::size_t i = 0; i < n; ++i) {
      p.scores.push_back(static_cast<float>(Below(257)) / 256.0F);
      p.class_ids.push_back(static_cast<std::uint32_t>(random_()));
    }
    return p;
  }

  [[nodiscard]] Labels MakeLabels() {
    Labels l;
    l.frame = {Text(), "f" + Text()};
    l.class_list = static_cast<ClassListHash>(random_());
    const std::size_t n = Below(20);
    l.boxes = Boxes(n);
    const bool own_areas = Flip();
    for (std::size_t i = 0; i < n; ++i) {
      l.areas.push_back(own_areas ? Value() : l.boxes[i].Area());
      l.class_ids.push_back(static_cast<std::uint32_t>(Below(100)));
    }
    if (n > 0 && Flip()) {
      l.crowd.assign(n, 0);
      l.crowd[Below(n)] = 1;
    }
    if (n > 0 && Flip()) {
      l.difficult.assign(n, 1);
    }
    l.partial = Flip();
    if (l.partial) {
      l.examined = {1, 5, 4'000'000'000U};
    }
    l.source = static_cast<LabelSource>(Below(4));
    l.sampling = static_cast<Sampling>(Below(3));
    l.revision = static_cast<std::uint32_t>(random_());
    l.final = Flip();
    return l;
  }

  [[nodiscard]] FramePair MakePair() {
    FramePair pair{MakePredictions(), MakeLabels()};
    pair.labels.frame = pair.predictions.frame;
    pair.labels.capture_time = pair.predictions.capture_time;
    return pair;
  }

  [[nodiscard]] bool Flip() { return Below(2) == 0; }

 private:
  [[nodiscard]] std::size_t Below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  [[nodiscard]] std::string Text() {
    const std::vector<std::string> texts = {"", "a", "camera/7 east", "\xC3\xBC", std::string(120, 'x')};
    return texts[Below(texts.size())];
  }
  [[nodiscard]] double Value() {
    const double values[] = {0, 1, 0.1, 1e9, 1.0 / 3, 16777217, 5e-324, 0.5, 123.25};
    return values[Below(9)];
  }
  [[nodiscard]] std::vector<Box> Boxes(std::size_t n) {
    const bool floats = Flip();
    std::vector<Box> boxes(n);
    for (Box& box : boxes) {
      box = {-Value(), Value(), Value(), Flip() ? Value() : -0.0};
      if (floats) {
        box = {0.5, -2, 3, 1e9};
      }
    }
    return boxes;
  }

  std::mt19937_64 random_;
};

void ExpectSame(const Predictions& a, const Predictions& b) {
  EXPECT_EQ(a.frame, b.frame);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.capture_time, b.capture_time);
  EXPECT_EQ(a.class_list, b.class_list);
  EXPECT_EQ(a.boxes, b.boxes);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.class_ids, b.class_ids);
  EXPECT_EQ(a.inference_seconds, b.inference_seconds);
  EXPECT_EQ(ContentHash(a), b.content_hash) << "to the last bit";
}

void ExpectSame(const Labels& a, const Labels& b) {
  EXPECT_EQ(a.frame, b.frame);
  EXPECT_EQ(a.capture_time, b.capture_time);
  EXPECT_EQ(a.class_list, b.class_list);
  EXPECT_EQ(a.boxes, b.boxes);
  EXPECT_EQ(a.areas, b.areas);
  EXPECT_EQ(a.class_ids, b.class_ids);
  EXPECT_EQ(a.crowd, b.crowd);
  EXPECT_EQ(a.difficult, b.difficult);
  EXPECT_EQ(a.partial, b.partial);
  EXPECT_EQ(a.examined, b.examined);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.sampling, b.sampling);
  EXPECT_EQ(a.revision, b.revision);
  EXPECT_EQ(a.final, b.final);
  EXPECT_EQ(ContentHash(a), b.content_hash) << "to the last bit";
}

TEST(EncodeTest, DecodeOfEncodeIsTheSame) {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Maker make(seed);
    const Predictions predictions = make.MakePredictions();
    ExpectSame(predictions, std::get<Predictions>(DecodeGood(EncodePayload(predictions))));
    const Labels labels = make.MakeLabels();
    ExpectSame(labels, std::get<Labels>(DecodeGood(EncodePayload(labels))));
    const FramePair pair = make.MakePair();
    const auto decoded = std::get<FramePair>(DecodeGood(EncodePayload(pair)));
    ExpectSame(pair.predictions, decoded.predictions);
    ExpectSame(pair.labels, decoded.labels);
  }
}

TEST(EncodeTest, WordsAboutModelsStreamsAndClassesAreTheSameAfterwards) {
  const ModelInfo info{{"yolo", "8"}, static_cast<ClassListHash>(5), {{"site", "a"}, {"gpu", ""}}, 0.05F, 300,
                       false};
  const auto model = std::get<ModelInfo>(DecodeGood(EncodePayload(info)));
  EXPECT_EQ(model.model, info.model);
  EXPECT_EQ(model.class_list, info.class_list);
  EXPECT_EQ(model.tags, info.tags);
  EXPECT_EQ(model.score_threshold, 0.05F);
  EXPECT_EQ(model.max_detections, 300);
  EXPECT_FALSE(model.labels_expected);
  const auto silent = std::get<ModelInfo>(DecodeGood(EncodePayload(ModelInfo{{"yolo", ""}, {}, {}})));
  EXPECT_EQ(silent.score_threshold, -1);
  EXPECT_EQ(silent.max_detections, -1);

  const auto stream = std::get<StreamInfo>(DecodeGood(EncodePayload(StreamInfo{"cam", {{"hall", "3"}}})));
  EXPECT_EQ(stream.stream, "cam");
  EXPECT_EQ(stream.tags, (Tags{{"hall", "3"}}));

  ClassList list{{}, {{1, "person"}, {3, "car"}}};
  list.hash = HashClassList(list.entries);
  EXPECT_EQ(std::get<ClassList>(DecodeGood(EncodePayload(list))).entries, list.entries);

  const auto tombstone = std::get<Tombstone>(DecodeGood(EncodePayload(Tombstone{"oversized", 12})));
  EXPECT_EQ(tombstone.reason, "oversized");
  EXPECT_EQ(tombstone.frames, 12U);
}

TEST(EncodeTest, ABatchKeepsItsOrder) {
  const std::vector<Item> items =
      DecodeAll(EncodeBatch({Tombstone{"a", 1}, StreamInfo{"cam", {}}, Tombstone{"b", 2}}));
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(std::get<Tombstone>(items[0].value()).reason, "a");
  EXPECT_EQ(std::get<StreamInfo>(items[1].value()).stream, "cam");
  EXPECT_EQ(std::get<Tombstone>(items[2].value()).reason, "b");
}

TEST(EncodeTest, HeadersAreTheSameAfterwards) {
  const Header header{"detector", 1'700'000'000'000'000'000U, 12, 3, "store"};
  const auto decoded = Decoder{WireLimits{}}.DecodeHeader(EncodeHeader(header));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->publisher, header.publisher);
  EXPECT_EQ(decoded->epoch, header.epoch);
  EXPECT_EQ(decoded->sequence, header.sequence);
  EXPECT_EQ(decoded->oldest_held, header.oldest_held);
  EXPECT_EQ(decoded->store_id, header.store_id);
}

pb::Labels Encoded(const Labels& labels) {
  pb::Payload payload;
  EXPECT_TRUE(payload.ParseFromString(EncodePayload(labels)));
  return payload.labels();
}

TEST(EncodeTest, EachColumnIsAsNarrowAsItsValuesAllow) {
  Labels labels;
  labels.frame = {"cam", "f"};
  labels.boxes = {{1, 2, 3, 4}, {0.5, 0.25, 2, 2}};
  labels.class_ids = {1, 1};
  labels.areas = {12, 4};
  EXPECT_EQ(Encoded(labels).boxes().float_values_size(), 8);
  EXPECT_EQ(Encoded(labels).float_areas_size(), 0) << "width x height is not sent";
  labels.areas = {12, 3.5};
  EXPECT_EQ(Encoded(labels).float_areas_size(), 2);
  EXPECT_EQ(Encoded(labels).double_areas_size(), 0);
  labels.areas = {12, 0.1};
  EXPECT_EQ(Encoded(labels).float_areas_size(), 0);
  EXPECT_EQ(Encoded(labels).double_areas_size(), 2);
  EXPECT_EQ(Encoded(labels).boxes().float_values_size(), 8) << "boxes are not widened for areas";
  labels.boxes[1].y = 0.1;
  EXPECT_EQ(Encoded(labels).boxes().float_values_size(), 0);
  EXPECT_EQ(Encoded(labels).boxes().double_values_size(), 8);
}

TEST(EncodeTest, AreasOfBoxesThatOnlyDoublesHoldAreStillDerived) {
  Labels labels;
  labels.frame = {"cam", "f"};
  labels.boxes = {{0.1, 0.2, 0.3, 0.7}};
  labels.areas = {labels.boxes.front().Area()};
  labels.class_ids = {1};
  EXPECT_EQ(Encoded(labels).double_areas_size() + Encoded(labels).float_areas_size(), 0);
}

TEST(EncodeTest, RepliesAreTheSameAfterwards) {
  Reply reply;
  reply.publisher = "detector";
  reply.epoch = 77;
  reply.acknowledgement = {"store", "boot", 10, 8, 1 << 20, 11};
  reply.limits = {1000, 100, 80, 70, 6};
  reply.told = {128,
                4096,
                500,
                40,
                41,
                42,
                43,
                44,
                45,
                46,
                47,
                48,
                std::chrono::seconds(3),
                std::chrono::hours(4),
                std::chrono::hours(5)};
  reply.rejected = {{9, 2, "score_out_of_range", "scores[0]: 2"}};
  reply.stale_epoch = true;
  const auto decoded = DecodeReply(EncodeReply(reply));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->publisher, "detector");
  EXPECT_EQ(decoded->epoch, 77U);
  EXPECT_EQ(decoded->acknowledgement.store_id, "store");
  EXPECT_EQ(decoded->acknowledgement.boot_id, "boot");
  EXPECT_EQ(decoded->acknowledgement.received, 10U);
  EXPECT_EQ(decoded->acknowledgement.durable, 8U);
  EXPECT_EQ(decoded->acknowledgement.credit_bytes, 1U << 20);
  EXPECT_EQ(decoded->acknowledgement.expected, 11U);
  EXPECT_EQ(decoded->limits.message_bytes, 1000U);
  EXPECT_EQ(decoded->limits.boxes_per_frame, 100U);
  EXPECT_EQ(decoded->limits.classes_per_list, 80U);
  EXPECT_EQ(decoded->limits.batch_items, 70U);
  EXPECT_EQ(decoded->limits.tags, 6U);
  EXPECT_EQ(decoded->told, reply.told);
  ASSERT_EQ(decoded->rejected.size(), 1U);
  EXPECT_EQ(decoded->rejected[0].sequence, 9U);
  EXPECT_EQ(decoded->rejected[0].item, 2U);
  EXPECT_EQ(decoded->rejected[0].reason, "score_out_of_range");
  EXPECT_EQ(decoded->rejected[0].detail, "scores[0]: 2");
  EXPECT_TRUE(decoded->stale_epoch);
}

// Were what an older daemon does not tell read as a limit of this version, a client would keep what nobody
// asks.
TEST(EncodeTest, LimitsThatAreNotToldAre0) {
  pb::Reply older;
  older.mutable_limits()->set_message_bytes(1000);
  for (const pb::Reply& told : {pb::Reply(), older}) {
    const auto decoded = DecodeReply(told.SerializeAsString());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->limits.message_bytes, told.limits().message_bytes());
    EXPECT_EQ(decoded->limits.boxes_per_frame, 0U);
    EXPECT_EQ(decoded->limits.classes_per_list, 0U);
    EXPECT_EQ(decoded->limits.batch_items, 0U);
    EXPECT_EQ(decoded->limits.tags, 0U);
    EXPECT_EQ(decoded->told, ToldLimits{});
  }
}

TEST(EncodeTest, AReplyThatIsNoneIsAnError) {
  const auto reply = DecodeReply("\x0a\x05");
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message.find("reply"), std::string::npos);
}

}  // namespace
}  // namespace detwatch::wire
