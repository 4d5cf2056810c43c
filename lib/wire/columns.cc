#include "lib/wire/columns.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

template <BoxLayout kLayout, class T>
Box Convert(const T* v, BoxScale scale) {
  const double a = v[0];
  const double b = v[1];
  const double c = v[2];
  const double d = v[3];
  if constexpr (kLayout == BoxLayout::kXyxy) {
    return {a * scale.x, b * scale.y, (c - a) * scale.x, (d - b) * scale.y};
  }
  if constexpr (kLayout == BoxLayout::kCxcywh) {
    return {(a - c / 2) * scale.x, (b - d / 2) * scale.y, c * scale.x, d * scale.y};
  }
  return {a * scale.x, b * scale.y, c * scale.x, d * scale.y};
}

// Larger than the limit, infinite or NaN, as a number that can be or-ed.
int Far(double value) {
  return static_cast<int>(!(std::abs(value) <= kMaxCoordinate));
}

template <BoxLayout kLayout, class T>
int ConvertAll(const T* values, BoxScale scale, std::vector<Box>& boxes) {
  int bad = 0;
  for (Box& box : boxes) {
    box = Convert<kLayout>(values, scale);
    bad |= Far(box.x) | Far(box.y) | Far(box.w) | Far(box.h);
    bad |= static_cast<int>(box.w < 0) | static_cast<int>(box.h < 0);
    if constexpr (kLayout != BoxLayout::kXywh) {
      // The other two values given: a far corner, or a centre.
      const std::size_t other = kLayout == BoxLayout::kXyxy ? 2 : 0;
      bad |= Far(values[other] * scale.x) | Far(values[other + 1] * scale.y);
    }
    values += 4;
  }
  return bad;
}

template <class T>
std::optional<Reject> FindBadBox(std::string_view field, const T* values, BoxScale scale,
                                 const std::vector<Box>& boxes) {
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    const T* v = values + 4 * i;
    const std::string at = std::string(field) + "[" + std::to_string(i) + "]: (" + Show(v[0]) + ", " +
                           Show(v[1]) + ", " + Show(v[2]) + ", " + Show(v[3]) + ")";
    const int far = Far(box.x) | Far(box.y) | Far(box.w) | Far(box.h) | Far(v[0] * scale.x) |
                    Far(v[1] * scale.y) | Far(v[2] * scale.x) | Far(v[3] * scale.y);
    if (far != 0) {
      return Reject{RejectReason::kBoxNotFinite, at + " is not finite or beyond 1e9 pixels"};
    }
    if (box.w < 0 || box.h < 0) {
      return Reject{RejectReason::kBoxNegativeSize, at + " has a negative width or height"};
    }
  }
  return std::nullopt;
}

template <class T, class Good>
std::optional<Reject> CheckEach(std::string_view field, const std::vector<T>& values, RejectReason reason,
                                std::string_view rule, Good good) {
  int bad = 0;
  for (const T value : values) {
    bad |= static_cast<int>(!good(value));
  }
  if (bad == 0) {
    return std::nullopt;
  }
  const auto found = std::find_if_not(values.begin(), values.end(), good);
  return Reject{reason, std::string(field) + "[" + std::to_string(found - values.begin()) +
                            "]: " + Show(*found) + std::string(rule)};
}

}  // namespace

template <class T>
std::optional<Reject> ConvertBoxes(std::string_view field, const T* values, BoxLayout layout, BoxScale scale,
                                   std::vector<Box>& boxes) {
  int bad = 0;
  switch (layout) {
    case BoxLayout::kXywh:
      bad = ConvertAll<BoxLayout::kXywh>(values, scale, boxes);
      break;
    case BoxLayout::kXyxy:
      bad = ConvertAll<BoxLayout::kXyxy>(values, scale, boxes);
      break;
    case BoxLayout::kCxcywh:
      bad = ConvertAll<BoxLayout::kCxcywh>(values, scale, boxes);
      break;
  }
  return bad == 0 ? std::nullopt : FindBadBox(field, values, scale, boxes);
}

template std::optional<Reject> ConvertBoxes(std::string_view, const float*, BoxLayout, BoxScale,
                                            std::vector<Box>&);
template std::optional<Reject> ConvertBoxes(std::string_view, const double*, BoxLayout, BoxScale,
                                            std::vector<Box>&);

std::optional<Reject> CheckScores(std::string_view field, const std::vector<float>& scores) {
  return CheckEach(field, scores, RejectReason::kScoreOutOfRange, " is not in [0, 1]",
                   [](float s) { return s >= 0.0F && s <= 1.0F; });
}

std::optional<Reject> CheckAreas(std::string_view field, const std::vector<double>& areas) {
  return CheckEach(field, areas, RejectReason::kAreaInvalid, " is not in [0, 1e18]",
                   [](double a) { return a >= 0 && a <= kMaxArea; });
}

std::optional<Reject> CheckLength(std::string_view field, std::size_t have, std::size_t need) {
  if (have == need) {
    return std::nullopt;
  }
  return Reject{RejectReason::kColumnLength,
                std::string(field) + ": " + std::to_string(have) + " values, need " + std::to_string(need)};
}

}  // namespace detwatch::wire
