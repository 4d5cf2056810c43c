#pragma once
// lib/wire -- one parsed protobuf message to one checked message of ours. Private to this room: the only
// header that shows generated code. Each reader fills `out` or says what is wrong, and where.
//
// "relaxed" is the schema with strings as bytes; proto/CMakeLists.txt says why.

#include <detwatch/v1/relaxed.pb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/wire/decode.h"

namespace detwatch::wire {

namespace pb = ::detwatch::v1::relaxed;

[[nodiscard]] std::optional<Reject> Read(const pb::Predictions& from, const WireLimits& limits,
                                         Predictions& out);
[[nodiscard]] std::optional<Reject> Read(const pb::Labels& from, const WireLimits& limits, Labels& out);
[[nodiscard]] std::optional<Reject> Read(const pb::Frame& from, const WireLimits& limits, FramePair& out);
[[nodiscard]] std::optional<Reject> Read(const pb::ModelInfo& from, const WireLimits& limits, ModelInfo& out);
[[nodiscard]] std::optional<Reject> Read(const pb::StreamInfo& from, const WireLimits& limits,
                                         StreamInfo& out);
[[nodiscard]] std::optional<Reject> Read(const pb::ClassList& from, const WireLimits& limits, ClassList& out);
[[nodiscard]] std::optional<Reject> Read(const pb::Tombstone& from, const WireLimits& limits, Tombstone& out);

// The shared parts of frames, in read_parts.cc.

// What FrameRef says beside the name.
struct Image {
  std::int64_t capture_time_ns = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

[[nodiscard]] Image ImageOf(const pb::FrameRef& ref);
[[nodiscard]] std::optional<Reject> ReadFrameRef(const pb::FrameRef& ref, FrameKey& key,
                                                 TimePoint& capture_time);
// n, from the column that is there.
[[nodiscard]] std::optional<Reject> CountBoxes(const pb::Boxes& from, const WireLimits& limits,
                                               std::size_t& n);
// Requires: CountBoxes agreed to n.
[[nodiscard]] std::optional<Reject> ReadBoxes(const pb::Boxes& from, const Image& image, std::size_t n,
                                              std::vector<Box>& boxes);
// Everything of labels but the frame they belong to.
[[nodiscard]] std::optional<Reject> ReadLabelColumns(const pb::Labels& from, const Image& image,
                                                     const WireLimits& limits, Labels& out);

// A model name: as CheckString, and not empty.
[[nodiscard]] std::optional<Reject> CheckModel(std::string_view field, std::string_view name);

}  // namespace detwatch::wire
