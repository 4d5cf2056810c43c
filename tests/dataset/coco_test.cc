// COCO texts, and what holds for data sets of every format.
#include "lib/dataset/coco.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace detwatch::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kGroundTruth = R"({
  "annotations": [
    {"id": 1, "image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "area": 10.5, "iscrowd": 0},
    {"id": 2, "image_id": 7.0, "category_id": 2, "bbox": [1.5, 2, 30, 40], "iscrowd": true},
    {"id": 3, "image_id": "9", "category_id": 2, "bbox": [0, 0, 0, 8], "difficult": 1,
     "segmentation": [[1, 2, 3]], "ignore": 1}],
  "images": [{"id": 9, "width": 640, "height": 480, "file_name": "x.jpg"}, {"id": 7}],
  "categories": [{"id": 5, "name": "dog"}, {"id": 2, "name": "cat"}]})";

class DatasetTest : public testing::Test {
 protected:
  static Dataset Read(std::string_view text) {
    auto data = ReadCocoGroundTruth("gt.json", std::string(text));
    EXPECT_TRUE(data.has_value()) << data.error().message;
    return data ? std::move(*data) : Dataset();
  }
  static std::string GroundTruthError(std::string_view text) {
    const auto data = ReadCocoGroundTruth("gt.json", std::string(text));
    return data ? "read without an error" : data.error().message;
  }
  static std::string ResultsError(std::string_view text) {
    Dataset data = Read(kGroundTruth);
    const auto read = ReadCocoResults("dt.json", text, data);
    return read ? "read without an error" : read.error().message;
  }
  // A ground truth file with one annotation.
  static std::string WithAnnotation(std::string_view annotation) {
    return R"({"images": [{"id": 1}], "categories": [{"id": 1, "name": "a"}], "annotations": [)" +
           std::string(annotation) + "]}";
  }
};

TEST_F(DatasetTest, FramesAscendByImageId) {
  const Dataset data = Read(kGroundTruth);
  ASSERT_EQ(data.frames.size(), 2U);
  EXPECT_EQ(data.frames[0].image_id, 7);
  EXPECT_EQ(data.frames[1].image_id, 9);
  EXPECT_EQ(data.frames[1].frame_id, "9");
  EXPECT_EQ(data.frames[1].labels.frame.frame_id, "9");
  EXPECT_EQ(data.frames[1].predictions.frame.frame_id, "9");
  EXPECT_EQ(data.frames[1].size, (ImageSize{640, 480}));
  EXPECT_EQ(data.frames[0].size, ImageSize());
  EXPECT_EQ(data.format, Format::kCoco);
}

TEST_F(DatasetTest, ClassesAscendByIdAndHaveUniqueNames) {
  const Dataset data = Read(R"json({"images": [], "annotations": [], "categories": [
    {"id": 3, "name": "cell"}, {"id": 1, "name": "cell"}, {"id": 2}, {"id": 4, "name": "cell (id 3)"}]})json");
  ASSERT_EQ(data.classes.size(), 4U);
  EXPECT_EQ(data.classes[0].name, "cell");
  EXPECT_EQ(data.classes[1].name, "2");
  EXPECT_EQ(data.classes[2].name, "cell (id 3) (id 3)");
  EXPECT_EQ(data.classes[3].name, "cell (id 3)");
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_THAT(data.warnings[0], HasSubstr("class id 3 has the name \"cell\" of another class"));
}

TEST_F(DatasetTest, AnnotationsLandInTheirFrameWhateverTheOrderOfTheFile) {
  const Dataset data = Read(kGroundTruth);
  const Labels& seven = data.frames[0].labels;
  EXPECT_THAT(seven.boxes, ElementsAre(Box{1.5, 2, 30, 40}));
  EXPECT_THAT(seven.areas, ElementsAre(1200));  // missing: w * h
  EXPECT_THAT(seven.class_ids, ElementsAre(0));
  EXPECT_THAT(seven.crowd, ElementsAre(1));
  EXPECT_THAT(seven.difficult, ElementsAre(0));
  const Labels& nine = data.frames[1].labels;
  EXPECT_THAT(nine.boxes, ElementsAre(Box{1, 2, 3, 4}, Box{0, 0, 0, 8}));
  EXPECT_THAT(nine.areas, ElementsAre(10.5, 0));
  EXPECT_THAT(nine.class_ids, ElementsAre(1, 0));
  EXPECT_THAT(nine.crowd, ElementsAre(0, 0));
  EXPECT_THAT(nine.difficult, ElementsAre(0, 1));
  EXPECT_EQ(data.GroundTruths(), 3U);
}

