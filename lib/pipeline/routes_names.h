#pragma once
// lib/pipeline -- names of groups, put together from tags. Only the sources of Routes include this.

#include <algorithm>
#include <string>
#include <string_view>

#include "lib/core/frame.h"

namespace detwatch::pipeline {

// Null when the tag is not there.
[[nodiscard]] inline const std::string* FindTag(const Tags& tags, const std::string& key) {
  const auto it = std::find_if(tags.begin(), tags.end(), [&](const auto& tag) { return tag.first == key; });
  return it == tags.end() ? nullptr : &it->second;
}

// Unit separators cannot occur in names, which are free of control characters.
inline void AppendKey(std::string& key, std::string_view part) {
  key += part;
  key += '\x1f';
}

}  // namespace detwatch::pipeline
