#include "lib/wire/encode.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "lib/wire/read.h"

namespace detwatch::wire {
namespace {

// Exactly, bit for bit: -0 stays -0.
bool FitsFloat(double value) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return value >= -kMost && value <= kMost && static_cast<double>(static_cast<float>(value)) == value;
}

void Write(const FrameKey& key, TimePoint capture_time, pb::FrameRef& to) {
  to.set_stream(key.stream);
  to.set_frame_id(key.frame_id);
  to.set_capture_time_ns(ToUnixNanos(capture_time));
}

void Write(const std::vector<Box>& boxes, pb::Boxes& to) {
  to.set_format(pb::BOX_FORMAT_XYWH);
  const int values = static_cast<int>(4 * boxes.size());
  const bool floats = std::all_of(boxes.begin(), boxes.end(), [](const Box& box) {
    return FitsFloat(box.x) && FitsFloat(box.y) && FitsFloat(box.w) && FitsFloat(box.h);
  });
  const auto add = [&](auto& column) {
    using T = std::remove_reference_t<decltype(column[0])>;
    column.Reserve(values);
    for (const Box& box : boxes) {
      column.AddAlreadyReserved(static_cast<T>(box.x));
      column.AddAlreadyReserved(static_cast<T>(box.y));
      column.AddAlreadyReserved(static_cast<T>(box.w));
      column.AddAlreadyReserved(static_cast<T>(box.h));
    }
  };
  floats ? add(*to.mutable_float_values()) : add(*to.mutable_double_values());
}

void WriteAreas(const Labels& from, pb::Labels& to) {
  bool derived = from.areas.size() == from.boxes.size();
  for (std::size_t i = 0; derived && i < from.boxes.size(); ++i) {
    derived =
        std::bit_cast<std::uint64_t>(from.boxes[i].Area()) == std::bit_cast<std::uint64_t>(from.areas[i]);
  }
  if (derived) {
    return;
  }
  if (std::all_of(from.areas.begin(), from.areas.end(), FitsFloat)) {
    for (const double area : from.areas) {
      to.add_float_areas(static_cast<float>(area));
    }
  } else {
    to.mutable_double_areas()->Add(from.areas.begin(), from.areas.end());
  }
}

pb::LabelSource SourceOf(LabelSource source) {
  switch (source) {
    case LabelSource::kHuman:
      return pb::LABEL_SOURCE_HUMAN;
    case LabelSource::kAuto:
      return pb::LABEL_SOURCE_AUTO;
    case LabelSource::kSimulator:
      return pb::LABEL_SOURCE_SIMULATOR;
    case LabelSource::kUnknown:
      break;
  }
  return pb::LABEL_SOURCE_UNKNOWN;
}

pb::Sampling SamplingOf(Sampling sampling) {
  switch (sampling) {
    case Sampling::kRandom:
      return pb::SAMPLING_RANDOM;
    case Sampling::kTriggered:
      return pb::SAMPLING_TRIGGERED;
    case Sampling::kUnknown:
      break;
  }
  return pb::SAMPLING_UNKNOWN;
}

void Write(const Predictions& from, pb::Predictions& to) {
  Write(from.frame, from.capture_time, *to.mutable_frame());
  to.set_model(from.model.model);
  to.set_version(from.model.version);
  to.set_class_list_hash(static_cast<std::uint64_t>(from.class_list));
  Write(from.boxes, *to.mutable_boxes());
  to.mutable_scores()->Add(from.scores.begin(), from.scores.end());
  to.mutable_class_ids()->Add(from.class_ids.begin(), from.class_ids.end());
  constexpr double kMost = std::numeric_limits<float>::max();
  to.set_inference_seconds(static_cast<float>(std::min(from.inference_seconds, kMost)));
}

void Write(const Labels& from, pb::Labels& to) {
  Write(from.frame, from.capture_time, *to.mutable_frame());
  to.set_class_list_hash(static_cast<std::uint64_t>(from.class_list));
  Write(from.boxes, *to.mutable_boxes());
  to.mutable_class_ids()->Add(from.class_ids.begin(), from.class_ids.end());
  WriteAreas(from, to);
  to.mutable_crowd()->Add(from.crowd.begin(), from.crowd.end());
  to.mutable_difficult()->Add(from.difficult.begin(), from.difficult.end());
  to.set_partial(from.partial);
  to.mutable_examined_class_ids()->Add(from.examined.begin(), from.examined.end());
  to.set_source(SourceOf(from.source));
  to.set_sampling(SamplingOf(from.sampling));
  to.set_revision(from.revision);
  to.set_final(from.final);
}

template <class To>
void Write(const Tags& tags, To& to) {
  for (const auto& [key, value] : tags) {
    pb::Tag& tag = *to.add_tags();
    tag.set_key(key);
    tag.set_value(value);
  }
}

struct Writer {
  pb::Payload& to;

