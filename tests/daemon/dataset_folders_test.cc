// YOLO and Pascal VOC directories, and predictions as text files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/dataset/dataset.h"
#include "tests/daemon/image_support.h"
#include "tests/daemon/temp_tree_support.h"

namespace detwatch::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FoldersTest : public testing::Test {
 protected:
  Dataset Read(const std::string& name, const ReadOptions& options = {}) {
    auto data = ReadGroundTruth(tree_.path() / name, options);
    EXPECT_TRUE(data.has_value()) << data.error().message;
    return data ? std::move(*data) : Dataset();
  }
  std::string Error(const std::string& name, const ReadOptions& options = {}) {
    const auto data = ReadGroundTruth(tree_.path() / name, options);
    return data ? "read without an error" : data.error().message;
  }
  std::string PredictionsError(const std::string& name, Dataset& data) {
    const auto read = ReadPredictions(tree_.path() / name, {}, data);
    return read ? "read without an error" : read.error().message;
  }
  TempTree tree_;
};

class YoloTest : public FoldersTest {
 protected:
  YoloTest() {
    tree_.Write("set/data.yaml", "names: [cat, dog]\n");
    tree_.Write("set/images/val/a.png", PngOf(200, 100));
    tree_.Write("set/images/val/b.jpg", JpegOf(40, 80));
    tree_.Write("set/labels/val/a.txt", "1 0.5 0.5 0.25 0.5\n\n0 0.1 0.2 0.2 0.4\r\n");
  }
};

TEST_F(YoloTest, SharesOfTheImageBecomePixels) {
  const Dataset data = Read("set/labels/val");
  EXPECT_EQ(data.format, Format::kYolo);
  ASSERT_EQ(data.classes.size(), 2U);
  EXPECT_EQ(data.classes[1].id, 1);
  EXPECT_EQ(data.classes[1].name, "dog");
  ASSERT_EQ(data.frames.size(), 2U);
  const Frame& a = data.frames[0];
  EXPECT_EQ(a.frame_id, "a");
  EXPECT_EQ(a.labels.frame.frame_id, "a");
  EXPECT_EQ(a.image_id, 1);
  EXPECT_EQ(a.size, (ImageSize{200, 100}));
  EXPECT_THAT(a.labels.class_ids, ElementsAre(1, 0));
  EXPECT_EQ(a.labels.boxes[0], (Box{75, 25, 50, 50}));
  EXPECT_EQ(a.labels.areas[0], 2500);
  EXPECT_EQ(a.labels.boxes[1], (Box{0, 0, 40, 40}));
}

TEST_F(YoloTest, AnImageWithoutALabelFileIsAnEmptyFrame) {
  const Dataset data = Read("set/labels/val/");
  EXPECT_EQ(data.frames[1].frame_id, "b");
  EXPECT_EQ(data.frames[1].size, (ImageSize{40, 80}));
  EXPECT_THAT(data.frames[1].labels.boxes, IsEmpty());
}

TEST_F(YoloTest, StemsThatAreNumbersAreImageIds) {
  tree_.Write("n/data.yaml", "names:\n  0: cat\n  7: dog\n");
  tree_.Write("n/labels/10.txt", "7 0.5 0.5 0.5 0.5\n");
  tree_.Write("n/labels/09.txt", "");
  ReadOptions options;
  options.image_size = ImageSize{10, 10};
  const Dataset data = Read("n", options);
  EXPECT_EQ(data.frames[0].image_id, 9);
  EXPECT_EQ(data.frames[0].frame_id, "09");
  EXPECT_EQ(data.frames[1].image_id, 10);
  EXPECT_THAT(data.frames[1].labels.class_ids, ElementsAre(1));
  EXPECT_EQ(data.classes[1].id, 7);
}

