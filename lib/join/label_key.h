#pragma once
// lib/join -- what dedup keys remember of the labels of a frame: one number that tells the same labels from
// others, and a later revision from an earlier one.

#include <cstdint>

#include "lib/core/frame.h"
#include "lib/join/revision.h"

namespace detwatch::join {

// The revision in the high half, so that a later one compares higher; source and content below.
[[nodiscard]] constexpr std::uint64_t LabelKey(std::uint32_t revision, LabelSource source,
                                               std::uint64_t content_hash) {
  const std::uint64_t content = (content_hash ^ (content_hash >> 30U)) & 0x3fffffffU;
  return (std::uint64_t{revision} << 32U) | (static_cast<std::uint64_t>(source) << 30U) | content;
}

// `labels` against those that are `known`.
[[nodiscard]] constexpr Against Compare(std::uint64_t labels, std::uint64_t known) {
  if (labels >> 32U != known >> 32U) {
    return labels >> 32U < known >> 32U ? Against::kLower : Against::kHigher;
  }
  return labels == known ? Against::kSame : Against::kOther;
}

}  // namespace detwatch::join
