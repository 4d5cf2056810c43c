// YOLO labels and class lists, from texts.
#include "lib/dataset/yolo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "lib/dataset/class_names.h"
#include "lib/dataset/coco.h"

namespace detwatch::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Frame Image(std::string stem, ImageSize size) {
  Frame frame;
  frame.frame_id = std::move(stem);
  frame.size = size;
  return frame;
}

class YoloReaderTest : public testing::Test {
 protected:
  static std::string Error(std::string_view text) {
    YoloReader reader({{0, "cat"}, {1, "dog"}}, {Image("a", {200, 100})});
    const auto read = reader.AddLabels(0, "val/a.txt", text);
    return read ? "read without an error" : read.error().message;
  }
  YoloReader reader_{{{0, "cat"}, {1, "dog"}}, {Image("b", {40, 80}), Image("a", {200, 100})}};
};

TEST_F(YoloReaderTest, SharesOfTheImageBecomePixels) {
  ASSERT_EQ(reader_.frames()[0].frame_id, "a") << "in the order of the data set";
  ASSERT_TRUE(reader_.AddLabels(0, "a.txt", "1 0.5 0.5 0.25 0.5\n\n0 0.1 0.2 0.2 0.4\r\n").has_value());
  const Dataset data = std::move(reader_).Finish();
  EXPECT_EQ(data.format, Format::kYolo);
  EXPECT_THAT(data.classes, ElementsAre(ClassEntry{0, "cat"}, ClassEntry{1, "dog"}));
  ASSERT_EQ(data.frames.size(), 2U);
  const Frame& a = data.frames[0];
  EXPECT_EQ(a.labels.frame.frame_id, "a");
  EXPECT_EQ(a.image_id, 1);
  EXPECT_THAT(a.labels.class_ids, ElementsAre(1, 0));
  EXPECT_THAT(a.labels.boxes, ElementsAre(Box{75, 25, 50, 50}, Box{0, 0, 40, 40}));
  EXPECT_THAT(a.labels.areas, ElementsAre(2500, 1600));
  EXPECT_THAT(data.frames[1].labels.boxes, IsEmpty());
}

TEST_F(YoloReaderTest, StemsThatAreNumbersAreImageIds) {
  YoloReader reader({{7, "dog"}}, {Image("10", {10, 10}), Image("09", {10, 10})});
  ASSERT_TRUE(reader.AddLabels(1, "10.txt", "7 0.5 0.5 0.5 0.5\n").has_value());
  const Dataset data = std::move(reader).Finish();
  EXPECT_EQ(data.frames[0].image_id, 9);
  EXPECT_EQ(data.frames[0].frame_id, "09");
  EXPECT_EQ(data.frames[1].image_id, 10);
  EXPECT_THAT(data.frames[1].labels.class_ids, ElementsAre(0));
}

TEST_F(YoloReaderTest, ResultsListsNameFramesByTheirStem) {
  Dataset data = std::move(reader_).Finish();
  ASSERT_TRUE(ReadCocoResults("dt.json",
                              R"([{"image_id": "b", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
                                            {"image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}])",
                              data)
                  .has_value());
  EXPECT_THAT(data.frames[1].predictions.class_ids, ElementsAre(1));
  EXPECT_THAT(data.frames[0].predictions.class_ids, ElementsAre(0));
}

TEST_F(YoloReaderTest, AnErrorInALabelFileNamesTheLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\n0 0.5 0.5 0.5\n", "a.txt: line 2: 4 values; a ground truth is CLASS CX CY W H"},
      {"0 0.5 0.5 0.5 0.5 0.9\n", "line 1: 6 values; a ground truth is"},
      {"2 0.5 0.5 0.5 0.5\n", "line 1: class \"2\" is not among the class names"},
      {"dog 0.5 0.5 0.5 0.5\n", "line 1: class \"dog\" is not among the class names"},
      {"0 0,5 0.5 0.5 0.5\n", "line 1: centre x \"0,5\" is not a number"},
      {"0 0.5 nan 0.5 0.5\n", "line 1: centre y "},
      {"0 0.5 0.5 320 0.5\n", "line 1: width 320 is not a share of the image"},
      {"0 0.5 0.5 0.5 -0.5\n", "line 1: the height -50 is negative"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Error(text), HasSubstr(message)) << text;
  }
}

TEST(ClassNamesTest, AListAMapAndLinesAreTheSame) {
  const auto expected = ElementsAre(ClassEntry{0, "big cat"}, ClassEntry{1, "dog"});
  EXPECT_THAT(ParseClassNames("data.yaml", "names: [big cat, dog]\n").value(), expected);
  EXPECT_THAT(ParseClassNames("data.yml", "names:\n  1: dog\n  0: big cat\n").value(), expected);
  EXPECT_THAT(ParseClassNames("set/classes.txt", "big cat\n dog\r\n\n").value(), expected);
}

TEST(ClassNamesTest, ABrokenClassListIsAnErrorThatNamesIt) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"train: x\n", "data.yaml: names: is missing"},
      {"", "data.yaml: names: is missing"},
      {"names: {a: cat}\n", "data.yaml: names: \"a\" is not a class number"},
      {"names: {1: cat, 01: dog}\n", "data.yaml: names: class number 1 is listed twice"},
      {"names: []\n", "data.yaml: names no class"},
      {"just text", "data.yaml: "},
      {"names: [[1]]\n", "data.yaml: "},
      {"names: [\n", "data.yaml: "}};
  for (const auto& [text, message] : cases) {
    const auto names = ParseClassNames("data.yaml", text);
    ASSERT_FALSE(names.has_value()) << text;
    EXPECT_THAT(names.error().message, HasSubstr(message)) << text;
  }
  EXPECT_EQ(ParseClassNames("classes.txt", "cat\n\ndog\n").error().message, "classes.txt: line 2 is empty");
  EXPECT_EQ(ParseClassNames("classes.txt", "\n").error().message, "classes.txt: names no class");
}

}  // namespace
}  // namespace detwatch::dataset
