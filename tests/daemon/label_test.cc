#include "daemon/tools/label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/tools/label_report.h"
#include "daemon/tools/replay.h"
#include "tests/client/fake_daemon_support.h"
#include "tests/daemon/temp_tree_support.h"
#include "tests/dataset/image_support.h"

namespace detwatch::tools {
namespace {

using client::test::FakeDaemon;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// Three images: a cat and a dog, a crowd of cats, nothing.
constexpr std::string_view kCoco = R"({
  "images": [{"id": 7, "width": 64, "height": 48, "file_name": "day/a.0.jpg"},
             {"id": 8, "width": 64, "height": 48, "file_name": "day/b.jpg"},
             {"id": 9, "width": 64, "height": 48, "file_name": "night/c.jpg"}],
  "categories": [{"id": 4, "name": "cat"}, {"id": 9, "name": "dog"}],
  "annotations": [{"id": 1, "image_id": 7, "category_id": 4, "bbox": [0, 0, 10, 10], "area": 80},
                  {"id": 2, "image_id": 7, "category_id": 9, "bbox": [9, 9, 20, 20], "area": 350},
                  {"id": 3, "image_id": 8, "category_id": 4, "bbox": [1, 1, 5, 5], "area": 25, "iscrowd": 1}]})";
constexpr std::string_view kVoc =
    "<annotation><filename>cam 1.png</filename><size><width>64</width><height>48</height></size><object>"
    "<name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"
    "</annotation>";

std::unique_ptr<FakeDaemon> Stopped() {
  return std::make_unique<FakeDaemon>(std::make_shared<client::test::Books>(), "tcp://127.0.0.1:*", false);
}

class LabelTest : public testing::Test {
 protected:
  LabelTest() {
    options_.from = tree_.Write("gt.json", kCoco);
    options_.publish.to = daemon_->endpoint();
  }
  int Run() {
    if (!started_) {
      daemon_->Start();
      started_ = true;
    }
    out_.str("");
    err_.str("");
    return RunLabel(options_, out_, err_);
  }
  std::vector<Labels> Published() {
    EXPECT_EQ(Run(), 0) << err_.str();
    return daemon_->taken().All<Labels>();
  }
  std::vector<std::string> FrameIds() {
    EXPECT_EQ(Run(), 0) << err_.str();
    return daemon_->taken().FrameIds();
  }

  TempTree tree_;
  std::unique_ptr<FakeDaemon> daemon_ = Stopped();
  bool started_ = false;
  LabelOptions options_;
  std::ostringstream out_, err_;
};

TEST_F(LabelTest, EveryFrameIsPublishedWithItsBoxesAlsoWhereThereAreNone) {
  const std::vector<Labels> labels = Published();
  ASSERT_EQ(labels.size(), 3);
  EXPECT_THAT(labels[0].boxes, ElementsAre(Box{0, 0, 10, 10}, Box{9, 9, 20, 20}));
  EXPECT_THAT(labels[0].class_ids, ElementsAre(0, 1));
  EXPECT_THAT(labels[0].areas, ElementsAre(80, 350));
  EXPECT_THAT(labels[1].crowd, ElementsAre(1));
  EXPECT_TRUE(labels[2].boxes.empty());
  EXPECT_FALSE(labels[0].partial);
  EXPECT_EQ(labels[0].capture_time, TimePoint{});
  const auto lists = daemon_->taken().All<ClassList>();
  ASSERT_FALSE(lists.empty());
  EXPECT_EQ(lists[0].hash, labels[0].class_list);
  EXPECT_THAT(lists[0].entries, ElementsAre(std::pair(0, "cat"), std::pair(1, "dog")));
  EXPECT_TRUE(daemon_->taken().All<ModelInfo>().empty());
}

TEST_F(LabelTest, FramesHaveTheIdsThatReplaySends) {
  options_.publish.stream = "gate";
  const std::vector<Labels> labels = Published();
  FakeDaemon other;
  ReplayOptions replay;
  replay.ground_truth = options_.from;
  replay.predictions = tree_.Write("dt.json", "[]");
  replay.send.to = other.endpoint();
  replay.send.stream = "gate";
  ASSERT_EQ(RunReplay(replay, out_, err_), 0) << err_.str();
  const auto predicted = other.taken().All<Predictions>();
  ASSERT_EQ(labels.size(), predicted.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_EQ(labels[i].frame, predicted[i].frame);
  }
}

