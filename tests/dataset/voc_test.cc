// Pascal VOC annotations, from texts.
#include "lib/dataset/voc.h"

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

constexpr std::string_view kXml = R"(<?xml version="1.0"?><annotation><filename>x.jpg</filename>
  <size><width>500</width><height>375</height><depth>3</depth></size>
  <object><name>dog</name><difficult>1</difficult>
    <bndbox><xmin>10</xmin><ymin>20.5</ymin><xmax>110</xmax><ymax>70.5</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>
  <object><name> cat </name><bndbox><ymin>1</ymin><xmin>1</xmin><ymax>4</ymax><xmax>3</xmax></bndbox></object>
  </annotation>)";

TEST(VocReaderTest, VocBoxesAreCornersWithoutInclusivePixels) {
  VocReader reader;
  ASSERT_TRUE(reader.Add("Annotations/2007_02.xml", "2007_02", kXml).has_value());
  ASSERT_TRUE(reader.Add("Annotations/2007_01.xml", "2007_01", "<annotation/>").has_value());
  const Dataset data = std::move(reader).Finish();
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

TEST(VocReaderTest, AnErrorInAVocFileNamesTheObject) {
  const std::string box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"<annotation><object>", "x.xml: not valid XML at byte "},
      {"", "x.xml: not valid XML at byte 0"},
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
    VocReader reader;
    const auto read = reader.Add("voc/x.xml", "x", text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_THAT(read.error().message, HasSubstr(message)) << text;
  }
}

}  // namespace
}  // namespace detwatch::dataset
