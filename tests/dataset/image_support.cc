#include "tests/dataset/image_support.h"

namespace detwatch {
namespace {

std::string Little(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
  }
  return text;
}

std::string Big(std::uint32_t value, int bytes) {
  const std::string text = Little(value, bytes);
  return {text.rbegin(), text.rend()};
}

std::string Webp(const std::string& chunk, const std::string& payload) {
  const std::string body = "WEBP" + chunk + Little(static_cast<std::uint32_t>(payload.size()), 4) + payload;
  return "RIFF" + Little(static_cast<std::uint32_t>(body.size()), 4) + body + std::string(16, '\0');
}

}  // namespace

std::string PngOf(std::uint32_t width, std::uint32_t height) {
  return "\x89PNG\r\n\x1a\n" + Big(13, 4) + "IHDR" + Big(width, 4) + Big(height, 4) +
         std::string("\x08\x02\0\0\0", 5);
}

std::string GifOf(std::uint32_t width, std::uint32_t height) {
  return "GIF89a" + Little(width, 2) + Little(height, 2) + std::string(3, '\0');
}

std::string BmpOf(std::int32_t width, std::int32_t height) {
  return "BM" + std::string(12, '\0') + Little(40, 4) + Little(static_cast<std::uint32_t>(width), 4) +
         Little(static_cast<std::uint32_t>(height), 4) + std::string(28, '\0');
}

std::string OldBmpOf(std::uint32_t width, std::uint32_t height) {
  return "BM" + std::string(12, '\0') + Little(12, 4) + Little(width, 2) + Little(height, 2) +
         std::string(8, '\0');
}

std::string JpegOf(std::uint32_t width, std::uint32_t height, int exif_orientation, bool exif_little_endian) {
  std::string text = "\xff\xd8";
  text += "\xff\xe0" + Big(16, 2) + std::string("JFIF\0\1\1\0\0\1\0\1\0\0", 14);
  if (exif_orientation != 0) {
    const auto number = [&](std::uint32_t value, int bytes) {
      return exif_little_endian ? Little(value, bytes) : Big(value, bytes);
    };
    std::string tiff = (exif_little_endian ? "II" : "MM") + number(42, 2) + number(8, 4) + number(2, 2);
    tiff += number(0x010f, 2) + number(2, 2) + number(4, 4) + "abc" + std::string(1, '\0');  // maker
    tiff += number(0x0112, 2) + number(3, 2) + number(1, 4) +
            number(static_cast<std::uint32_t>(exif_orientation), 2) + number(0, 2) + number(0, 4);
    const std::string payload = std::string("Exif\0\0", 6) + tiff;
    text += "\xff\xe1" + Big(static_cast<std::uint32_t>(payload.size()) + 2, 2) + payload;
  }
  text += "\xff\xc4" + Big(5, 2) + std::string(3, '\x11');  // Huffman table: 0xc4 is no frame header
  text += "\xff\xff\xc2" + Big(17, 2) + "\x08" + Big(height, 2) + Big(width, 2) + std::string(10, '\1');
  return text + "\xff\xda";
}

std::string LossyWebpOf(std::uint32_t width, std::uint32_t height) {
  return Webp("VP8 ",
              std::string("\x10\x02\0\x9d\x01\x2a", 6) + Little(width | 0x4000, 2) + Little(height, 2));
}

std::string LosslessWebpOf(std::uint32_t width, std::uint32_t height) {
  return Webp("VP8L", "\x2f" + Little((width - 1) | (height - 1) << 14, 4));
}

std::string ExtendedWebpOf(std::uint32_t width, std::uint32_t height) {
  return Webp("VP8X", std::string(4, '\0') + Little(width - 1, 3) + Little(height - 1, 3));
}

}  // namespace detwatch
