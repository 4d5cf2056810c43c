// Every reader, shown every text that is one step away from a good one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/dataset/class_names.h"
#include "lib/dataset/coco.h"
#include "lib/dataset/image_size.h"
#include "lib/dataset/text_predictions.h"
#include "lib/dataset/voc.h"
#include "lib/dataset/yolo.h"
#include "tests/dataset/image_support.h"

namespace detwatch::dataset {
namespace {

constexpr std::string_view kCoco =
    R"({"images": [{"id": 1, "width": 4, "height": 3, "file_name": "\u00e4.jpg"}],
 "annotations": [{"image_id": 1, "category_id": 2, "bbox": [0, 1, 2.5, 3e0], "area": 7, "iscrowd": 0}],
 "categories": [{"id": 2, "name": "dog"}]})";
constexpr std::string_view kResults =
    R"([{"image_id": 1, "category_id": 2, "bbox": [0, 1, 2, 3], "score": 0.5}, {"image_id": "1",
 "category_id": 2.0, "bbox": [0, 1, 2, 3], "score": 1, "more": [{"a": "},{"}]}])";
constexpr std::string_view kVoc =
    R"(<?xml version="1.0"?><annotation><size><width>5</width><height>6</height></size><object><name>d&amp;g</name>
<difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4.5</ymax></bndbox></object></annotation>)";
constexpr std::string_view kYaml = "# of a set\nnames: {0: cat, 1: \"d\\u00f6g\", 2: &a 'x', 3: *a}\nnc: 4\n";

// The text read by one of the formats: the error, or all that was understood.
Result<std::string> Describe(const Result<Dataset>& data) {
  if (!data) {
    return tl::unexpected(data.error());
  }
  std::string text;
  for (const ClassEntry& entry : data->classes) {
    text += std::to_string(entry.id) + "=" + entry.name + ";";
  }
  const auto add = [&](const auto& values) {
    for (const auto& value : values) {
      text += std::to_string(value) + ",";
    }
  };
  const auto add_boxes = [&](const std::vector<Box>& boxes) {
    for (const Box& box : boxes) {
      add(std::vector<double>{box.x, box.y, box.w, box.h});
    }
  };
  for (const Frame& frame : data->frames) {
    text += "\n" + frame.frame_id + " " + frame.file_name + " " + std::to_string(frame.size.width) + ":";
    add_boxes(frame.labels.boxes);
    add(frame.labels.areas);
    add(frame.labels.class_ids);
    add_boxes(frame.predictions.boxes);
    add(frame.predictions.scores);
    add(frame.predictions.class_ids);
  }
  return text;
}

Dataset OneFrame() {
  return ReadCocoGroundTruth("gt.json", std::string(kCoco)).value();
}

struct Case {
  std::string name;  // of the file
  std::string good;
  std::function<Result<std::string>(std::string_view)> read;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"gt.json", std::string(kCoco),
                   [](auto text) { return Describe(ReadCocoGroundTruth("gt.json", std::string(text))); }});
  cases.push_back({"dt.json", std::string(kResults), [](auto text) -> Result<std::string> {
                     Dataset data = OneFrame();
                     const auto read = ReadCocoResults("dt.json", text, data);
                     return read ? Describe(data) : tl::unexpected(read.error());
                   }});
  cases.push_back({"x.xml", std::string(kVoc), [](auto text) -> Result<std::string> {
                     VocReader reader;
                     const auto read = reader.Add("x.xml", "x", text);
                     return read ? Describe(std::move(reader).Finish()) : tl::unexpected(read.error());
                   }});
  for (const auto& [name, good] : {std::pair{"data.yaml", kYaml}, {"classes.txt", "cat\nbig dog\r\n"}}) {
    cases.push_back({name, std::string(good), [name = name](auto text) -> Result<std::string> {
                       auto names = ParseClassNames(name, text);
                       Dataset data;
                       if (!names) {
                         return tl::unexpected(names.error());
                       }
                       data.classes = std::move(*names);
                       return Describe(data);
                     }});
  }
  cases.push_back(
      {"val/a.txt", "0 0.5 0.5 0.25 0.5\n\n1 1e-1 .2 0.2 0.4\r\n", [](auto text) -> Result<std::string> {
         Frame frame;
         frame.size = {4, 3};
         YoloReader reader({{0, "cat"}, {1, "dog"}}, {frame});
         const auto read = reader.AddLabels(0, "val/a.txt", text);
         return read ? Describe(std::move(reader).Finish()) : tl::unexpected(read.error());
       }});
  cases.push_back(
      {"dt/1.txt", "0 0.5 0.5 0.25 0.5 0.75\ndog 0.9 1 2 3 4\n", [](auto text) -> Result<std::string> {
         Dataset data = OneFrame();
         TextPredictions predictions(std::vector<ClassEntry>{{0, "dog"}}, std::nullopt, data);
         const auto read = predictions.Add("dt/1.txt", "1", text);
         predictions.Finish("dt");
         return read ? Describe(data) : tl::unexpected(read.error());
       }});
  return cases;
}

