#include "daemon/dataset/image_size.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace detwatch::dataset {
namespace {

using Bytes = std::string_view;

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

// Walks the segments up to the frame header (SOF0 to SOF15 but DHT, JPG and DAC).
std::optional<ImageSize> JpegSize(std::istream& file) {
  file.seekg(2);
  bool turned = false;
  for (;;) {
    int marker = file.get();
    if (marker != 0xff) {
      return std::nullopt;
    }
    while (marker == 0xff) {  // fill bytes
      marker = file.get();
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {  // no payload
      continue;
    }
    std::array<char, 2> length_bytes{};
    if (!file.read(length_bytes.data(), 2)) {
      return std::nullopt;
    }
    const std::uint32_t length = BigEndian(Bytes(length_bytes.data(), 2), 0, 2);
    if (length < 2 || marker == 0xd9 || marker == 0xda) {
      return std::nullopt;
    }
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (!frame && marker != 0xe1) {
      file.seekg(static_cast<std::streamoff>(length) - 2, std::ios::cur);
      continue;
    }
    std::string segment(length - 2, '\0');
    if (!file.read(segment.data(), static_cast<std::streamsize>(segment.size()))) {
      return std::nullopt;
    }
    if (frame) {
      if (segment.size() < 5) {
        return std::nullopt;
      }
      const ImageSize stored{BigEndian(segment, 3, 2), BigEndian(segment, 1, 2)};
      return turned ? ImageSize{stored.height, stored.width} : stored;
    }
    turned = turned || ExifTurnsByAQuarter(segment);
  }
}

}  // namespace

Result<ImageSize> ReadImageSize(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(path.string() + ": cannot be opened");
  }
  std::array<char, 32> buffer{};
  file.read(buffer.data(), buffer.size());
  const Bytes head(buffer.data(), static_cast<std::size_t>(file.gcount()));
  file.clear();
  std::optional<ImageSize> size;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) {
    size = PngSize(head);
  } else if (head.starts_with("\xff\xd8")) {
    size = JpegSize(file);
  } else if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) {
    size = GifSize(head);
  } else if (head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") {
    size = WebpSize(head);
  } else if (head.starts_with("BM")) {
    size = BmpSize(head);
  } else {
    return Fail(path.string() + ": not a PNG, JPEG, BMP, GIF or WebP file");
  }
  if (!size || size->width == 0 || size->height == 0) {
    return Fail(path.string() + ": the image header holds no size");
  }
  return *size;
}

const std::vector<std::string_view>& ImageExtensions() {
  static const std::vector<std::string_view> extensions = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp"};
  return extensions;
}

}  // namespace detwatch::dataset
