#include "lib/wire/columns.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

// x and y, or width and height, side by side: both halves of a box go through the same arithmetic, and
// the vectors that g++ and clang share do them at once.
using Pair = double __attribute__((vector_size(16)));
using PairBits = std::uint64_t __attribute__((vector_size(16)));

template <class T>
Pair Load(const T* v) {
  return Pair{static_cast<double>(v[0]), static_cast<double>(v[1])};
}

// Larger than the limit, infinite or NaN.
bool IsFar(double value) {
  return !(std::abs(value) <= kMaxCoordinate);
}

// The same, as sign bits that can be or-ed: the bits of a double order like its magnitude, and what exceeds
// those of the limit carries into the sign. (Comparisons, which g++ 12 turns into scalar moves when they are
// or-ed over a loop, took four times as long.)
PairBits FarSign(Pair value) {
  constexpr std::uint64_t kMagnitude = ~std::uint64_t{0} >> 1U;
  constexpr std::uint64_t kRoom = kMagnitude - std::bit_cast<std::uint64_t>(kMaxCoordinate);
  return (std::bit_cast<PairBits>(value) & kMagnitude) + kRoom;
}

// The sign, but that of -0, which is a fine width.
PairBits NegativeSign(Pair value) {
  return std::bit_cast<PairBits>(value + Pair{});
}

// False when a value is out of range, whichever and however.
template <BoxLayout kLayout, class T>
bool ConvertAll(const T* values, BoxScale by, std::vector<Box>& boxes) {
  const Pair scale = {by.x, by.y};
  PairBits bad{};
  for (Box& box : boxes) {
    const Pair first = Load(values);
    const Pair second = Load(values + 2);
    Pair place = first * scale;
    Pair size = second * scale;
    if constexpr (kLayout == BoxLayout::kXyxy) {
      bad |= FarSign(size);  // what was given, here the far corner, is held to the limit too
      size = (second - first) * scale;
    }
    if constexpr (kLayout == BoxLayout::kCxcywh) {
      bad |= FarSign(place);
      place = (first - second / 2) * scale;
    }
    bad |= FarSign(place) | FarSign(size) | NegativeSign(size);
    box = {place[0], place[1], size[0], size[1]};
    values += 4;
  }
  return (bad[0] | bad[1]) >> 63U == 0;
}

// Requires: there is one.
template <class T>
Reject FindBadBox(std::string_view field, const T* values, BoxScale scale, const std::vector<Box>& boxes) {
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    const T* v = values + 4 * i;
    const bool far = IsFar(box.x) || IsFar(box.y) || IsFar(box.w) || IsFar(box.h) || IsFar(v[0] * scale.x) ||
                     IsFar(v[1] * scale.y) || IsFar(v[2] * scale.x) || IsFar(v[3] * scale.y);
    if (far || box.w < 0 || box.h < 0) {
      const std::string at = std::string(field) + "[" + std::to_string(i) + "]: (" + Show(v[0]) + ", " +
                             Show(v[1]) + ", " + Show(v[2]) + ", " + Show(v[3]) + ")";
      return far ? Reject{RejectReason::kBoxNotFinite, at + " is not finite or beyond 1e9 pixels"}
                 : Reject{RejectReason::kBoxNegativeSize, at + " has a negative width or height"};
    }
  }
  return {RejectReason::kBoxNotFinite, std::string(field)};
}

template <class T>
std::optional<Reject> FindBad(std::string_view field, const std::vector<T>& values, T most,
                              RejectReason reason, std::string_view rule) {
  const auto found =
      std::find_if_not(values.begin(), values.end(), [most](T value) { return value >= 0 && value <= most; });
  if (found == values.end()) {
    return std::nullopt;
  }
  return Reject{reason, std::string(field) + "[" + std::to_string(found - values.begin()) +
                            "]: " + Show(static_cast<double>(*found)) + std::string(rule)};
}

}  // namespace

template <class T>
std::optional<Reject> ConvertBoxes(std::string_view field, const T* values, BoxLayout layout, BoxScale scale,
                                   std::vector<Box>& boxes) {
  bool good = true;
  switch (layout) {
    case BoxLayout::kXywh:
      good = ConvertAll<BoxLayout::kXywh>(values, scale, boxes);
      break;
    case BoxLayout::kXyxy:
      good = ConvertAll<BoxLayout::kXyxy>(values, scale, boxes);
      break;
    case BoxLayout::kCxcywh:
      good = ConvertAll<BoxLayout::kCxcywh>(values, scale, boxes);
      break;
  }
  if (good) {
    return std::nullopt;
  }
  return FindBadBox(field, values, scale, boxes);
}

template std::optional<Reject> ConvertBoxes(std::string_view, const float*, BoxLayout, BoxScale,
                                            std::vector<Box>&);
template std::optional<Reject> ConvertBoxes(std::string_view, const double*, BoxLayout, BoxScale,
                                            std::vector<Box>&);

std::optional<Reject> CopyScores(std::string_view field, const float* values, std::vector<float>& scores) {
  // 0 to 1 are the floats whose bits are 0 to those of 1; whatever else sets a sign bit here.
  constexpr auto kOne = std::bit_cast<std::uint32_t>(1.0F);
  std::uint32_t bad = 0;
  for (float& score : scores) {
    score = *values++ + 0.0F;
    const auto bits = std::bit_cast<std::uint32_t>(score);
    bad |= bits | (kOne - bits);
  }
  if (bad >> 31U == 0) {
    return std::nullopt;
  }
  return FindBad(field, scores, 1.0F, RejectReason::kScoreOutOfRange, " is not in [0, 1]");
}

std::optional<Reject> CheckAreas(std::string_view field, const std::vector<double>& areas) {
  return FindBad(field, areas, kMaxArea, RejectReason::kAreaInvalid, " is not in [0, 1e18]");
}

std::optional<Reject> CheckLength(std::string_view field, std::size_t have, std::size_t need) {
  if (have == need) {
    return std::nullopt;
  }
  return Reject{RejectReason::kColumnLength,
                std::string(field) + ": " + std::to_string(have) + " values, need " + std::to_string(need)};
}

}  // namespace detwatch::wire