TEST_F(LabelTest, FramesCanBeNamedByTheirImages) {
  options_.frame_id = FrameIdRule::kFileName;
  EXPECT_THAT(FrameIds(), ElementsAre("day/a.0.jpg", "day/b.jpg", "night/c.jpg"));
}

TEST_F(LabelTest, AFileStemHasNeitherFoldersNorExtension) {
  options_.frame_id = FrameIdRule::kFileStem;
  EXPECT_THAT(FrameIds(), ElementsAre("a.0", "b", "c"));
}

TEST_F(LabelTest, AVocFrameIsNamedByItsFileOrItsImage) {
  options_.from = tree_.Write("voc/f1.xml", kVoc).parent_path();
  EXPECT_THAT(FrameIds(), ElementsAre("f1"));
  options_.frame_id = FrameIdRule::kImageId;
  EXPECT_THAT(FrameIds(), ElementsAre("f1", "1"));
  options_.frame_id = FrameIdRule::kFileName;
  EXPECT_THAT(FrameIds(), ElementsAre("f1", "1", "cam 1.png"));
}

TEST_F(LabelTest, AYoloFrameIsNamedByItsFile) {
  tree_.Write("yolo/classes.txt", "cat\n");
  options_.from = tree_.Write("yolo/labels/f1.txt", "0 0.5 0.5 0.5 0.5\n").parent_path();
  options_.image_size = dataset::ImageSize{64, 48};
  EXPECT_THAT(FrameIds(), ElementsAre("f1"));
  EXPECT_THAT(daemon_->taken().All<Labels>()[0].boxes, ElementsAre(Box{16, 12, 32, 24}));
}

TEST_F(LabelTest, AYoloFrameCanBeNamedByItsImage) {
  tree_.Write("yolo/classes.txt", "cat\n");
  tree_.Write("yolo/images/f1.png", PngOf(64, 48));
  options_.from = tree_.Write("yolo/labels/f1.txt", "").parent_path();
  options_.frame_id = FrameIdRule::kFileName;
  EXPECT_THAT(FrameIds(), ElementsAre("f1.png"));
}

TEST_F(LabelTest, TwoImagesOfOneFrameIdAreRefusedBeforeAnythingIsSent) {
  options_.from = tree_.Write("twice.json", R"({"images": [{"id": 1, "file_name": "x/a.jpg"},
      {"id": 2, "file_name": "y/a.jpg"}], "categories": [{"id": 1, "name": "cat"}], "annotations": []})");
  options_.frame_id = FrameIdRule::kFileStem;
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("images 1 and 2 would both be frame \"a\""));
  EXPECT_TRUE(daemon_->taken().headers.empty());
}

TEST_F(LabelTest, AnImageWithoutAFileNameCannotBeNamedByIt) {
  options_.from = tree_.Write("bare.json", R"({"images": [{"id": 1}], "categories": [], "annotations": []})");
  options_.frame_id = FrameIdRule::kFileName;
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("image 1 has no file name"));
}

TEST_F(LabelTest, LabelsOfPeopleAreOfThemAndNotFinalUnlessSaid) {
  options_.sampling = Sampling::kRandom;
  options_.revision = 3;
  const Labels labels = Published().at(0);
  EXPECT_EQ(labels.source, LabelSource::kHuman);
  EXPECT_EQ(labels.sampling, Sampling::kRandom);
  EXPECT_EQ(labels.revision, 3);
  EXPECT_FALSE(labels.final);
}

TEST_F(LabelTest, FinalIsWhatIsSaidToBeAndWhatNoPersonMade) {
  options_.final = true;
  EXPECT_TRUE(Published().back().final);
  options_.final = false;
  options_.source = LabelSource::kAuto;
  EXPECT_TRUE(Published().back().final);
}

TEST_F(LabelTest, OnlyTheClassesNamedAreExaminedAndBoxesOfOthersAreLeftOut) {
  options_.classes = {"dog", "dog"};
  const std::vector<Labels> labels = Published();
  ASSERT_EQ(labels.size(), 3);
  for (const Labels& one : labels) {
    EXPECT_TRUE(one.partial);
    EXPECT_THAT(one.examined, ElementsAre(1));
  }
  EXPECT_THAT(labels[0].boxes, ElementsAre(Box{9, 9, 20, 20}));
  EXPECT_THAT(labels[0].areas, ElementsAre(350));
  EXPECT_THAT(labels[0].class_ids, ElementsAre(1));
  EXPECT_TRUE(labels[1].boxes.empty());
  EXPECT_THAT(err_.str(), HasSubstr("2 boxes of classes not in --classes are left out"));
}

