#include "tests/bench/traffic_support.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lib/wire/encode.h"

namespace detwatch::bench {
namespace {

constexpr std::string_view kDigits = "000000000000";

Box AsFloats(const Box& box) {
  const auto round = [](double value) { return static_cast<double>(static_cast<float>(value)); };
  return {round(box.x), round(box.y), round(box.w), round(box.h)};
}

}  // namespace

ClassList Classes(std::uint32_t n) {
  ClassList list;
  for (std::uint32_t id = 0; id < n; ++id) {
    list.entries.emplace_back(id, "class " + std::to_string(id));
  }
  list.hash = HashClassList(list.entries);
  return list;
}

wire::FramePair MakePair(const Frame& frame, const ClassList& classes, std::size_t boxes, bool final) {
  wire::FramePair pair;
  Predictions& p = pair.predictions;
  p.frame = {"camera-7", "frame-" + std::string(kDigits)};
  p.model = {"yolo-v8-medium", "2024-11-03"};
  p.class_list = classes.hash;
  p.capture_time = FromUnixNanos(1'700'000'000'000'000'000);
  p.inference_seconds = 0.012;
  for (std::size_t i = 0; i < std::min(boxes, frame.scores.size()); ++i) {
    p.boxes.push_back(AsFloats(frame.detection_boxes[i]));
    p.scores.push_back(frame.scores[i]);
    p.class_ids.push_back(Index(frame.detection_classes[i]));
  }
  Labels& l = pair.labels;
  l.frame = p.frame;
  l.class_list = classes.hash;
  l.source = LabelSource::kHuman;
  l.final = final;
  for (std::size_t i = 0; i < std::min(boxes, frame.ground_truth_boxes.size()); ++i) {
    l.boxes.push_back(AsFloats(frame.ground_truth_boxes[i]));
    l.areas.push_back(l.boxes.back().Area());
    l.class_ids.push_back(Index(frame.ground_truth_classes[i]));
    l.crowd.push_back(frame.crowd[i]);
  }
  return pair;
}

Stamped::Stamped(const wire::Message& message) : bytes_(wire::EncodePayload(message)) {
  const std::string id = "frame-" + std::string(kDigits);
  for (std::size_t at = bytes_.find(id); at != std::string::npos; at = bytes_.find(id, at + 1)) {
    places_.push_back(at + id.size() - kDigits.size());
  }
  if (places_.empty()) {
    std::fputs("bench: a payload without its frame id\n", stderr);
    std::abort();
  }
}

const std::string& Stamped::At(std::uint64_t number) {
  for (const std::size_t place : places_) {
    std::uint64_t rest = number;
    for (std::size_t i = kDigits.size(); i-- > 0; rest /= 10) {
      bytes_[place + i] = static_cast<char>('0' + rest % 10);
    }
  }
  return bytes_;
}

Traffic::Traffic(const Load& load, std::size_t frames, std::size_t boxes, bool final) {
  const ClassList classes = Classes(load.classes);
  class_list = wire::EncodePayload(wire::Message(classes));
  for (std::size_t i = 0; i < std::min(frames, load.frames.size()); ++i) {
    const wire::FramePair pair = MakePair(load.frames[i], classes, boxes, final);
    predictions.emplace_back(wire::Message(pair.predictions));
    labels.emplace_back(wire::Message(pair.labels));
    pairs.emplace_back(wire::Message(pair));
  }
}

}  // namespace detwatch::bench
