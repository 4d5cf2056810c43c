#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/labels.h"
#include "lib/wire/read.h"
#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

using Wrong = std::optional<Reject>;

// A tombstone stands for one message; more frames than this is a slip that would bend a counter for ever.
constexpr std::uint64_t kMaxTombstoneFrames = std::numeric_limits<std::uint32_t>::max();

Wrong BadTag(std::string_view key, std::string_view why) {
  return Reject{RejectReason::kTagInvalid, "tags: " + Printable(key) + std::string(why)};
}

template <class From>
Wrong ReadTags(const From& from, const WireLimits& limits, Tags& tags) {
  if (static_cast<std::size_t>(from.size()) > limits.tags) {
    return Reject{RejectReason::kTooManyTags,
                  "tags: " + std::to_string(from.size()) + ", at most " + std::to_string(limits.tags)};
  }
  for (const pb::Tag& tag : from) {
    const std::string& key = tag.key();
    if (key.size() > kMaxStringBytes || !IsLabelName(key)) {
      return BadTag(key, " is not a label name");
    }
    if (IsReservedLabel(key) || IsIdentityLabel(key)) {
      return BadTag(key, " is a reserved label name");
    }
    const bool twice = std::any_of(tags.begin(), tags.end(), [&](const auto& t) { return t.first == key; });
    if (twice) {
      return BadTag(key, " is there twice");
    }
    if (auto wrong = CheckString("tags." + key, tag.value())) {
      return wrong;
    }
    tags.emplace_back(key, tag.value());
  }
  return std::nullopt;
}

Wrong BadList(std::string detail) {
  return Reject{RejectReason::kClassListInvalid, std::move(detail)};
}

Wrong CheckUnique(const ClassList& list) {
  for (std::size_t i = 1; i < list.entries.size(); ++i) {
    if (list.entries[i - 1].first == list.entries[i].first) {
      return BadList("entries: id " + std::to_string(list.entries[i].first) + " is there twice");
    }
  }
  std::vector<std::string_view> names(list.entries.size());
  std::transform(list.entries.begin(), list.entries.end(), names.begin(),
                 [](const auto& entry) -> std::string_view { return entry.second; });
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return BadList("entries: name " + Printable(*twice) + " is there twice");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Reject> Read(const pb::ModelInfo& from, const WireLimits& limits, ModelInfo& out) {
  if (auto wrong = CheckModel("model", from.model())) {
    return wrong;
  }
  if (auto wrong = CheckString("version", from.version())) {
    return wrong;
  }
  if (auto wrong = ReadTags(from.tags(), limits, out.tags)) {
    return wrong;
  }
  if (from.has_score_threshold()) {
    const float threshold = from.score_threshold();
    if (!(threshold >= 0 && threshold <= 1)) {
      return Reject{RejectReason::kValueInvalid,
                    "score_threshold: " + Show(static_cast<double>(threshold)) + " is not in [0, 1]"};
    }
    out.score_threshold = threshold;
  }
  if (from.has_max_detections()) {
    out.max_detections = from.max_detections();
  }
  out.model.model = from.model();
  out.model.version = from.version();
  out.class_list = static_cast<ClassListHash>(from.class_list_hash());
  out.labels_expected = from.labels() != pb::LABEL_EXPECTATION_NEVER;
  return std::nullopt;
}

std::optional<Reject> Read(const pb::StreamInfo& from, const WireLimits& limits, StreamInfo& out) {
  if (auto wrong = CheckString("stream", from.stream())) {
    return wrong;
  }
  out.stream = from.stream();
  return ReadTags(from.tags(), limits, out.tags);
}

std::optional<Reject> Read(const pb::ClassList& from, const WireLimits& limits, ClassList& out) {
  const auto count = static_cast<std::size_t>(from.entries_size());
  if (count == 0) {
    return BadList("entries: none");
  }
  if (count > limits.classes_per_list) {
    return Reject{RejectReason::kTooManyClasses, "entries: " + std::to_string(count) + ", at most " +
                                                     std::to_string(limits.classes_per_list)};
  }
  out.entries.reserve(count);
  for (const pb::ClassEntry& entry : from.entries()) {
    if (entry.name().empty()) {
      return BadList("entries: id " + std::to_string(entry.id()) + " has no name");
    }
    if (auto wrong = CheckString("entries.name", entry.name())) {
      return wrong;
    }
    out.entries.emplace_back(entry.id(), entry.name());
  }
  std::sort(out.entries.begin(), out.entries.end());
  if (auto wrong = CheckUnique(out)) {
    return wrong;
  }
  out.hash = HashClassList(out.entries);
  if (static_cast<std::uint64_t>(out.hash) != from.hash()) {
    return BadList("hash: " + std::to_string(from.hash()) + ", the entries have " +
                   std::to_string(static_cast<std::uint64_t>(out.hash)));
  }
  return std::nullopt;
}

std::optional<Reject> Read(const pb::Tombstone& from, const WireLimits& /*limits*/, Tombstone& out) {
  if (auto wrong = CheckString("reason", from.reason())) {
    return wrong;
  }
  if (from.frames() > kMaxTombstoneFrames) {
    return Reject{RejectReason::kValueInvalid, "frames: " + std::to_string(from.frames()) + ", at most " +
                                                   std::to_string(kMaxTombstoneFrames)};
  }
  out.reason = from.reason();
  out.frames = from.frames();
  return std::nullopt;
}

}  // namespace detwatch::wire
