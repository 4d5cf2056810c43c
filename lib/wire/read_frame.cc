#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "lib/wire/columns.h"
#include "lib/wire/content_hash.h"
#include "lib/wire/read.h"
#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

using Wrong = std::optional<Reject>;

// What FrameRef says beside the name.
struct Image {
  std::int64_t capture_time_ns = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

Image ImageOf(const pb::FrameRef& ref) {
  return {ref.capture_time_ns(), ref.image_width(), ref.image_height()};
}

Wrong ReadFrameRef(const pb::FrameRef& ref, FrameKey& key, TimePoint& capture_time) {
  if (ref.frame_id().empty()) {
    return Reject{RejectReason::kFrameMissing, "frame.frame_id: empty"};
  }
  if (auto wrong = CheckString("frame.frame_id", ref.frame_id())) {
    return wrong;
  }
  if (auto wrong = CheckString("frame.stream", ref.stream())) {
    return wrong;
  }
  if (ref.capture_time_ns() < 0) {
    return Reject{RejectReason::kValueInvalid,
                  "frame.capture_time_ns: " + std::to_string(ref.capture_time_ns()) + " is negative"};
  }
  key.stream = ref.stream();
  key.frame_id = ref.frame_id();
  capture_time = FromUnixNanos(ref.capture_time_ns());
  return std::nullopt;
}

// n, from the column that is there.
Wrong CountBoxes(const pb::Boxes& from, const WireLimits& limits, std::size_t& n) {
  const auto floats = static_cast<std::size_t>(from.float_values_size());
  const auto doubles = static_cast<std::size_t>(from.double_values_size());
  if (floats != 0 && doubles != 0) {
    return Reject{RejectReason::kColumnLength, "boxes: both float_values and double_values are there"};
  }
  const std::size_t values = floats + doubles;
  n = values / 4;
  if (n > limits.boxes_per_frame) {
    return Reject{RejectReason::kTooManyBoxes,
                  "boxes: " + std::to_string(n) + ", at most " + std::to_string(limits.boxes_per_frame)};
  }
  if (values % 4 != 0) {
    return Reject{RejectReason::kColumnLength, "boxes: " + std::to_string(values) + " values, need 4 a box"};
  }
  return std::nullopt;
}

Wrong ReadLayout(const pb::Boxes& from, const Image& image, BoxLayout& layout, BoxScale& scale) {
  switch (from.format()) {
    case pb::BOX_FORMAT_XYWH:
      layout = BoxLayout::kXywh;
      break;
    case pb::BOX_FORMAT_XYXY:
      layout = BoxLayout::kXyxy;
      break;
    case pb::BOX_FORMAT_CXCYWH:
      layout = BoxLayout::kCxcywh;
      break;
    case pb::BOX_FORMAT_UNSPECIFIED:
      return Reject{RejectReason::kBoxFormatMissing, "boxes.format: not given"};
    default:
      return Reject{RejectReason::kValueInvalid,
                    "boxes.format: " + std::to_string(from.format()) + " is not known here"};
  }
  switch (from.unit()) {
    case pb::BOX_UNIT_PIXELS:
      scale = {};
      return std::nullopt;
    case pb::BOX_UNIT_NORMALIZED:
      scale = {static_cast<double>(image.width), static_cast<double>(image.height)};
      break;
    default:
      return Reject{RejectReason::kValueInvalid,
                    "boxes.unit: " + std::to_string(from.unit()) + " is not known here"};
  }
  if (image.width == 0 || image.height == 0) {
    return Reject{RejectReason::kImageSizeMissing,
                  "frame.image_width, image_height: normalised boxes need them"};
  }
  return std::nullopt;
}

// Requires: CountBoxes agreed to n.
Wrong ReadBoxes(const pb::Boxes& from, const Image& image, std::size_t n, std::vector<Box>& boxes) {
  if (n == 0) {
    return std::nullopt;  // a format that formats nothing may be missing
  }
  BoxLayout layout = BoxLayout::kXywh;
  BoxScale scale;
  if (auto wrong = ReadLayout(from, image, layout, scale)) {
    return wrong;
  }
  boxes.resize(n);
  return from.float_values_size() != 0
             ? ConvertBoxes("boxes", from.float_values().data(), layout, scale, boxes)
             : ConvertBoxes("boxes", from.double_values().data(), layout, scale, boxes);
}

template <class To, class From>
void Copy(const From& from, std::vector<To>& to) {
  to.assign(from.data(), from.data() + from.size());
}

// A column of flags: n values or none; all false says the same as none and is kept as none.
template <class From>
Wrong ReadFlags(std::string_view field, const From& from, std::size_t n, std::vector<std::uint8_t>& flags) {
  if (from.empty()) {
    return std::nullopt;
  }
  if (auto wrong = CheckLength(field, static_cast<std::size_t>(from.size()), n)) {
    return wrong;
  }
  if (std::find(from.begin(), from.end(), true) != from.end()) {
    Copy(from, flags);
  }
  return std::nullopt;
}

Wrong ReadAreas(const pb::Labels& from, std::size_t n, Labels& out) {
  if (!from.float_areas().empty() && !from.double_areas().empty()) {
    return Reject{RejectReason::kColumnLength, "areas: both float_areas and double_areas are there"};
  }
  if (!from.float_areas().empty()) {
    Copy(from.float_areas(), out.areas);
  } else if (!from.double_areas().empty()) {
    Copy(from.double_areas(), out.areas);
  } else {
    out.areas.resize(n);
    std::transform(out.boxes.begin(), out.boxes.end(), out.areas.begin(),
                   [](const Box& box) { return box.Area(); });
    return std::nullopt;
  }
  if (auto wrong = CheckLength("areas", out.areas.size(), n)) {
    return wrong;
  }
  return CheckAreas("areas", out.areas);
}

Wrong ReadExamined(const pb::Labels& from, const WireLimits& limits, Labels& out) {
  out.partial = from.partial();
  const auto count = static_cast<std::size_t>(from.examined_class_ids_size());
  if (count == 0) {
    return std::nullopt;
  }
  if (!out.partial) {
    return Reject{RejectReason::kValueInvalid, "examined_class_ids: only partial labels have them"};
  }
  if (count > limits.classes_per_list) {
    return Reject{RejectReason::kTooManyClasses, "examined_class_ids: " + std::to_string(count) +
                                                     ", at most " + std::to_string(limits.classes_per_list)};
  }
  Copy(from.examined_class_ids(), out.examined);
  std::sort(out.examined.begin(), out.examined.end());
  out.examined.erase(std::unique(out.examined.begin(), out.examined.end()), out.examined.end());
  return std::nullopt;
}

// Words about the labels only; a value from a newer publisher is "unknown" here, not wrong.
LabelSource SourceOf(pb::LabelSource source) {
  switch (source) {
    case pb::LABEL_SOURCE_HUMAN:
      return LabelSource::kHuman;
    case pb::LABEL_SOURCE_AUTO:
      return LabelSource::kAuto;
    case pb::LABEL_SOURCE_SIMULATOR:
      return LabelSource::kSimulator;
    default:
      return LabelSource::kUnknown;
  }
}

Sampling SamplingOf(pb::Sampling sampling) {
  switch (sampling) {
    case pb::SAMPLING_RANDOM:
      return Sampling::kRandom;
    case pb::SAMPLING_TRIGGERED:
      return Sampling::kTriggered;
    default:
      return Sampling::kUnknown;
  }
}

// Everything of labels but the frame they belong to.
Wrong ReadLabelColumns(const pb::Labels& from, const Image& image, const WireLimits& limits, Labels& out) {
  std::size_t n = 0;
  if (auto wrong = CountBoxes(from.boxes(), limits, n)) {
    return wrong;
  }
  if (auto wrong = CheckLength("class_ids", static_cast<std::size_t>(from.class_ids_size()), n)) {
    return wrong;
  }
  if (auto wrong = ReadBoxes(from.boxes(), image, n, out.boxes)) {
    return wrong;
  }
  Copy(from.class_ids(), out.class_ids);
  if (auto wrong = ReadAreas(from, n, out)) {
    return wrong;
  }
  if (auto wrong = ReadFlags("crowd", from.crowd(), n, out.crowd)) {
    return wrong;
  }
  if (auto wrong = ReadFlags("difficult", from.difficult(), n, out.difficult)) {
    return wrong;
  }
  if (auto wrong = ReadExamined(from, limits, out)) {
    return wrong;
  }
  out.class_list = static_cast<ClassListHash>(from.class_list_hash());
  out.source = SourceOf(from.source());
  out.sampling = SamplingOf(from.sampling());
  out.revision = from.revision();
  out.final = from.final();
  out.content_hash = ContentHash(out);
  return std::nullopt;
}

}  // namespace

