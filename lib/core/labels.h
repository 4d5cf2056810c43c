#pragma once
// lib/core -- which Prometheus label names belong to detwatch, so that a tag or a grouping label never
// collides with one. One list, because the wire and the config loader must agree. Pure functions.

#include <string_view>

namespace detwatch {

// [a-zA-Z_][a-zA-Z0-9_]*, what Prometheus takes as a label name.
[[nodiscard]] bool IsLabelName(std::string_view name);

// Names that detwatch, Prometheus itself or the scrape configuration put on series; includes everything
// that starts with "__".
[[nodiscard]] bool IsReservedLabel(std::string_view name);

// model, version, stream: fine to group by, but said by the message itself and never by a tag.
[[nodiscard]] bool IsIdentityLabel(std::string_view name);

}  // namespace detwatch
