#include <algorithm>
#include <string>

#include "lib/wire/columns.h"
#include "lib/wire/content_hash.h"
#include "lib/wire/read.h"

namespace detwatch::wire {
namespace {

using Wrong = std::optional<Reject>;

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

}  // namespace

std::optional<Reject> ReadLabelColumns(const pb::Labels& from, const Image& image, const WireLimits& limits,
                                       Labels& out) {
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

std::optional<Reject> Read(const pb::Labels& from, const WireLimits& limits, Labels& out) {
  if (auto wrong = ReadFrameRef(from.frame(), out.frame, out.capture_time)) {
    return wrong;
  }
  return ReadLabelColumns(from, ImageOf(from.frame()), limits, out);
}

}  // namespace detwatch::wire
