// Every RejectReason that this room gives, with messages that bring it about.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "lib/wire/encode.h"
#include "tests/wire/wire_support.h"

namespace detwatch::wire {
namespace {

using R = RejectReason;

struct Example {
  R reason;
  std::string field;  // the detail names it
  std::string payload;
};

constexpr WireLimits kSmall = {
    .message_bytes = 600, .boxes_per_frame = 3, .classes_per_list = 3, .batch_items = 4, .tags = 2};

std::string P(const std::function<void(pb::Predictions&)>& spoil) {
  pb::Payload payload = GoodPredictions();
  spoil(*payload.mutable_predictions());
  return payload.SerializeAsString();
}

std::string L(const std::function<void(pb::Labels&)>& spoil) {
  pb::Payload payload = GoodLabels();
  spoil(*payload.mutable_labels());
  return payload.SerializeAsString();
}

std::string F(const std::function<void(pb::Frame&)>& spoil) {
  pb::Payload payload = GoodFrame();
  spoil(*payload.mutable_frame());
  return payload.SerializeAsString();
}

std::string M(const std::function<void(pb::ModelInfo&)>& spoil) {
  pb::Payload payload = GoodModelInfo();
  spoil(*payload.mutable_model_info());
  return payload.SerializeAsString();
}

std::string Tagged(const std::string& key, const std::string& value = "v") {
  return M([&](pb::ModelInfo& m) {
    m.mutable_tags(0)->set_key(key);
    m.mutable_tags(0)->set_value(value);
  });
}

std::string C(const std::vector<std::pair<std::uint32_t, std::string>>& entries) {
  pb::Payload payload;
  SetClasses(entries, *payload.mutable_class_list());
  return payload.SerializeAsString();
}

std::string S(const std::string& stream, int tags) {
  pb::Payload payload;
  payload.mutable_stream_info()->set_stream(stream);
  for (int i = 0; i < tags; ++i) {
    payload.mutable_stream_info()->add_tags()->set_key("k" + std::to_string(i));
  }
  return payload.SerializeAsString();
}

std::string Tomb(const std::string& reason, std::uint64_t frames) {
  pb::Payload payload;
  payload.mutable_tombstone()->set_reason(reason);
  payload.mutable_tombstone()->set_frames(frames);
  return payload.SerializeAsString();
}

std::string Batch(std::size_t items, const pb::Payload& item) {
  pb::Payload payload;
  payload.mutable_batch();
  for (std::size_t i = 0; i < items; ++i) {
    *payload.mutable_batch()->add_items() = item;
  }
  return payload.SerializeAsString();
}

std::vector<Example> ShapeExamples() {
  const std::string good = GoodPredictions().SerializeAsString();
  pb::Payload nested;
  nested.mutable_batch()->add_items();
  pb::Payload tombstone;
  tombstone.mutable_tombstone();
  const std::string long_name(129, 'n');
  return {
      {R::kOversized, "payload bytes", std::string(kSmall.message_bytes + 1, '\0')},
      {R::kOversized, "batch.items", Batch(kSmall.batch_items + 1, tombstone)},
      {R::kPayloadUnreadable, "payload", good.substr(0, good.size() - 1)},
      {R::kPayloadUnreadable, "payload", "\xff\xff\xff\xff"},
      {R::kPayloadUnreadable, "predictions", std::string("\x0a\x02\x0a\x05", 4)},
      {R::kPayloadUnreadable, "payload", std::string(300, '\x0b')},  // groups in groups in groups
      {R::kPayloadUnreadable, "predictions", "\x0a\xac\x02" + std::string(300, '\x7b')},
      {R::kPayloadUnreadable, "batch", std::string("\x22\x01\x0a", 3)},
      {R::kPayloadUnreadable, "class_list.entries", std::string("\x3a\x01\x12", 3)},
      {R::kPayloadEmpty, "payload", ""},
      {R::kPayloadEmpty, "batch.items", Batch(0, nested)},
      {R::kPayloadEmpty, "frame.labels", F([](pb::Frame& f) { f.clear_labels(); })},
      {R::kPayloadEmpty, "frame.predictions", F([](pb::Frame& f) { f.clear_predictions(); })},
      {R::kNestedBatch, "batch.items", Batch(1, nested)},
      {R::kFrameMissing, "frame.frame_id", P([](pb::Predictions& p) { p.clear_frame(); })},
      {R::kFrameMissing, "frame.frame_id", L([](pb::Labels& l) { l.mutable_frame()->clear_frame_id(); })},
      {R::kFrameMismatch, "labels.frame.frame_id",
       F([](pb::Frame& f) { f.mutable_labels()->mutable_frame()->set_frame_id("f2"); })},
      {R::kFrameMismatch, "labels.frame",
       F([](pb::Frame& f) { f.mutable_labels()->mutable_frame()->set_stream("other"); })},
      {R::kStringInvalid, "frame.frame_id",
       P([](pb::Predictions& p) { p.mutable_frame()->set_frame_id("a\xff"); })},
      {R::kStringInvalid, "frame.stream",
       L([](pb::Labels& l) { l.mutable_frame()->set_stream("line\nbreak"); })},
      {R::kStringInvalid, "model", P([](pb::Predictions& p) { p.set_model("\xed\xa0\x80"); })},
      {R::kStringInvalid, "version", M([](pb::ModelInfo& m) { m.set_version("\xc0\xaf"); })},
      {R::kStringInvalid, "tags.site", Tagged("site", "\x01")},
      {R::kStringInvalid, "stream", S("\x7f", 0)},
      {R::kStringInvalid, "entries.name", C({{1, "per\tson"}})},
      {R::kStringInvalid, "reason", Tomb("\xfe", 1)},
      {R::kStringTooLong, "frame.frame_id",
       P([&](pb::Predictions& p) { p.mutable_frame()->set_frame_id(long_name); })},
      {R::kStringTooLong, "model", M([&](pb::ModelInfo& m) { m.set_model(long_name); })},
      {R::kStringTooLong, "version", P([&](pb::Predictions& p) { p.set_version(long_name); })},
      {R::kStringTooLong, "tags.site", Tagged("site", long_name)},
      {R::kStringTooLong, "entries.name", C({{1, long_name}})},
      {R::kModelMissing, "model", P([](pb::Predictions& p) { p.clear_model(); })},
      {R::kModelMissing, "model", M([](pb::ModelInfo& m) { m.clear_model(); })},
  };
}

std::vector<Example> NumberExamples() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  return {
      {R::kBoxFormatMissing, "boxes.format",
       P([](pb::Predictions& p) { p.mutable_boxes()->clear_format(); })},
      {R::kImageSizeMissing, "frame.image_width", P([](pb::Predictions& p) {
         p.mutable_boxes()->set_unit(pb::BOX_UNIT_NORMALIZED);
         p.mutable_frame()->clear_image_height();
       })},
      {R::kColumnLength, "boxes", P([](pb::Predictions& p) { p.mutable_boxes()->add_float_values(1); })},
      {R::kColumnLength, "boxes", P([](pb::Predictions& p) { p.mutable_boxes()->add_double_values(1); })},
      {R::kColumnLength, "scores", P([](pb::Predictions& p) { p.add_scores(0.5F); })},
      {R::kColumnLength, "class_ids", P([](pb::Predictions& p) { p.clear_class_ids(); })},
      {R::kColumnLength, "class_ids", L([](pb::Labels& l) { l.add_class_ids(1); })},
      {R::kColumnLength, "areas", L([](pb::Labels& l) { l.add_float_areas(1); })},
      {R::kColumnLength, "areas", L([](pb::Labels& l) {
         l.add_float_areas(1);
         l.add_double_areas(1);
       })},
      {R::kColumnLength, "crowd", L([](pb::Labels& l) { l.add_crowd(true); })},
      {R::kColumnLength, "difficult", L([](pb::Labels& l) { l.add_difficult(false); })},
      {R::kScoreOutOfRange, "scores[1]", P([](pb::Predictions& p) { p.set_scores(1, 1.5F); })},
      {R::kScoreOutOfRange, "scores[0]: nan", P([&](pb::Predictions& p) { p.set_scores(0, nan); })},
      {R::kBoxNotFinite, "boxes[1]",
       P([&](pb::Predictions& p) { p.mutable_boxes()->set_float_values(4, inf); })},
      {R::kBoxNotFinite, "boxes[0]",
       L([](pb::Labels& l) { l.mutable_boxes()->set_float_values(1, -1.1e9F); })},
      {R::kBoxNegativeSize, "boxes[0]: (10, 20, -1, 40)",
       P([](pb::Predictions& p) { p.mutable_boxes()->set_float_values(2, -1); })},
      {R::kBoxNegativeSize, "boxes[0]", P([](pb::Predictions& p) {
         p.mutable_boxes()->set_format(pb::BOX_FORMAT_XYXY);
         p.mutable_boxes()->set_float_values(2, 9);
       })},
      {R::kAreaInvalid, "areas[1]: -2", L([](pb::Labels& l) {
         l.add_float_areas(1);
         l.add_float_areas(-2);
       })},
      {R::kValueInvalid, "boxes.format",
       P([](pb::Predictions& p) { p.mutable_boxes()->set_format(static_cast<pb::BoxFormat>(9)); })},
      {R::kValueInvalid, "boxes.unit",
       P([](pb::Predictions& p) { p.mutable_boxes()->set_unit(static_cast<pb::BoxUnit>(9)); })},
      {R::kValueInvalid, "inference_seconds", P([&](pb::Predictions& p) { p.set_inference_seconds(inf); })},
      {R::kValueInvalid, "inference_seconds: -1", P([](pb::Predictions& p) { p.set_inference_seconds(-1); })},
      {R::kValueInvalid, "frame.capture_time_ns: -5",
       P([](pb::Predictions& p) { p.mutable_frame()->set_capture_time_ns(-5); })},
      {R::kValueInvalid, "labels.frame.capture_time_ns",
       F([](pb::Frame& f) { f.mutable_labels()->mutable_frame()->set_capture_time_ns(-5); })},
      {R::kValueInvalid, "examined_class_ids", L([](pb::Labels& l) { l.add_examined_class_ids(1); })},
      {R::kValueInvalid, "score_threshold", M([&](pb::ModelInfo& m) { m.set_score_threshold(nan); })},
      {R::kValueInvalid, "frames", Tomb("dropped", 1ULL << 32U)},
      {R::kTooManyBoxes, "boxes: 4", P([](pb::Predictions& p) {
         p.mutable_boxes()->mutable_float_values()->Resize(16, 1);
         p.mutable_scores()->Resize(4, 0);
         p.mutable_class_ids()->Resize(4, 1);
       })},
      {R::kTooManyBoxes, "boxes: 4",
       L([](pb::Labels& l) { l.mutable_boxes()->mutable_float_values()->Resize(16, 1); })},
      {R::kClassListInvalid, "entries: none", C({})},
      {R::kClassListInvalid, "entries: id 2", C({{2, "a"}, {1, "b"}, {2, "c"}})},
      {R::kClassListInvalid, "entries: name \"a\"", C({{2, "a"}, {1, "b"}, {3, "a"}})},
      {R::kClassListInvalid, "entries: id 5", C({{5, ""}})},
      {R::kClassListInvalid, "hash: 7",
       With<pb::Payload>(GoodClassList(), [](pb::Payload& p) { p.mutable_class_list()->set_hash(7); })
           .SerializeAsString()},
      {R::kTooManyClasses, "class_list.entries: 4", C({{1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}})},
      {R::kTooManyClasses, "examined_class_ids: 4", L([](pb::Labels& l) {
         l.set_partial(true);
         l.mutable_examined_class_ids()->Resize(4, 1);
       })},
      {R::kTagInvalid, "\"1st\"", Tagged("1st")},
      {R::kTagInvalid, "\"\"", Tagged("")},
      {R::kTagInvalid, "\"a-b\"", Tagged("a-b")},
      {R::kTagInvalid, "\"__x\"", Tagged("__x")},
      {R::kTagInvalid, "\"le\"", Tagged("le")},
      {R::kTagInvalid, "\"model\"", Tagged("model")},
      {R::kTagInvalid, "not a label name", Tagged(std::string(129, 'k'))},
      {R::kTagInvalid, "\"site\" is there twice", M([](pb::ModelInfo& m) { m.add_tags()->set_key("site"); })},
      {R::kTooManyTags, "model_info.tags: 3", M([](pb::ModelInfo& m) {
         m.add_tags();
         m.add_tags();
       })},
      {R::kTooManyTags, "stream_info.tags: 3", S("cam", 3)},
  };
}

struct HeaderExample {
  R reason;
  std::string field;
  std::string bytes;
};

std::vector<HeaderExample> HeaderExamples() {
  const auto with = [](const std::function<void(pb::Header&)>& spoil) {
    return With<pb::Header>(GoodHeader(), spoil).SerializeAsString();
  };
  return {
      {R::kOversized, "header bytes", std::string(5000, 'x')},
      {R::kHeaderUnreadable, "header",
       "\x0a\x05"
       "abc"},
      {R::kHeaderInvalid, "publisher: empty", ""},
      {R::kHeaderInvalid, "publisher: empty", with([](pb::Header& h) { h.clear_publisher(); })},
      {R::kHeaderInvalid, "publisher", with([](pb::Header& h) { h.set_publisher("\xff"); })},
      {R::kHeaderInvalid, "publisher", with([](pb::Header& h) { h.set_publisher("a\nb"); })},
      {R::kHeaderInvalid, "publisher", with([](pb::Header& h) { h.set_publisher(std::string(129, 'p')); })},
      {R::kHeaderInvalid, "store_id", with([](pb::Header& h) { h.set_store_id("\xff"); })},
      {R::kHeaderInvalid, "epoch: 0", with([](pb::Header& h) { h.clear_epoch(); })},
      {R::kHeaderInvalid, "sequence", with([](pb::Header& h) { h.set_sequence(1ULL << 63U); })},
      {R::kHeaderInvalid, "oldest_held", with([](pb::Header& h) { h.set_oldest_held(1ULL << 63U); })},
  };
}

bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

TEST(ReasonsTest, EveryReasonHasAnExample) {
  std::set<R> seen;
  std::vector<Example> examples = ShapeExamples();
  const std::vector<Example> numbers = NumberExamples();
  examples.insert(examples.end(), numbers.begin(), numbers.end());
  for (const Example& example : examples) {
    SCOPED_TRACE(std::string(Name(example.reason)) + ", " + example.field);
    const Reject reject = DecodeBad(example.payload, kSmall);
    EXPECT_EQ(Name(reject.reason), Name(example.reason)) << reject.detail;
    EXPECT_NE(reject.detail.find(example.field), std::string::npos) << reject.detail;
    EXPECT_TRUE(IsPrintable(reject.detail) && reject.detail.size() < 300) << reject.detail;
    seen.insert(reject.reason);
  }
  const Decoder decoder{kSmall};
  for (const HeaderExample& example : HeaderExamples()) {
    SCOPED_TRACE(std::string(Name(example.reason)) + ", " + example.field);
    const auto header = decoder.DecodeHeader(example.bytes);
    ASSERT_FALSE(header);
    EXPECT_EQ(Name(header.error().reason), Name(example.reason)) << header.error().detail;
    EXPECT_NE(header.error().detail.find(example.field), std::string::npos) << header.error().detail;
    seen.insert(header.error().reason);
  }
  // What only the pipeline can know: other messages, other publishers, memory.
  const std::set<R> elsewhere = {R::kClassUnknown,   R::kClassListUnknown, R::kTooManyModels,
                                 R::kTooManyStreams, R::kTooManyGroups,    R::kTooManyPublishers,
                                 R::kConflict,       R::kStaleRevision,    R::kTooLate,
                                 R::kMemory,         R::kSequenceInvalid};
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    const auto reason = static_cast<R>(i);
    EXPECT_NE(seen.contains(reason), elsewhere.contains(reason)) << Name(reason);
  }
}

TEST(ReasonsTest, ADetailOfAFrameMessageSaysWhichHalf) {
  const Reject reject = DecodeBad(F([](pb::Frame& f) { f.mutable_labels()->mutable_class_ids()->Clear(); }));
  EXPECT_EQ(reject.detail.find("labels.class_ids"), 0U) << reject.detail;
}

}  // namespace
}  // namespace detwatch::wire