std::optional<Reject> CheckModel(std::string_view field, std::string_view name) {
  if (name.empty()) {
    return Reject{RejectReason::kModelMissing, std::string(field) + ": empty"};
  }
  return CheckString(field, name);
}

std::optional<Reject> Read(const pb::Predictions& from, const WireLimits& limits, Predictions& out) {
  if (auto wrong = ReadFrameRef(from.frame(), out.frame, out.capture_time)) {
    return wrong;
  }
  if (auto wrong = CheckModel("model", from.model())) {
    return wrong;
  }
  if (auto wrong = CheckString("version", from.version())) {
    return wrong;
  }
  std::size_t n = 0;
  if (auto wrong = CountBoxes(from.boxes(), limits, n)) {
    return wrong;
  }
  if (auto wrong = CheckLength("scores", static_cast<std::size_t>(from.scores_size()), n)) {
    return wrong;
  }
  if (auto wrong = CheckLength("class_ids", static_cast<std::size_t>(from.class_ids_size()), n)) {
    return wrong;
  }
  const float seconds = from.inference_seconds();
  if (!(seconds >= 0 && std::isfinite(seconds))) {
    return Reject{RejectReason::kValueInvalid,
                  "inference_seconds: " + Show(static_cast<double>(seconds)) + " is not finite and >= 0"};
  }
  if (auto wrong = ReadBoxes(from.boxes(), ImageOf(from.frame()), n, out.boxes)) {
    return wrong;
  }
  out.scores.resize(n);
  if (auto wrong = CopyScores("scores", from.scores().data(), out.scores)) {
    return wrong;
  }
  Copy(from.class_ids(), out.class_ids);
  out.model.model = from.model();
  out.model.version = from.version();
  out.class_list = static_cast<ClassListHash>(from.class_list_hash());
  out.inference_seconds = static_cast<double>(seconds);
  out.content_hash = ContentHash(out);
  return std::nullopt;
}

