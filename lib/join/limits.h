#pragma once
// lib/join -- what may wait, and for how long. Plain values.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "lib/core/time.h"

namespace detwatch::join {

struct JoinLimits {
  Duration retention = std::chrono::hours(24);  // of a half that waits, since its arrival
  Duration linger = std::chrono::minutes(10);   // of labels, since their first use
  std::size_t bytes = 512U << 20;               // of everything that waits
  std::size_t linger_bytes = 64U << 20;         // of labels that linger, in memory
  Duration corrections =
      std::chrono::hours(24);  // judged frames whose labels are not final; 0: none are kept
  std::size_t corrections_bytes = std::size_t{1} << 30;
  Duration dedup_horizon = std::chrono::hours(1);
  std::size_t dedup_frames = 4000000;

  [[nodiscard]] bool KeepsJudged() const { return corrections > Duration{0} && corrections_bytes > 0; }
};

}  // namespace detwatch::join
