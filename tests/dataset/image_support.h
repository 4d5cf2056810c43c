#pragma once
// Image files without pixels: headers, as their formats have them.

#include <cstdint>
#include <string>

namespace detwatch {

[[nodiscard]] std::string PngOf(std::uint32_t width, std::uint32_t height);
[[nodiscard]] std::string GifOf(std::uint32_t width, std::uint32_t height);
[[nodiscard]] std::string BmpOf(std::int32_t width, std::int32_t height);
[[nodiscard]] std::string OldBmpOf(std::uint32_t width, std::uint32_t height);  // OS/2
// `exif_orientation` 0: no EXIF segment.
[[nodiscard]] std::string JpegOf(std::uint32_t width, std::uint32_t height, int exif_orientation = 0,
                                 bool exif_little_endian = true);
[[nodiscard]] std::string LossyWebpOf(std::uint32_t width, std::uint32_t height);
[[nodiscard]] std::string LosslessWebpOf(std::uint32_t width, std::uint32_t height);
[[nodiscard]] std::string ExtendedWebpOf(std::uint32_t width, std::uint32_t height);

}  // namespace detwatch