TEST_F(LabelTest, AClassThatTheDataSetDoesNotHaveIsAMistake) {
  options_.classes = {"horse"};
  EXPECT_EQ(Run(), 2);
  EXPECT_THAT(err_.str(), HasSubstr("has no class \"horse\""));
}

TEST_F(LabelTest, AVocClassThatIsInNoAnnotationWasExaminedAndNeverFound) {
  options_.from = tree_.Write("voc/f1.xml", kVoc).parent_path();
  options_.classes = {"cat", "horse"};
  EXPECT_THAT(Published().at(0).examined, ElementsAre(0, 1));
  EXPECT_THAT(daemon_->taken().All<ClassList>().at(0).entries,
              ElementsAre(std::pair(0, "cat"), std::pair(1, "horse")));
  EXPECT_THAT(err_.str(), HasSubstr("\"horse\""));
}

TEST_F(LabelTest, TheReportTellsWhatBecameOfTheLabels) {
  daemon_->judge = [](const Labels& labels, LabelTally& tally) -> std::string {
    if (labels.frame.frame_id == "7") {
      ++tally.joined;
      ++tally.corrected;
      return "";
    }
    ++(labels.frame.frame_id == "8" ? tally.waiting : tally.late);
    return labels.frame.frame_id == "9" ? "too_late" : "";
  };
  EXPECT_EQ(Run(), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr(": 3 acknowledged, "));
  EXPECT_THAT(out_.str(), HasSubstr("\njoined 1\ncorrected 1\nunknown 1\nduplicate 0\nlate 1\nrefused 0\n"));
  EXPECT_EQ(err_.str(), "") << "no progress line in a pipe";
}

TEST_F(LabelTest, StrictFailsWhereFramesAreUnknown) {
  daemon_->judge = [](const Labels& labels, LabelTally& tally) {
    ++(labels.frame.frame_id == "7" ? tally.waiting : tally.joined);
    return std::string();
  };
  EXPECT_EQ(Run(), 0);
  options_.strict = true;
  EXPECT_EQ(Run(), 1);
}

TEST_F(LabelTest, RefusedLabelsAreToldByReasonWithASampleAndFail) {
  daemon_->judge = [](const Labels& labels, LabelTally& tally) -> std::string {
    const bool refused = labels.frame.frame_id != "7";
    ++(refused ? tally.refused : tally.joined);
    return refused ? "conflict" : "";
  };
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(out_.str(), HasSubstr("\njoined 1\n"));
  EXPECT_THAT(out_.str(), HasSubstr("\nrefused 2\nrefused:conflict 2 frame 9\n"));
}

TEST_F(LabelTest, AFrameLargerThanTheDaemonTakesIsRefusedByThePublisher) {
  daemon_->limits.message_bytes = 200;
  json coco = json::parse(kCoco);
  for (int i = 0; i < 20; ++i) {
    coco["annotations"].push_back(coco["annotations"][0]);
  }
  options_.from = tree_.Write("large.json", coco.dump());
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(out_.str(), HasSubstr("\nrefused 1\nrefused:oversized 1 "));
  EXPECT_THAT(out_.str(), HasSubstr("the daemon takes 200\n"));
}

TEST_F(LabelTest, JsonHasEveryNumberAndTheReasons) {
  daemon_->judge = [](const Labels& labels, LabelTally& tally) -> std::string {
    const bool refused = labels.frame.frame_id == "8";
    ++(refused ? tally.refused : tally.joined);
    return refused ? "stale_revision" : "";
  };
  options_.publish.json = true;
  EXPECT_EQ(Run(), 1);
  const json report = json::parse(out_.str());
  EXPECT_EQ(report["frames"], 3);
  EXPECT_EQ(report["acknowledged"], 3);
  EXPECT_EQ(report["joined"], 2);
  EXPECT_EQ(report["unknown"], 0);
  EXPECT_EQ(report["late"], 0);
  EXPECT_EQ(report["refused"], 1);
  EXPECT_EQ(report["reasons"]["stale_revision"]["count"], 1);
  EXPECT_EQ(report["reasons"]["stale_revision"]["sample"], "frame 8");
  EXPECT_EQ(report["complete"], true);
}

