#pragma once
// lib/wire -- a number for what is judged, so that a frame sent again is told from another one under the
// same name. Stored with the dedup keys: the same content has the same hash for ever (a test has the values).
//
// Over the bits of the decoded columns, whatever format, unit and precision they came in. Not over times,
// sizes, versions and other words about the frame. Not cryptographic: it finds mistakes, not forgers.
// Cost: about 0.1 us for 100 boxes, four independent chains of 64 x 64 -> 128 bit multiplications.

#include <cstdint>

#include "lib/core/frame.h"

namespace detwatch::wire {

[[nodiscard]] std::uint64_t ContentHash(const Predictions& predictions);
[[nodiscard]] std::uint64_t ContentHash(const Labels& labels);

}  // namespace detwatch::wire