std::optional<Reject> Read(const pb::Labels& from, const WireLimits& limits, Labels& out) {
  if (auto wrong = ReadFrameRef(from.frame(), out.frame, out.capture_time)) {
    return wrong;
  }
  return ReadLabelColumns(from, ImageOf(from.frame()), limits, out);
}

std::optional<Reject> Read(const pb::Frame& from, const WireLimits& limits, FramePair& out) {
  if (!from.has_predictions() || !from.has_labels()) {
    return Reject{RejectReason::kPayloadEmpty,
                  from.has_labels() ? "frame.predictions: missing" : "frame.labels: missing"};
  }
  if (auto wrong = Read(from.predictions(), limits, out.predictions)) {
    wrong->detail.insert(0, "predictions.");
    return wrong;
  }
  Image image = ImageOf(from.predictions().frame());
  out.labels.frame = out.predictions.frame;
  out.labels.capture_time = out.predictions.capture_time;
  if (from.labels().has_frame()) {
    // What it leaves out is the predictions'; what it says must agree.
    const pb::FrameRef& ref = from.labels().frame();
    const bool named = !ref.frame_id().empty() || !ref.stream().empty();
    if (named && (ref.frame_id() != out.labels.frame.frame_id || ref.stream() != out.labels.frame.stream)) {
      return Reject{RejectReason::kFrameMismatch, "labels.frame.frame_id: " + Printable(ref.frame_id()) +
                                                      ", predictions have " +
                                                      Printable(out.predictions.frame.frame_id)};
    }
    if (ref.capture_time_ns() < 0) {
      return Reject{RejectReason::kValueInvalid, "labels.frame.capture_time_ns: " +
                                                     std::to_string(ref.capture_time_ns()) + " is negative"};
    }
    if (ref.capture_time_ns() > 0) {
      out.labels.capture_time = FromUnixNanos(ref.capture_time_ns());
    }
    if (ref.image_width() > 0 && ref.image_height() > 0) {
      image.width = ref.image_width();
      image.height = ref.image_height();
    }
  }
  if (auto wrong = ReadLabelColumns(from.labels(), image, limits, out.labels)) {
    wrong->detail.insert(0, "labels.");
    return wrong;
  }
  return std::nullopt;
}

}  // namespace detwatch::wire