TEST_F(YoloTest, ClassesTxtBesideTheLabelsIsNoFrame) {
  tree_.Write("c/images/x.gif", GifOf(10, 10));
  tree_.Write("c/labels/classes.txt", "big cat\ndog\n\n");
  tree_.Write("c/labels/x.txt", "0 0.5 0.5 1 1");
  const Dataset data = Read("c");
  ASSERT_EQ(data.classes.size(), 2U);
  EXPECT_EQ(data.classes[0].name, "big cat");
  EXPECT_EQ(data.frames.size(), 1U);
}

TEST_F(YoloTest, PredictionsHaveTheirConfidenceLast) {
  Dataset data = Read("set");
  EXPECT_EQ(data.frames.size(), 0U) << "the labels are one level deeper";
  data = Read("set/labels/val");
  tree_.Write("run/labels/a.txt", "0 0.5 0.5 0.25 0.5 0.75\n1 0.5 0.5 0.25 0.5 0.5\n");
  const auto read = ReadPredictions(tree_.path() / "run", {}, data);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const Predictions& a = data.frames[0].predictions;
  EXPECT_THAT(a.class_ids, ElementsAre(0, 1));
  EXPECT_THAT(a.scores, ElementsAre(0.75F, 0.5F));
  EXPECT_EQ(a.boxes[0], (Box{75, 25, 50, 50}));
  EXPECT_THAT(data.frames[1].predictions.boxes, IsEmpty());
}

TEST_F(YoloTest, AClassListBesideThePredictionsIsMatchedByName) {
  Dataset data = Read("set/labels/val");
  tree_.Write("other/classes.txt", "dog\ncat\nbird\n");
  tree_.Write("other/a.txt", "0 0.5 0.5 0.25 0.5 0.75\n2 0.5 0.5 0.25 0.5 0.5\n");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "other", {}, data).has_value());
  EXPECT_THAT(data.frames[0].predictions.class_ids, ElementsAre(1));
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_THAT(data.warnings[0], HasSubstr("1 detections of class \"bird\" are left out"));
}

TEST_F(YoloTest, ResultsListsNameFramesByTheirStem) {
  Dataset data = Read("set/labels/val");
  tree_.Write("dt.json", R"([{"image_id": "b", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
                             {"image_id": 1, "category_id": 0, "bbox": [1, 2, 3, 4], "score": 0.5}])");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "dt.json", {}, data).has_value());
  EXPECT_THAT(data.frames[1].predictions.class_ids, ElementsAre(1));
  EXPECT_THAT(data.frames[0].predictions.class_ids, ElementsAre(0));
}

TEST_F(YoloTest, AnErrorInALabelFileNamesTheLine) {
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
    tree_.Write("set/labels/val/a.txt", text);
    EXPECT_THAT(Error("set/labels/val"), HasSubstr(message)) << text;
  }
}

TEST_F(YoloTest, ALabelFileWithoutItsImageNeedsAnImageSize) {
  tree_.Write("set/labels/val/c.txt", "0 0.5 0.5 0.5 0.5\n");
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("c.txt: no image c in "));
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("give --image-size if all images have one size"));
  ReadOptions options;
  options.image_size = ImageSize{100, 10};
  const Dataset data = Read("set/labels/val", options);
  ASSERT_EQ(data.frames.size(), 3U);
  EXPECT_EQ(data.frames[0].size, (ImageSize{100, 10}));
  EXPECT_EQ(data.frames[2].labels.boxes[0], (Box{25, 2.5, 50, 5}));
}

TEST_F(YoloTest, ABrokenClassListIsAnErrorThatNamesIt) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"train: x\n", "data.yaml: names: is missing"},
      {"names: {a: cat}\n", "data.yaml: names: \"a\" is not a class number"},
      {"names: {1: cat, 01: dog}\n", "data.yaml: names: class number 1 is listed twice"},
      {"names: []\n", "data.yaml: names no class"},
      {"names: [[1]]\n", "data.yaml: "},
      {"names: [\n", "data.yaml: "}};
  for (const auto& [text, message] : cases) {
    tree_.Write("set/data.yaml", text);
    EXPECT_THAT(Error("set/labels/val"), HasSubstr(message)) << text;
  }
  std::filesystem::remove(tree_.path() / "set/data.yaml");
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("val: no data.yaml or classes.txt"));
  tree_.Write("set/classes.txt", "cat\n\ndog\n");
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("classes.txt: line 2 is empty"));
}

