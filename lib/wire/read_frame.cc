#include <algorithm>
#include <cmath>
#include <string>

#include "lib/wire/columns.h"
#include "lib/wire/content_hash.h"
#include "lib/wire/read.h"
#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

// 31 years. It goes into a sum, which one slip of 3e38 would bend for ever.
constexpr double kMostSeconds = 1e9;

}  // namespace

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
  out.class_ids.assign(from.class_ids().data(), from.class_ids().data() + n);
  out.model.model = from.model();
  out.model.version = from.version();
  out.class_list = static_cast<ClassListHash>(from.class_list_hash());
  out.inference_seconds = std::min(static_cast<double>(seconds), kMostSeconds);
  out.content_hash = ContentHash(out);
  return std::nullopt;
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
