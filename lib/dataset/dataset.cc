#include "lib/dataset/dataset.h"

#include <string>

#include "lib/dataset/text.h"

namespace detwatch::dataset {
std::size_t Dataset::GroundTruths() const {
  std::size_t count = 0;
  for (const Frame& frame : frames) {
    count += frame.labels.boxes.size();
  }
  return count;
}

std::size_t Dataset::Detections() const {
  std::size_t count = 0;
  for (const Frame& frame : frames) {
    count += frame.predictions.boxes.size();
  }
  return count;
}

Result<ImageSize> ParseImageSize(std::string_view text) {
  constexpr std::uint32_t kMost = 1000000;
  const std::size_t cross = text.find('x');
  if (cross != std::string_view::npos) {
    const auto width = ParseNumber<std::uint32_t>(text.substr(0, cross));
    const auto height = ParseNumber<std::uint32_t>(text.substr(cross + 1));
    if (width && height && *width >= 1 && *height >= 1 && *width <= kMost && *height <= kMost) {
      return ImageSize{*width, *height};
    }
  }
  return Fail("image size \"" + std::string(text) + "\" is not WIDTHxHEIGHT in pixels, for example 640x480");
}

}  // namespace detwatch::dataset
