#pragma once
// lib/wire -- columns of numbers: converted and checked in one pass each. Knows nothing of protobuf.
//
// The pass only says that something is wrong; a second, slow one finds what, because almost no message is.
// Cost: 0.1 us for 100 boxes.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/core/result.h"

namespace detwatch::wire {

inline constexpr double kMaxCoordinate = 1e9;  // pixels
inline constexpr double kMaxArea = 1e18;       // square pixels; the largest box has it

enum class BoxLayout : std::uint8_t { kXywh, kXyxy, kCxcywh };

// What one unit of the sender is in pixels: 1, or the image size.
struct BoxScale {
  double x = 1;
  double y = 1;
};

// Converts 4n values to n boxes. Sizes and corners are computed in double from the values as given, then
// scaled. kBoxNotFinite when a value given or computed is not finite or beyond 1e9 pixels,
// kBoxNegativeSize when a width or height is negative. Requires: boxes.size() == n.
template <class T>
[[nodiscard]] std::optional<Reject> ConvertBoxes(std::string_view field, const T* values, BoxLayout layout,
                                                 BoxScale scale, std::vector<Box>& boxes);

// Copies n scores; -0 becomes 0, so that scores order by their bits. kScoreOutOfRange unless each is in
// [0, 1]. Requires: scores.size() == n.
[[nodiscard]] std::optional<Reject> CopyScores(std::string_view field, const float* values,
                                               std::vector<float>& scores);

// kAreaInvalid unless every area is in [0, 1e18].
[[nodiscard]] std::optional<Reject> CheckAreas(std::string_view field, const std::vector<double>& areas);

// kColumnLength unless a column of `have` values fits `need` boxes.
[[nodiscard]] std::optional<Reject> CheckLength(std::string_view field, std::size_t have, std::size_t need);

}  // namespace detwatch::wire