TEST_F(YoloTest, TwoImagesOfOneStemAreAnError) {
  tree_.Write("set/images/val/a.jpg", JpegOf(5, 5));
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("name the same frame"));
}

TEST_F(YoloTest, AnErrorInPredictionsNamesTheLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0 0.5 0.5 0.5 0.5\n", "p/a.txt: line 1: 5 values; a detection is CLASS CX CY W H CONFIDENCE"},
      {"5 0.5 0.5 0.5 0.5 0.9\n", "line 1: class 5 is not among the class names"},
      {"0 0.5 0.5 0.5 0.5 1.5\n", "line 1: confidence 1.5 is not in [0, 1]"},
      {"0 0.5 0.5 0.5 0.5 high\n", "line 1: confidence \"high\" is not a number"},
      {"cat 0.5 9 0 3 5\n", "line 1: the width -6 is negative"},
      {"cat 0.5 9 0 x 5\n", "line 1: right \"x\" is not a number"}};
  Dataset data = Read("set/labels/val");
  for (const auto& [text, message] : cases) {
    tree_.Write("p/a.txt", text);
    EXPECT_THAT(PredictionsError("p", data), HasSubstr(message)) << text;
  }
  tree_.Write("q/z.txt", "");
  EXPECT_THAT(PredictionsError("q", data), HasSubstr("z.txt: the ground truth has no frame z"));
}

constexpr std::string_view kXml = R"(<?xml version="1.0"?><annotation><filename>x.jpg</filename>
  <size><width>500</width><height>375</height><depth>3</depth></size>
  <object><name>dog</name><difficult>1</difficult>
    <bndbox><xmin>10</xmin><ymin>20.5</ymin><xmax>110</xmax><ymax>70.5</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>
  <object><name> cat </name><bndbox><ymin>1</ymin><xmin>1</xmin><ymax>4</ymax><xmax>3</xmax></bndbox></object>
  </annotation>)";

TEST_F(FoldersTest, VocBoxesAreCornersWithoutInclusivePixels) {
  tree_.Write("voc/Annotations/2007_02.xml", kXml);
  tree_.Write("voc/Annotations/2007_01.xml", "<annotation/>");
  const Dataset data = Read("voc");
  EXPECT_EQ(data.format, Format::kVoc);
  ASSERT_EQ(data.classes.size(), 2U);
  EXPECT_EQ(data.classes[0].name, "cat");
  EXPECT_EQ(data.classes[0].id, 1);
  ASSERT_EQ(data.frames.size(), 2U);
  EXPECT_EQ(data.frames[0].frame_id, "2007_01");
  EXPECT_THAT(data.frames[0].labels.boxes, IsEmpty());
  const Frame& frame = data.frames[1];
  EXPECT_EQ(frame.image_id, 2);
  EXPECT_EQ(frame.size, (ImageSize{500, 375}));
  EXPECT_THAT(frame.labels.class_ids, ElementsAre(1, 0));
  EXPECT_THAT(frame.labels.boxes, ElementsAre(Box{10, 20.5, 100, 50}, Box{1, 1, 2, 3}));
  EXPECT_THAT(frame.labels.areas, ElementsAre(5000, 6));
  EXPECT_THAT(frame.labels.difficult, ElementsAre(1, 0));
  EXPECT_THAT(frame.labels.crowd, ElementsAre(0, 0));
}

