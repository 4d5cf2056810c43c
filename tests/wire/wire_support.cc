#include "tests/wire/wire_support.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace detwatch::wire {
namespace {

void NameFrame(pb::FrameRef& ref) {
  ref.set_stream("cam");
  ref.set_frame_id("f1");
  ref.set_capture_time_ns(1'700'000'000'000'000'000);
  ref.set_image_width(640);
  ref.set_image_height(480);
}

void AddBoxes(pb::Boxes& boxes) {
  boxes.set_format(pb::BOX_FORMAT_XYWH);
  for (const float v : {10.0F, 20.0F, 30.0F, 40.0F, 1.5F, 2.5F, 3.5F, 4.5F}) {
    boxes.add_float_values(v);
  }
}

}  // namespace

pb::Header GoodHeader() {
  pb::Header header;
  header.set_publisher("detector-1");
  header.set_epoch(1'700'000'000'000'000'001);
  header.set_sequence(7);
  header.set_oldest_held(3);
  return header;
}

pb::Payload GoodPredictions() {
  pb::Payload payload;
  pb::Predictions& p = *payload.mutable_predictions();
  NameFrame(*p.mutable_frame());
  p.set_model("yolo");
  p.set_version("8");
  p.set_class_list_hash(0x1234567890abcdefULL);
  AddBoxes(*p.mutable_boxes());
  p.add_scores(0.25F);
  p.add_scores(0.75F);
  p.add_class_ids(1);
  p.add_class_ids(90);
  p.set_inference_seconds(0.0125F);
  return payload;
}

pb::Payload GoodLabels() {
  pb::Payload payload;
  pb::Labels& l = *payload.mutable_labels();
  NameFrame(*l.mutable_frame());
  l.set_class_list_hash(0x1234567890abcdefULL);
  AddBoxes(*l.mutable_boxes());
  l.add_class_ids(1);
  l.add_class_ids(90);
  l.set_source(pb::LABEL_SOURCE_HUMAN);
  l.set_sampling(pb::SAMPLING_RANDOM);
  l.set_revision(2);
  return payload;
}

pb::Payload GoodFrame() {
  pb::Payload payload;
  *payload.mutable_frame()->mutable_predictions() = GoodPredictions().predictions();
  *payload.mutable_frame()->mutable_labels() = GoodLabels().labels();
  return payload;
}

pb::Payload GoodModelInfo() {
  pb::Payload payload;
  pb::ModelInfo& info = *payload.mutable_model_info();
  info.set_model("yolo");
  info.set_version("8");
  pb::Tag& tag = *info.add_tags();
  tag.set_key("site");
  tag.set_value("hall 3");
  return payload;
}

pb::Payload GoodClassList() {
  pb::Payload payload;
  SetClasses({{1, "person"}, {3, "car"}, {90, "toothbrush"}}, *payload.mutable_class_list());
  return payload;
}

void SetClasses(const std::vector<std::pair<std::uint32_t, std::string>>& entries, pb::ClassList& list) {
  list.clear_entries();
  for (const auto& [id, name] : entries) {
    pb::ClassEntry& entry = *list.add_entries();
    entry.set_id(id);
    entry.set_name(name);
  }
  auto sorted = entries;
  std::sort(sorted.begin(), sorted.end());
  list.set_hash(static_cast<std::uint64_t>(HashClassList(sorted)));
}

std::vector<Item> DecodeAll(const std::string& payload, WireLimits limits) {
  Decoder decoder(limits);
  std::vector<Item> items;
  decoder.DecodePayload(payload, items);
  EXPECT_FALSE(items.empty());
  return items;
}

Message DecodeGood(const std::string& payload) {
  std::vector<Item> items = DecodeAll(payload);
  EXPECT_EQ(items.size(), 1U);
  EXPECT_TRUE(items.front().has_value()) << items.front().error().detail;
  return items.front().has_value() ? *items.front() : Message{};
}

Reject DecodeBad(const std::string& payload, WireLimits limits) {
  const std::vector<Item> items = DecodeAll(payload, limits);
  EXPECT_EQ(items.size(), 1U);
  EXPECT_FALSE(items.front().has_value());
  return items.front().has_value() ? Reject{RejectReason::kCount, "accepted"} : items.front().error();
}

}  // namespace detwatch::wire
