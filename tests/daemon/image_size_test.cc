#include "daemon/dataset/image_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/image_support.h"
#include "tests/daemon/temp_tree_support.h"

namespace detwatch::dataset {
namespace {

using testing::HasSubstr;

class ImageSizeTest : public testing::Test {
 protected:
  ImageSize SizeOf(const std::string& bytes) {
    const auto size = ReadImageSize(tree_.Write("image", bytes));
    EXPECT_TRUE(size.has_value()) << size.error().message;
    return size.value_or(ImageSize());
  }
  std::string Error(const std::string& bytes) {
    const auto size = ReadImageSize(tree_.Write("image", bytes));
    return size ? "read without an error" : size.error().message;
  }
  TempTree tree_;
};

TEST_F(ImageSizeTest, EveryFormatTellsItsSize) {
  const ImageSize size{1025, 683};
  EXPECT_EQ(SizeOf(PngOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(GifOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(BmpOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(OldBmpOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(JpegOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(LossyWebpOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(LosslessWebpOf(1025, 683)), size);
  EXPECT_EQ(SizeOf(ExtendedWebpOf(1025, 683)), size);
}

TEST_F(ImageSizeTest, ABitmapStoredFromTopToBottomHasANegativeHeight) {
  EXPECT_EQ(SizeOf(BmpOf(30, -20)), (ImageSize{30, 20}));
}

TEST_F(ImageSizeTest, AJpegTurnedByAQuarterHasItsSidesSwapped) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool little : {false, true}) {
      const ImageSize size = SizeOf(JpegOf(300, 200, orientation, little));
      EXPECT_EQ(size, orientation >= 5 ? (ImageSize{200, 300}) : (ImageSize{300, 200})) << orientation;
    }
  }
}

TEST_F(ImageSizeTest, AFileThatIsNoImageIsAnError) {
  EXPECT_THAT(Error("hello"), HasSubstr("image: not a PNG, JPEG, BMP, GIF or WebP file"));
  EXPECT_THAT(Error(""), HasSubstr("image: not a PNG, JPEG, BMP, GIF or WebP file"));
  const auto none = ReadImageSize(tree_.path() / "none.png");
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("none.png: cannot be opened"));
}

TEST_F(ImageSizeTest, AHeaderThatBreaksOffAnywhereIsAnErrorAndNothingWorse) {
  for (const std::string& image : {PngOf(9, 9), GifOf(9, 9), BmpOf(9, 9), OldBmpOf(9, 9), LossyWebpOf(9, 9),
                                   LosslessWebpOf(9, 9), ExtendedWebpOf(9, 9), JpegOf(9, 9, 6)}) {
    for (std::size_t length = 0; length < image.size(); ++length) {
      const auto size = ReadImageSize(tree_.Write("image", image.substr(0, length)));
      EXPECT_TRUE(!size || *size == (ImageSize{9, 9})) << length;
    }
    EXPECT_THAT(Error(image.substr(0, 9)), HasSubstr("image"));
  }
  EXPECT_THAT(Error(PngOf(0, 9)), HasSubstr("the image header holds no size"));
}

}  // namespace
}  // namespace detwatch::dataset