TEST_F(FoldersTest, VocPredictionsNameTheClassAndTheCorners) {
  tree_.Write("voc/x.xml", kXml);
  Dataset data = Read("voc");
  tree_.Write("dt/x.txt", "dog 0.9 10 20 110 70\nblue cat 0.5 1 2 3 4\ncat 0.25 1 2 3 4\n");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "dt", {}, data).has_value());
  const Predictions& predictions = data.frames[0].predictions;
  EXPECT_THAT(predictions.class_ids, ElementsAre(1, 0));
  EXPECT_THAT(predictions.boxes, ElementsAre(Box{10, 20, 100, 50}, Box{1, 2, 2, 2}));
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_THAT(data.warnings[0], HasSubstr("1 detections of class \"blue cat\" are left out"));
}

TEST_F(FoldersTest, ClassNumbersForVocNeedAClassList) {
  tree_.Write("voc/x.xml", kXml);
  Dataset data = Read("voc");
  tree_.Write("dt/x.txt", "0 0.5 0.5 0.2 0.2 0.9\n");
  EXPECT_THAT(
      PredictionsError("dt", data),
      HasSubstr("x.txt: line 1: class numbers need a data.yaml or classes.txt beside the predictions"));
  tree_.Write("dt/classes.txt", "dog\n");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "dt", {}, data).has_value());
  EXPECT_THAT(data.frames[0].predictions.class_ids, ElementsAre(1));
  EXPECT_EQ(data.frames[0].predictions.boxes[0].w, 100);
}

TEST_F(FoldersTest, SharesOfAnImageOfUnknownSizeAreAnError) {
  tree_.Write("voc/x.xml", R"(<annotation><object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin>
    <xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>)");
  tree_.Write("dt/classes.txt", "dog\n");
  tree_.Write("dt/x.txt", "0 0.5 0.5 0.2 0.2 0.9\n");
  Dataset data = Read("voc");
  EXPECT_THAT(PredictionsError("dt", data),
              HasSubstr("line 1: the size of frame x is unknown; give --image-size"));
}

TEST_F(FoldersTest, PredictionsOfACocoSetMayBePaddedFileNames) {
  tree_.Write("gt.json", R"({"images": [{"id": 42, "width": 10, "height": 10}], "annotations": [],
                             "categories": [{"id": 3, "name": "dog"}]})");
  tree_.Write("dt/000000000042.txt", "dog 0.9 1 2 3 4\n");
  Dataset data = Read("gt.json");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "dt", {}, data).has_value());
  EXPECT_EQ(data.Detections(), 1U);
}

TEST_F(FoldersTest, AnErrorInAVocFileNamesTheObject) {
  const std::string box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<annotation><object>", "x.xml: not valid XML at byte "},
      {"<other/>", "x.xml: not a VOC annotation: the root is not <annotation>"},
      {"<annotation><size><width>wide</width></size></annotation>",
       "size.width: \"wide\" is not a whole number"},
      {"<annotation><object>" + box + "</object></annotation>", "object[0]: name is missing"},
      {"<annotation><object><name>a</name></object></annotation>", "object[0]: bndbox.xmin is missing"},
      {"<annotation><object><name>a</name>" + box +
           "</object><object><name>a</name><bndbox><xmin>1</xmin>"
           "<ymin>y</ymin></bndbox></object></annotation>",
       "object[1]: bndbox.ymin \"y\" is not a number"},
      {"<annotation><object><name>a</name><bndbox><xmin>5</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"
       "</bndbox></object></annotation>",
       "object[0]: bndbox: the width -3 is negative"},
      {"<annotation><object><name>a</name><difficult>yes</difficult>" + box + "</object></annotation>",
       "object[0]: difficult \"yes\" is not 0 or 1"}};
  for (const auto& [text, message] : cases) {
    tree_.Write("voc/x.xml", text);
    EXPECT_THAT(Error("voc"), HasSubstr(message)) << text;
  }
}

TEST_F(FoldersTest, XmlFilesAreNoPredictions) {
  tree_.Write("voc/x.xml", kXml);
  Dataset data = Read("voc");
  EXPECT_THAT(PredictionsError("voc", data), HasSubstr("voc: holds .xml files; predictions are .txt files"));
}

}  // namespace
}  // namespace detwatch::dataset