TEST_F(DatasetTest, DetectionsKeepTheOrderOfTheFile) {
  Dataset data = Read(kGroundTruth);
  constexpr std::string_view kResults = R"([
    {"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 0.1},
    {"image_id": "7", "category_id": 2.0, "bbox": [5, 6, 7, 8], "score": 1},
    {"score": 0.9, "bbox": [-1.25, 2, 3e1, 4], "category_id": 2, "image_id": 9, "segmentation": {"size": [1]}}])";
  ASSERT_TRUE(ReadCocoResults("dt.json", kResults, data).has_value());
  const Predictions& nine = data.frames[1].predictions;
  EXPECT_THAT(nine.boxes, ElementsAre(Box{1, 2, 3, 4}, Box{-1.25, 2, 30, 4}));
  EXPECT_THAT(nine.scores, ElementsAre(0.1F, 0.9F));
  EXPECT_THAT(nine.class_ids, ElementsAre(1, 0));
  EXPECT_EQ(data.frames[0].predictions.boxes.size(), 1U);
  EXPECT_EQ(data.Detections(), 3U);
  EXPECT_THAT(data.warnings, IsEmpty());
}

TEST_F(DatasetTest, UnknownCategoriesOfResultsAreLeftOutWithAWarning) {
  Dataset data = Read(kGroundTruth);
  constexpr std::string_view kResults = R"([
    {"image_id": 9, "category_id": 77, "bbox": [1, 2, 3, 4], "score": 0.1},
    {"image_id": 9, "category_id": 77, "bbox": [1, 2, 3, 4], "score": 0.2}])";
  ASSERT_TRUE(ReadCocoResults("dt.json", kResults, data).has_value());
  EXPECT_EQ(data.Detections(), 0U);
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_THAT(data.warnings[0], HasSubstr("2 detections of category_id 77 are left out"));
}

TEST_F(DatasetTest, AnErrorInAGroundTruthNamesTheRecordAndTheField) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"category_id": 1, "bbox": [1, 2, 3, 4]})", "gt.json: annotations[0].image_id: is missing"},
      {R"({"image_id": 1, "bbox": [1, 2, 3, 4]})", "annotations[0].category_id: is missing"},
      {R"({"image_id": 1, "category_id": 1})", "annotations[0].bbox: is missing"},
      {R"({"image_id": 1.5, "category_id": 1, "bbox": [1, 2, 3, 4]})",
       "annotations[0].image_id: is neither an integer nor the text of one"},
      {R"({"image_id": "one", "category_id": 1, "bbox": [1, 2, 3, 4]})",
       "annotations[0].image_id: is neither"},
      {R"({"image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4]})",
       "annotations[0].image_id: 2 is not among the images"},
      {R"({"image_id": 1, "category_id": 8, "bbox": [1, 2, 3, 4]})",
       "annotations[0].category_id: 8 is not among the categories"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]})",
       "annotations[0].bbox: is not a list of four"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4, 5]})",
       "annotations[0].bbox: is not a list of four"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, "2", 3, 4]})",
       "annotations[0].bbox: is not a list of four"},
      {R"({"image_id": 1, "category_id": 1, "bbox": null})", "annotations[0].bbox: is not a list of four"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, -3, 4]})",
       "annotations[0].bbox: the width -3 is negative"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, -4]})",
       "annotations[0].bbox: the height -4 is negative"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": -1})",
       "annotations[0].area: is negative"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": "big"})",
       "annotations[0].area: is not a number"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 2})",
       "annotations[0].iscrowd: is not 0 or 1"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "difficult": "no"})",
       "annotations[0].difficult: is not 0 or 1"},
      {R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}, 17)", "annotations[1]: is not an object"}};
  for (const auto& [annotation, message] : cases) {
    EXPECT_THAT(GroundTruthError(WithAnnotation(annotation)), HasSubstr(message)) << annotation;
  }
}

