#pragma once
// lib/expose -- the part of the summary that describes one window of one group: every number of its
// summaries, under the names lib/expose/README.md documents. Includes nlohmann, so only two sources do.

#include <nlohmann/json.hpp>

#include "lib/snapshot/snapshot.h"

namespace detwatch::expose {

using Json = nlohmann::ordered_json;

// Null unless finite.
[[nodiscard]] Json JsonNumber(double value);
// Unix seconds; null when unknown.
[[nodiscard]] Json JsonTime(TimePoint time);

// Requires: the group has params.
[[nodiscard]] Json JsonWindow(const ViewSpec& spec, const snapshot::Group& group,
                              const snapshot::Window& window);

}  // namespace detwatch::expose