TEST_F(LabelTest, ADaemonThatDoesNotAnswerIsGivenUp) {
  daemon_->mute = true;
  options_.publish.patience = std::chrono::milliseconds(50);
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(out_.str(), HasSubstr("unacknowledged 3\n"));
  EXPECT_THAT(err_.str(), HasSubstr("3 messages were not acknowledged"));
}

// Regression: the publisher waits for room for as long as it takes, so the tool hung where the labels were
// more than the window holds.
TEST_F(LabelTest, ADaemonThatDoesNotAnswerIsGivenUpAlsoWithoutRoomForMore) {
  daemon_->mute = true;
  options_.publish.window_bytes = 500;
  options_.publish.patience = std::chrono::milliseconds(50);
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("frame 8: no answer from " + daemon_->endpoint()));
  EXPECT_THAT(out_.str(), HasSubstr("\nunacknowledged 1\n"));
}

TEST_F(LabelTest, ASmallWindowIsSentPieceByPiece) {
  options_.publish.window_bytes = 500;
  EXPECT_THAT(FrameIds(), ElementsAre("7", "8", "9"));
}

TEST_F(LabelTest, FramesKeepTheirPace) {
  options_.publish.rate = 100;
  options_.publish.json = true;
  EXPECT_EQ(Run(), 0);
  EXPECT_GE(json::parse(out_.str())["seconds"], 0.02);  // the third frame's turn
}

TEST_F(LabelTest, EachRunIsAPublisherOfItsOwnUnlessItIsNamed) {
  options_.publish.publisher = "night shift";
  EXPECT_EQ(Run(), 0);
  std::set<std::string> names;
  for (const Header& header : daemon_->taken().headers) {
    names.insert(header.publisher);
  }
  EXPECT_THAT(names, ElementsAre("night shift"));
}

TEST_F(LabelTest, ADataSetThatCannotBeReadIsNamed) {
  options_.from = "/nowhere/gt.json";
  EXPECT_EQ(Run(), 1);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere/gt.json: does not exist"));
}

LabelReport SomeReport() {
  LabelReport report;
  report.frames = 1234;
  report.seconds = 2;
  report.complete = true;
  report.to.acknowledged = 1234;
  report.to.labels = {.joined = 1200, .waiting = 30, .corrected = 5, .duplicate = 4};
  return report;
}

TEST(LabelReportTest, OnATerminalItStandsInColumnsWithWordsThatExplain) {
  EXPECT_EQ(TextOf(SomeReport(), true),
            "1234 frames in 2.0 s (617/s): 1234 acknowledged, 0 sent again\n"
            "  joined     1200  judged with the predictions of their frames\n"
            "  corrected     5  of the joined: replaced labels of a lower revision\n"
            "  unknown      30  no predictions of these frames are known; the labels wait for them\n"
            "  duplicate     4  published before with the same content\n"
            "  late          0\n"
            "  refused       0\n");
}

TEST(LabelReportTest, AFateThatWasNotToldIsNeitherJoinedNorRefused) {
  LabelReport report;
  report.complete = true;
  report.to.acknowledged = 3;
  EXPECT_EQ(report.Untold(), 3);
  EXPECT_EQ(report.ExitCode(false), 0);
  EXPECT_EQ(report.ExitCode(true), 1);
  EXPECT_THAT(TextOf(report, false), HasSubstr("\nuntold 3\n"));
}

TEST(LabelReportTest, ReasonsLostOnTheWayDoNotHideARefusal) {
  LabelReport report = SomeReport();
  report.to.labels.refused = 2;
  EXPECT_EQ(report.Refused(), 2);
  EXPECT_TRUE(report.Reasons().empty());
  EXPECT_EQ(report.ExitCode(false), 1);
}

TEST(LabelReportTest, LateIsNotRefusedThoughTheDaemonGivesAReason) {
  LabelReport report = SomeReport();
  report.to.labels.late = 2;
  report.to.rejected = {{"too_late", 2}};
  EXPECT_EQ(report.Late(), 2);
  EXPECT_EQ(report.Refused(), 0);
  EXPECT_EQ(report.ExitCode(false), 0);
  EXPECT_EQ(report.ExitCode(true), 1);
}

TEST(LabelReportTest, WhatIsNotAcknowledgedFails) {
  LabelReport report = SomeReport();
  report.complete = false;
  EXPECT_EQ(report.ExitCode(false), 1);
}

}  // namespace
}  // namespace detwatch::tools
