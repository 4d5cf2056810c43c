#pragma once
// lib/dataset -- width and height from the header of an image file, without decoding it: YOLO labels are
// shares of the image, so without the size there are no pixels.
//
// PNG, JPEG, BMP, GIF and WebP, told apart by their first bytes, not by the file name. A JPEG that its EXIF
// orientation turns by a quarter has its sides swapped, as those see it who draw the labels.
//
// Laws: AHeaderAsksForMoreUntilItIsWhole.
// Cost: the headers of all but JPEG are 32 bytes; that one's frame header comes after its EXIF data.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

// What the first bytes of a file say. One of `size` and `problem` is set.
struct ImageHeader {
  std::optional<ImageSize> size;
  std::string_view problem;  // what is wrong if the file has no more bytes than those
  // With this many bytes of the file it may turn out well; always more than were given. 0: it is wrong
  // anyway.
  std::size_t wants = 0;
};

[[nodiscard]] ImageHeader ReadImageHeader(std::string_view head);

// ".jpg", ...: what counts as an image in a folder.
[[nodiscard]] std::span<const std::string_view> ImageExtensions();

}  // namespace detwatch::dataset
