#include "lib/dataset/image_size.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace detwatch::dataset {
namespace {

using Bytes = std::string_view;

constexpr std::string_view kNoSize = "the image header holds no size";

// Requires: the range is inside `bytes`.
std::uint32_t LittleEndian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::uint32_t BigEndian(Bytes bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::optional<ImageSize> PngSize(Bytes head) {
  if (head.size() < 24 || head.substr(12, 4) != "IHDR") {
    return std::nullopt;
  }
  return ImageSize{BigEndian(head, 16, 4), BigEndian(head, 20, 4)};
}

std::optional<ImageSize> GifSize(Bytes head) {
  if (head.size() < 10) {
    return std::nullopt;
  }
  return ImageSize{LittleEndian(head, 6, 2), LittleEndian(head, 8, 2)};
}

std::optional<ImageSize> BmpSize(Bytes head) {
  if (head.size() < 26) {
    return std::nullopt;
  }
  if (LittleEndian(head, 14, 4) == 12) {  // OS/2 header
    return ImageSize{LittleEndian(head, 18, 2), LittleEndian(head, 20, 2)};
  }
  const std::uint32_t height = LittleEndian(head, 22, 4);
  // A negative height means that rows run from top to bottom.
  const bool negative = height > std::numeric_limits<std::int32_t>::max();
  return ImageSize{LittleEndian(head, 18, 4), negative ? 0U - height : height};
}

std::optional<ImageSize> WebpSize(Bytes head) {
  if (head.size() < 30) {
    return std::nullopt;
  }
  const Bytes chunk = head.substr(12, 4);
  if (chunk == "VP8 ") {  // lossy: 14 bits each, after frame tag and start code
    return ImageSize{LittleEndian(head, 26, 2) & 0x3fff, LittleEndian(head, 28, 2) & 0x3fff};
  }
  if (chunk == "VP8L") {  // lossless: 14 bits each, less one
    const std::uint32_t bits = LittleEndian(head, 21, 4);
    return ImageSize{(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1};
  }
  if (chunk == "VP8X") {  // extended: 24 bits each, less one
    return ImageSize{LittleEndian(head, 24, 3) + 1, LittleEndian(head, 27, 3) + 1};
  }
  return std::nullopt;
}

// True when the EXIF orientation (tag 0x0112 of the first directory) is 5 to 8.
bool ExifTurnsByAQuarter(Bytes segment) {
  constexpr std::size_t kTiff = 6;  // after "Exif\0\0"
  if (segment.size() < kTiff + 8 || segment.substr(0, 4) != "Exif") {
    return false;
  }
  const Bytes tiff = segment.substr(kTiff);
  const bool little = tiff.substr(0, 2) == "II";
  const auto read = [&](std::size_t at, std::size_t count) {
    return little ? LittleEndian(tiff, at, count) : BigEndian(tiff, at, count);
  };
  const std::size_t directory = read(4, 4);
  if (directory + 2 > tiff.size()) {
    return false;
  }
  const std::size_t entries = read(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) {
      return false;
    }
    if (read(entry, 2) == 0x0112) {
      const std::uint32_t orientation = read(entry + 8, 2);
      return orientation >= 5 && orientation <= 8;
    }
  }
  return false;
}

ImageHeader More(Bytes head, std::string_view problem, std::size_t needed) {
  constexpr std::size_t kFirst = 4096;
  // Twice as much each time, because every call begins at the start.
  return {std::nullopt, problem, std::max({needed, 2 * head.size(), kFirst})};
}

ImageHeader Sized(std::optional<ImageSize> size) {
  if (!size || size->width == 0 || size->height == 0) {
    return {std::nullopt, kNoSize, 0};
  }
  return {size, {}, 0};
}

// Walks the segments up to the frame header (SOF0 to SOF15 but DHT, JPG and DAC).
ImageHeader JpegHeader(Bytes head) {
  constexpr std::size_t kNext = 512;  // small tables and the frame header itself
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(head[at]); };
  bool turned = false;
  for (std::size_t at = 2;;) {
    if (at < head.size() && byte(at) != 0xff) {
      return Sized(std::nullopt);
    }
    while (at < head.size() && byte(at) == 0xff) {  // fill bytes
      ++at;
    }
    if (at >= head.size()) {
      return More(head, kNoSize, at + kNext);
    }
    const unsigned marker = byte(at++);
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {  // no payload
      continue;
    }
    if (head.size() - at < 2) {
      return More(head, kNoSize, at + kNext);
    }
    const std::size_t length = BigEndian(head, at, 2);
    if (length < 2 || marker == 0xd9 || marker == 0xda) {
      return Sized(std::nullopt);
    }
    if (head.size() - at < length) {
      return More(head, kNoSize, at + length + kNext);
    }
    const Bytes segment = head.substr(at + 2, length - 2);
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
      if (segment.size() < 5) {
        return Sized(std::nullopt);
      }
      const ImageSize stored{BigEndian(segment, 3, 2), BigEndian(segment, 1, 2)};
      return Sized(turned ? ImageSize{stored.height, stored.width} : stored);
    }
    turned = turned || (marker == 0xe1 && ExifTurnsByAQuarter(segment));
    at += length;
  }
}

}  // namespace

ImageHeader ReadImageHeader(std::string_view head) {
  constexpr std::size_t kLongest = 32;  // of all but JPEG
  if (head.starts_with("\xff\xd8")) {
    return JpegHeader(head);
  }
  ImageHeader header;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) {
    header = Sized(PngSize(head));
  } else if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) {
    header = Sized(GifSize(head));
  } else if (head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") {
    header = Sized(WebpSize(head));
  } else if (head.starts_with("BM")) {
    header = Sized(BmpSize(head));
  } else {
    header.problem = "not a PNG, JPEG, BMP, GIF or WebP file";
  }
  return header.size || head.size() >= kLongest ? header : More(head, header.problem, kLongest);
}

std::span<const std::string_view> ImageExtensions() {
  static constexpr std::array<std::string_view, 6> kExtensions = {".jpg", ".jpeg", ".png",
                                                                  ".bmp", ".gif",  ".webp"};
  return kExtensions;
}

}  // namespace detwatch::dataset
