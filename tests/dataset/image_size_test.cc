#include "lib/dataset/image_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/dataset/image_support.h"

namespace detwatch::dataset {
namespace {

std::vector<std::string> Images(std::uint32_t width, std::uint32_t height) {
  const auto signed_width = static_cast<std::int32_t>(width);
  return {PngOf(width, height),
          GifOf(width, height),
          BmpOf(signed_width, static_cast<std::int32_t>(height)),
          OldBmpOf(width, height),
          JpegOf(width, height),
          LossyWebpOf(width, height),
          LosslessWebpOf(width, height),
          ExtendedWebpOf(width, height)};
}

TEST(ImageSizeTest, EveryFormatTellsItsSize) {
  for (const std::string& image : Images(1025, 683)) {
    EXPECT_EQ(ReadImageHeader(image).size, (ImageSize{1025, 683})) << image.substr(0, 12);
  }
}

TEST(ImageSizeTest, ABitmapStoredFromTopToBottomHasANegativeHeight) {
  EXPECT_EQ(ReadImageHeader(BmpOf(30, -20)).size, (ImageSize{30, 20}));
}

TEST(ImageSizeTest, AJpegTurnedByAQuarterHasItsSidesSwapped) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      const auto size = ReadImageHeader(JpegOf(300, 200, orientation, little)).size;
      EXPECT_EQ(size, orientation >= 5 ? (ImageSize{200, 300}) : (ImageSize{300, 200})) << orientation;
    }
  }
}

TEST(ImageSizeTest, BytesThatAreNoImageSaySo) {
  for (const std::string& text : {std::string(), std::string("hello"), std::string(64, 'x')}) {
    const ImageHeader header = ReadImageHeader(text);
    EXPECT_FALSE(header.size.has_value());
    EXPECT_EQ(header.problem, "not a PNG, JPEG, BMP, GIF or WebP file");
    EXPECT_EQ(header.wants > 0, text.size() < 32) << "more bytes would not make it one";
  }
  const ImageHeader header = ReadImageHeader(PngOf(0, 9) + std::string(9, '\0'));
  EXPECT_FALSE(header.size.has_value());
  EXPECT_EQ(header.problem, "the image header holds no size");
  EXPECT_EQ(header.wants, 0U);
}

TEST(ImageSizeTest, AHeaderAsksForMoreUntilItIsWhole) {
  auto images = Images(9, 9);
  images.push_back(JpegOf(9, 9, 6));
  // Behind more EXIF data than one segment holds, and a run of fill bytes.
  std::string large = JpegOf(9, 9);
  const std::string segment = "\xff\xe1\xff\xff" + std::string(65533, 'e');
  large.insert(2, segment + segment + std::string(9000, '\xff'));
  images.push_back(large);
  for (const std::string& image : images) {
    bool whole = false;
    for (std::size_t length = 0; length <= image.size(); length += length < 9000 ? 1 : 997) {
      const ImageHeader header = ReadImageHeader(std::string_view(image).substr(0, length));
      if (header.size) {
        whole = true;
        EXPECT_EQ(*header.size, (ImageSize{9, 9})) << length;
        continue;
      }
      EXPECT_FALSE(whole) << "more bytes, and less is known: " << length;
      EXPECT_GT(header.wants, length);
      EXPECT_FALSE(header.problem.empty());
    }
    // As a reader of files does it: what is asked for is enough, in few steps.
    std::size_t length = 0;
    int steps = 0;
    while (!ReadImageHeader(std::string_view(image).substr(0, length)).size) {
      ASSERT_LT(++steps, 6);
      length = ReadImageHeader(std::string_view(image).substr(0, length)).wants;
    }
  }
}

}  // namespace
}  // namespace detwatch::dataset
