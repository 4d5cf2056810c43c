#pragma once
// lib/wire -- one parsed protobuf message to one checked message of ours. Private to this room: the only
// header that shows generated code. Each reader fills `out` or says what is wrong, and where.
//
// "relaxed" is the schema with strings as bytes; proto/CMakeLists.txt says why.

#include <detwatch/v1/relaxed.pb.h>

#include <optional>

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

// A model name: as CheckString, and not empty.
[[nodiscard]] std::optional<Reject> CheckModel(std::string_view field, std::string_view name);

}  // namespace detwatch::wire
