// Predictions as text files, from texts.
#include "lib/dataset/text_predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace detwatch::dataset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TextPredictionsTest : public testing::Test {
 protected:
  explicit TextPredictionsTest(Format format = Format::kYolo) {
    data_.format = format;
    data_.classes = {{0, "cat"}, {1, "dog"}};
    data_.frames.resize(2);
    data_.frames[0].frame_id = "a";
    data_.frames[0].image_id = 1;
    data_.frames[0].size = {200, 100};
    data_.frames[1].frame_id = "42";
    data_.frames[1].image_id = 42;
  }
  std::string Error(std::string_view text, const std::string& stem = "a") {
    TextPredictions predictions(std::nullopt, std::nullopt, data_);
    const auto read = predictions.Add("p/" + stem + ".txt", stem, text);
    return read ? "read without an error" : read.error().message;
  }
  Dataset data_;
};

class VocPredictionsTest : public TextPredictionsTest {
 protected:
  VocPredictionsTest() : TextPredictionsTest(Format::kVoc) {}
};

class CocoPredictionsTest : public TextPredictionsTest {
 protected:
  CocoPredictionsTest() : TextPredictionsTest(Format::kCoco) {}
};

TEST_F(TextPredictionsTest, SharesHaveTheirConfidenceLast) {
  EXPECT_EQ(Error("0 0.5 0.5 0.25 0.5 0.75\n1 0.5 0.5 0.25 0.5 0.5\n"), "read without an error");
  const Predictions& a = data_.frames[0].predictions;
  EXPECT_THAT(a.class_ids, ElementsAre(0, 1));
  EXPECT_THAT(a.scores, ElementsAre(0.75F, 0.5F));
  EXPECT_EQ(a.boxes[0], (Box{75, 25, 50, 50}));
  EXPECT_THAT(data_.frames[1].predictions.boxes, IsEmpty());
}

TEST_F(TextPredictionsTest, AClassListBesideThePredictionsIsMatchedByName) {
  const std::vector<ClassEntry> names = {{0, "dog"}, {1, "cat"}, {2, "bird"}};
  TextPredictions predictions(names, std::nullopt, data_);
  ASSERT_TRUE(predictions.Add("a.txt", "a", "0 0.5 0.5 0.25 0.5 0.75\n2 0.5 0.5 0.25 0.5 0.5\n").has_value());
  predictions.Finish("other");
  EXPECT_THAT(data_.frames[0].predictions.class_ids, ElementsAre(1));
  EXPECT_THAT(data_.warnings, ElementsAre("other: 1 detections of class \"bird\" are left out: the ground "
                                          "truth has no such class"));
}

TEST_F(TextPredictionsTest, AnErrorNamesTheLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0 0.5 0.5 0.5 0.5\n", "p/a.txt: line 1: 5 values; a detection is CLASS CX CY W H CONFIDENCE"},
      {"5 0.5 0.5 0.5 0.5 0.9\n", "line 1: class 5 is not among the class names"},
      {"0 0.5 0.5 0.5 0.5 1.5\n", "line 1: confidence 1.5 is not in [0, 1]"},
      {"0 0.5 0.5 0.5 0.5 high\n", "line 1: confidence \"high\" is not a number"},
      {"cat 0.5 9 0 3 5\n", "line 1: the width -6 is negative"},
      {"cat 0.5 9 0 x 5\n", "line 1: right \"x\" is not a number"}};
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Error(text), HasSubstr(message)) << text;
  }
  EXPECT_THAT(Error("", "z"), HasSubstr("z.txt: the ground truth has no frame z"));
}

TEST_F(VocPredictionsTest, CornersFollowTheNameOfTheClass) {
  TextPredictions predictions(std::nullopt, std::nullopt, data_);
  ASSERT_TRUE(predictions.Add("a.txt", "a", "dog 0.9 10 20 110 70\nblue cat 0.5 1 2 3 4\ncat 0.25 1 2 3 4\n")
                  .has_value());
  predictions.Finish("dt");
  EXPECT_THAT(data_.frames[0].predictions.class_ids, ElementsAre(1, 0));
  EXPECT_THAT(data_.frames[0].predictions.boxes, ElementsAre(Box{10, 20, 100, 50}, Box{1, 2, 2, 2}));
  ASSERT_EQ(data_.warnings.size(), 1U);
  EXPECT_THAT(data_.warnings[0], HasSubstr("1 detections of class \"blue cat\" are left out"));
}

TEST_F(VocPredictionsTest, ClassNumbersNeedAClassList) {
  constexpr std::string_view kLine = "0 0.5 0.5 0.2 0.2 0.9\n";
  EXPECT_THAT(Error(kLine),
              HasSubstr("line 1: class numbers need a data.yaml or classes.txt beside the predictions"));
  TextPredictions predictions(std::vector<ClassEntry>{{0, "dog"}}, std::nullopt, data_);
  ASSERT_TRUE(predictions.Add("a.txt", "a", kLine).has_value());
  EXPECT_THAT(data_.frames[0].predictions.class_ids, ElementsAre(1));
  EXPECT_EQ(data_.frames[0].predictions.boxes[0].w, 40);
}

TEST_F(TextPredictionsTest, SharesOfAnImageOfUnknownSizeAreAnError) {
  constexpr std::string_view kLine = "0 0.5 0.5 0.2 0.2 0.9\n";
  EXPECT_THAT(Error(kLine, "42"), HasSubstr("line 1: the size of frame 42 is unknown; give --image-size"));
  TextPredictions predictions(std::nullopt, ImageSize{10, 10}, data_);
  ASSERT_TRUE(predictions.Add("42.txt", "42", kLine).has_value());
  EXPECT_EQ(data_.frames[1].predictions.boxes[0].w, 2);
}

TEST_F(CocoPredictionsTest, FilesOfACocoSetMayHavePaddedNames) {
  EXPECT_EQ(Error("dog 0.9 1 2 3 4\n", "000000000042"), "read without an error");
  EXPECT_EQ(data_.frames[1].predictions.boxes.size(), 1U);
}

}  // namespace
}  // namespace detwatch::dataset