TEST_F(DatasetTest, AnErrorInTheFrameOfAGroundTruthFileSaysWhatIsMissing) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[]", "gt.json: not a COCO instances file: the top level is not an object"},
      {R"({"annotations": [], "categories": []})", "not a COCO instances file: images is missing"},
      {R"({"images": [], "categories": []})", "not a COCO instances file: annotations is missing"},
      {R"({"images": [], "annotations": []})", "not a COCO instances file: categories is missing"},
      {R"({"images": 3, "annotations": [], "categories": []})", "images: is not a list"},
      {R"({"images": [{"width": 3}], "annotations": [], "categories": []})", "images[0].id: is missing"},
      {R"({"images": [{"id": 3, "width": -3}], "annotations": [], "categories": []})",
       "images[0].width: is out of range"},
      {R"({"images": [{"id": 3}, {"id": 3}], "annotations": [], "categories": []})",
       "images: id 3 is listed twice"},
      {R"({"images": [], "annotations": [], "categories": [{"id": 4}, {"id": 4}]})",
       "categories: id 4 is listed twice"},
      {R"({"images": [], "annotations": [], "categories": [{"name": "a"}]})", "categories[0].id: is missing"},
      {R"({"images": [], "annotations": [], "categories": [{"id": 1, "name": 5}]})",
       "categories[0].name: is not text"},
      {R"({"images": [{"id": 3}], "annotations": [}, "categories": []})", "annotations[0]: is not an object"},
      {R"({"images": [{"id": 3], "annotations": [], "categories": []})", "not valid JSON near byte "},
      {R"({"images": [{"id": 3}], "annotations": [)", "not valid JSON"},
      {"", "not valid JSON"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(GroundTruthError(text), HasSubstr(message)) << text;
  }
}

TEST_F(DatasetTest, AnErrorInResultsNamesTheRecordAndTheField) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"annotations": []})", "dt.json: not a COCO results file: the top level is not a list"},
      {R"([5])", "results[0]: is not an object"},
      {R"([{"category_id": 5, "bbox": [1, 2, 3, 4], "score": 1}])", "results[0].image_id: is missing"},
      {R"([{"image_id": 9, "bbox": [1, 2, 3, 4], "score": 1}])", "results[0].category_id: is missing"},
      {R"([{"image_id": 9, "category_id": 5, "score": 1}])", "results[0].bbox: is missing"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4]}])", "results[0].score: is missing"},
      {R"([{"image_id": 8, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 1}])",
       "results[0].image_id: 8 is not in the ground truth"},
      {R"([{"image_id": "x", "category_id": 5, "bbox": [1, 2, 3, 4], "score": 1}])",
       "results[0].image_id: \"x\" is not in the ground truth"},
      {R"([{"image_id": null, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 1}])",
       "results[0].image_id: is neither an integer nor text"},
      {R"([{"image_id": 9, "category_id": "dog", "bbox": [1, 2, 3, 4], "score": 1}])",
       "results[0].category_id: is neither"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3], "score": 1}])",
       "results[0].bbox: is not a list of four"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, -3, 4], "score": 1}])",
       "results[0].bbox: the width -3 is negative"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 1.5}])",
       "results[0].score: 1.5 is not in [0, 1]"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": NaN}])",
       "results[0].score: is not a number"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": "high"}])",
       "results[0].score: is not a number"},
      {R"([{"image_id": 9, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 1}, {"image_id": 9]})",
       "not valid JSON"},
      {R"([{"image_id": 9, "category_id": 5)", "not valid JSON"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(ResultsError(text), HasSubstr(message)) << text;
  }
}

TEST(ParseImageSizeTest, TakesWidthAndHeightInPixels) {
  EXPECT_EQ(ParseImageSize("640x480").value(), (ImageSize{640, 480}));
  for (const std::string_view text :
       {"", "640", "x", "640x", "x480", "0x480", "640x480 ", "-1x5", "1e3x5", "9999999x1"}) {
    const auto size = ParseImageSize(text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_THAT(size.error().message, HasSubstr("\"" + std::string(text) + "\" is not WIDTHxHEIGHT"));
  }
}

}  // namespace
}  // namespace detwatch::dataset