// `good` cut short, each of its bytes as others, and each of them doubled or left out.
std::vector<std::string> Neighbours(const std::string& good) {
  constexpr std::string_view kBytes("\0\xff\x80\xc3\n -9e,:;\"'\\{}[]<>&/*|", 25);
  std::vector<std::string> texts;
  texts.reserve(good.size() * (kBytes.size() + 3));
  for (std::size_t i = 0; i < good.size(); ++i) {
    texts.push_back(good.substr(0, i));
    texts.push_back(good.substr(0, i) + good.substr(i + 1));
    texts.push_back(good.substr(0, i + 1) + good.substr(i));
    for (const char byte : kBytes) {
      texts.push_back(good);
      texts.back()[i] = byte;
    }
  }
  return texts;
}

TEST(BadBytesTest, BadBytesAreAnErrorThatNamesTheFileAndNeverAnException) {
  for (const Case& each : Cases()) {
    ASSERT_TRUE(each.read(each.good).has_value())
        << each.name << ": " << each.read(each.good).error().message;
    std::size_t errors = 0;
    for (const std::string& text : Neighbours(each.good)) {
      try {
        if (const auto read = each.read(text); !read) {
          ++errors;
          ASSERT_TRUE(read.error().message.starts_with(each.name + ": ")) << read.error().message;
          ASSERT_GT(read.error().message.size(), each.name.size() + 5) << text;
        }
      } catch (const std::exception& error) {
        FAIL() << each.name << " throws " << error.what() << " of " << text;
      }
    }
    EXPECT_GT(errors, 0U) << each.name;
  }
}

// Deep nesting would end a reader that calls itself for it.
TEST(BadBytesTest, NestingThatNeverEndsIsAnError) {
  for (const Case& each : Cases()) {
    for (const std::string_view step : {"[", "{\"a\":", "<a>", "- ", "{a: ", "((", "&a "}) {
      for (const std::string_view before :
           {"", "{\"images\": ", "[{\"image_id\": ", "names: ", "<annotation>"}) {
        std::string text(before);
        for (int i = 0; i < 20000; ++i) {
          text += step;
        }
        const auto read = each.read(text);
        EXPECT_TRUE(read || read.error().message.starts_with(each.name + ": ")) << each.name;
      }
    }
  }
}

TEST(BadBytesTest, ImageHeadersOfAnyBytesAreReadWithinThem) {
  for (const std::string& image : {PngOf(9, 9), GifOf(9, 9), BmpOf(9, 9), OldBmpOf(9, 9), LossyWebpOf(9, 9),
                                   LosslessWebpOf(9, 9), ExtendedWebpOf(9, 9), JpegOf(9, 9, 6)}) {
    for (const std::string& text : Neighbours(image)) {
      const ImageHeader header = ReadImageHeader(text);
      EXPECT_NE(header.size.has_value(), !header.problem.empty());
      EXPECT_TRUE(header.wants == 0 || header.wants > text.size());
    }
  }
}

TEST(BadBytesTest, TheSameBytesGiveTheSameDataSet) {
  for (const Case& each : Cases()) {
    const auto first = each.read(each.good);
    for (const std::string& between : {each.good.substr(0, each.good.size() / 2), std::string()}) {
      (void)each.read(between);  // what was read before leaves nothing behind
      EXPECT_EQ(each.read(each.good).value(), first.value()) << each.name;
    }
    // Nor does what stands behind the text in memory.
    const std::string longer = each.good + "]}{\"[,1 2 3\n";
    EXPECT_EQ(each.read(std::string_view(longer).substr(0, each.good.size())).value(), first.value())
        << each.name;
  }
}

}  // namespace
}  // namespace detwatch::dataset
