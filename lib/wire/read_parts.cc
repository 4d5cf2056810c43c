#include <string>

#include "lib/wire/columns.h"
#include "lib/wire/read.h"
#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

std::optional<Reject> ReadLayout(const pb::Boxes& from, const Image& image, BoxLayout& layout,
                                 BoxScale& scale) {
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

}  // namespace

std::optional<Reject> CheckModel(std::string_view field, std::string_view name) {
  if (name.empty()) {
    return Reject{RejectReason::kModelMissing, std::string(field) + ": empty"};
  }
  return CheckString(field, name);
}

Image ImageOf(const pb::FrameRef& ref) {
  return {ref.capture_time_ns(), ref.image_width(), ref.image_height()};
}

std::optional<Reject> ReadFrameRef(const pb::FrameRef& ref, FrameKey& key, TimePoint& capture_time) {
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

std::optional<Reject> CountBoxes(const pb::Boxes& from, const WireLimits& limits, std::size_t& n) {
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

std::optional<Reject> ReadBoxes(const pb::Boxes& from, const Image& image, std::size_t n,
                                std::vector<Box>& boxes) {
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

}  // namespace detwatch::wire