  void operator()(const Predictions& from) const { Write(from, *to.mutable_predictions()); }
  void operator()(const Labels& from) const { Write(from, *to.mutable_labels()); }
  void operator()(const FramePair& from) const {
    Write(from.predictions, *to.mutable_frame()->mutable_predictions());
    Write(from.labels, *to.mutable_frame()->mutable_labels());
  }
  void operator()(const ModelInfo& from) const {
    pb::ModelInfo& info = *to.mutable_model_info();
    info.set_model(from.model.model);
    info.set_version(from.model.version);
    info.set_class_list_hash(static_cast<std::uint64_t>(from.class_list));
    Write(from.tags, info);
    if (from.score_threshold >= 0) {
      info.set_score_threshold(from.score_threshold);
    }
    if (from.max_detections >= 0) {
      constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
      info.set_max_detections(static_cast<std::uint32_t>(std::min(from.max_detections, kMost)));
    }
    info.set_labels(from.labels_expected ? pb::LABEL_EXPECTATION_EXPECTED : pb::LABEL_EXPECTATION_NEVER);
  }
  void operator()(const StreamInfo& from) const {
    to.mutable_stream_info()->set_stream(from.stream);
    Write(from.tags, *to.mutable_stream_info());
  }
  void operator()(const ClassList& from) const {
    to.mutable_class_list()->set_hash(static_cast<std::uint64_t>(from.hash));
    for (const auto& [id, name] : from.entries) {
      pb::ClassEntry& entry = *to.mutable_class_list()->add_entries();
      entry.set_id(id);
      entry.set_name(name);
    }
  }
  void operator()(const Tombstone& from) const {
    to.mutable_tombstone()->set_reason(from.reason);
    to.mutable_tombstone()->set_frames(from.frames);
  }
};

}  // namespace

std::string EncodeHeader(const Header& header) {
  pb::Header to;
  to.set_publisher(header.publisher);
  to.set_epoch(header.epoch);
  to.set_sequence(header.sequence);
  to.set_oldest_held(header.oldest_held);
  to.set_store_id(header.store_id);
  return to.SerializeAsString();
}

std::string EncodePayload(const Message& message) {
  pb::Payload to;
  std::visit(Writer{to}, message);
  return to.SerializeAsString();
}

std::string EncodePayload(const Predictions& predictions) {
  pb::Payload to;
  Writer{to}(predictions);
  return to.SerializeAsString();
}

std::string EncodePayload(const Labels& labels) {
  pb::Payload to;
  Writer{to}(labels);
  return to.SerializeAsString();
}

std::string EncodeBatch(const std::vector<Message>& messages) {
  pb::Payload to;
  to.mutable_batch();
  for (const Message& message : messages) {
    std::visit(Writer{*to.mutable_batch()->add_items()}, message);
  }
  return to.SerializeAsString();
}

}  // namespace detwatch::wire
