// Data sets on disk: folders, and what cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/files/dataset_files.h"
#include "tests/daemon/temp_tree_support.h"
#include "tests/dataset/image_support.h"

namespace detwatch::files {
namespace {

using dataset::Dataset;
using dataset::Format;
using dataset::Frame;
using dataset::ImageSize;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A file of a kind that open() refuses, also for root.
class Socket {
 public:
  explicit Socket(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot bind " + path.string());
    }
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }

 private:
  int fd_;
};

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

TEST_F(YoloTest, TwoImagesOfOneStemAreAnError) {
  tree_.Write("set/images/val/a.jpg", JpegOf(5, 5));
  EXPECT_THAT(Error("set/labels/val"), HasSubstr("name the same frame"));
}

constexpr std::string_view kXml = R"(<annotation><filename>x.jpg</filename><object><name>dog</name>
  <bndbox><xmin>10</xmin><ymin>20</ymin><xmax>110</xmax><ymax>70</ymax></bndbox></object></annotation>)";

TEST_F(FoldersTest, VocFilesAreFramesByTheirStem) {
  tree_.Write("voc/Annotations/2007_02.xml", kXml);
  tree_.Write("voc/Annotations/2007_01.xml", "<annotation/>");
  tree_.Write("dt/2007_02.txt", "dog 0.9 10 20 110 70\n");
  Dataset data = Read("voc");
  EXPECT_EQ(data.format, Format::kVoc);
  ASSERT_EQ(data.frames.size(), 2U);
  EXPECT_EQ(data.frames[1].frame_id, "2007_02");
  ASSERT_TRUE(ReadPredictions(tree_.path() / "dt", {}, data).has_value());
  EXPECT_THAT(data.frames[1].predictions.boxes, ElementsAre(Box{10, 20, 100, 50}));
}

TEST_F(FoldersTest, AnErrorNamesThePathOfItsFile) {
  tree_.Write("voc/x.xml", "<annotation><object/></annotation>");
  EXPECT_EQ(Error("voc"), (tree_.path() / "voc/x.xml").string() + ": object[0]: name is missing");
  tree_.Write("gt.json", R"({"images": [{}]})");
  EXPECT_EQ(Error("gt.json"), (tree_.path() / "gt.json").string() + ": images[0].id: is missing");
  tree_.Write("set/labels/a.txt", "0 1 1 1\n");
  tree_.Write("set/data.yaml", "names: [");
  EXPECT_THAT(Error("set"), testing::StartsWith((tree_.path() / "set/data.yaml").string() + ": "));
}

TEST_F(FoldersTest, XmlFilesAreNoPredictions) {
  tree_.Write("voc/x.xml", kXml);
  Dataset data = Read("voc");
  EXPECT_THAT(PredictionsError("voc", data), HasSubstr("voc: holds .xml files; predictions are .txt files"));
}

TEST_F(FoldersTest, APathThatIsNoDataSetIsAnErrorThatNamesIt) {
  const auto message = [](const std::filesystem::path& path) {
    const auto data = ReadGroundTruth(path);
    return data ? "read without an error" : data.error().message;
  };
  EXPECT_THAT(message(tree_.path() / "none.json"), HasSubstr("none.json: does not exist"));
  EXPECT_THAT(message(tree_.Write("gt.csv", "")),
              HasSubstr("gt.csv: neither a .json file (COCO) nor a directory"));
  std::filesystem::create_directory(tree_.path() / "empty");
  EXPECT_THAT(message(tree_.path() / "empty"),
              HasSubstr("empty: holds neither .xml (Pascal VOC) nor .txt files"));
}

// The part that is read in pieces and the one that is read whole.
TEST_F(FoldersTest, AFileThatCannotBeOpenedOrReadIsAnErrorThatNamesIt) {
  constexpr std::string_view kEmpty = R"({"images": [], "annotations": [], "categories": []})";
  tree_.Write("gt.json", kEmpty);
  Dataset data = Read("gt.json");
  // Reading address 0 fails, of a process without a page there.
  std::filesystem::create_symlink("/proc/self/mem", tree_.path() / "read.json");
  EXPECT_THAT(Error("read.json"), HasSubstr("read.json: "));
  EXPECT_THAT(PredictionsError("read.json", data), HasSubstr("read.json: "));
  const Socket socket(tree_.path() / "open.json");  // exists, and cannot be opened
  EXPECT_THAT(Error("open.json"), HasSubstr("open.json: cannot be read"));
  EXPECT_THAT(PredictionsError("open.json", data), HasSubstr("open.json: cannot be read"));
}

TEST_F(FoldersTest, ProgressRunsFromTheStartToTheEnd) {
  tree_.Write("gt.json", R"({"images": [{"id": 7}], "annotations": [], "categories": [{"id": 5}]})");
  std::string text = "[";
  for (int i = 0; i < 20000; ++i) {
    text += R"({"image_id": 7, "category_id": 5, "bbox": [1, 2, 3, 4], "score": 0.5},)";
  }
  text.back() = ']';
  Dataset data = Read("gt.json");
  std::vector<double> shares;
  ReadOptions options;
  options.progress = [&](std::string_view file, double done) {
    EXPECT_EQ(file, "dt.json");
    shares.push_back(done);
  };
  ASSERT_TRUE(ReadPredictions(tree_.Write("dt.json", text), options, data).has_value());
  EXPECT_EQ(data.Detections(), 20000U);
  ASSERT_GT(shares.size(), 3U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_LT(shares.front(), 0.5);
  EXPECT_NEAR(shares.back(), 1, 0.01);
}

// JPEG headers have no fixed length; here it is beyond what is read at first.
TEST_F(FoldersTest, TheSizeOfAnImageIsFoundBehindLargeExifData) {
  std::string image = JpegOf(40, 80);
  image.insert(2, "\xff\xe1\xff\xff" + std::string(65533, 'e'));
  tree_.Write("set/images/a.jpg", image);
  tree_.Write("set/labels/a.txt", "");
  tree_.Write("set/data.yaml", "names: [cat]\n");
  EXPECT_EQ(Read("set").frames[0].size, (ImageSize{40, 80}));
  tree_.Write("set/images/a.jpg", image.substr(0, 60000));
  EXPECT_THAT(Error("set"), HasSubstr("a.jpg: the image header holds no size"));
}

}  // namespace
}  // namespace detwatch::files
