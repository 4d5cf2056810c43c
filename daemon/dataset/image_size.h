#pragma once
// daemon/dataset -- width and height from the header of an image file, without decoding it: YOLO labels are
// shares of the image, so without the size there are no pixels.
//
// PNG, JPEG, BMP, GIF and WebP, told apart by their first bytes, not by the file name. A JPEG that its EXIF
// orientation turns by a quarter has its sides swapped, as those see it who draw the labels.
// Cost: a few hundred bytes read per file. Errors: name the file.

#include <filesystem>
#include <string_view>
#include <vector>

#include "daemon/dataset/dataset.h"
#include "lib/core/result.h"

namespace detwatch::dataset {

[[nodiscard]] Result<ImageSize> ReadImageSize(const std::filesystem::path& path);

// ".jpg", ...: what counts as an image in a directory.
[[nodiscard]] const std::vector<std::string_view>& ImageExtensions();

}  // namespace detwatch::dataset
