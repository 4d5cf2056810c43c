// Messages in, counts out: what each kind of message does.
#include "lib/pipeline/ingest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/pipeline/ingest_support.h"

namespace detwatch::pipeline {
namespace {

using test::At;
using test::Feed;
using test::MakeClassList;
using test::MakeFrame;
using test::RandomFrame;

TEST_F(IngestTest, AFrameGoesFromBytesToAveragePrecision) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow + 2));
  const auto snapshot = Take(kNow + 2);
  EXPECT_EQ(snapshot->counters.judged_frames, 1U);
  const snapshot::Group& group = snapshot->views.at(0).groups.at(0);
  EXPECT_EQ(group.labels,
            (std::vector<std::pair<std::string, std::string>>{{"model", "yolo"}, {"version", "1"}}));
  EXPECT_EQ(group.class_names, (std::vector<std::string>{"person", "car", "dog"}));
  const snapshot::Window& total = group.windows.at(0);
  EXPECT_EQ(total.name, "total");
  EXPECT_DOUBLE_EQ(total.mean.map[0][10].value, 1);
  EXPECT_EQ(total.classes.at(0), nullptr);  // no person was there
  EXPECT_EQ(total.judged_frames, (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_EQ(total.classes.at(1)->frames[0].tp, 1);
  EXPECT_EQ(total.classes.at(1)->frames[0].tn + total.judged_frames.at(1), 0);
  EXPECT_EQ(snapshot->models.at(0).judged, 1U);
  EXPECT_EQ(snapshot->models.at(0).last_label, At(kNow + 2));
  EXPECT_DOUBLE_EQ(snapshot->counters.label_delay.sum, 2);
}

TEST_F(IngestTest, AMessageWaitsForItsClassList) {
  feed_->Send(Frame("a").predictions, At(kNow));
  feed_->Send(Frame("a").labels, At(kNow));
  EXPECT_EQ(Take()->gauges.class_list_waiting, 2U);
  feed_->Send(test::ThreeClasses(), At(kNow + 5));
  const auto snapshot = Take(kNow + 5);
  EXPECT_EQ(snapshot->gauges.class_list_waiting, 0U);
  EXPECT_EQ(snapshot->counters.judged_frames, 1U);
}

TEST_F(IngestTest, AClassListThatNeverComesIsAReason) {
  feed_->Send(Frame("a").predictions, At(kNow));
  EXPECT_EQ(Rejected(*Take(kNow + 29), RejectReason::kClassListUnknown), 0U);
  EXPECT_EQ(Rejected(*Take(kNow + 31), RejectReason::kClassListUnknown), 1U);
}

TEST_F(IngestTest, MatchingIsByNameNotById) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  const ClassList other = MakeClassList({{7, "car"}, {1, "bicycle"}});
  feed_->Send(other, At(kNow));
  RandomFrame frame = Frame("a");
  frame.labels.class_list = other.hash;
  frame.labels.class_ids = {7};
  feed_->Send(frame.predictions, At(kNow));
  feed_->Send(frame.labels, At(kNow));
  const auto snapshot = Take();
  const snapshot::Group& group = snapshot->views.at(0).groups.at(0);
  ASSERT_EQ(group.class_names.at(1), "car");
  EXPECT_EQ(group.windows[0].classes[1]->operating[0][0].true_positives, 1);
  EXPECT_EQ(group.windows[0].judged_frames, (std::vector<std::int64_t>{0, 1, 0}));  // what both know
}

TEST_F(IngestTest, ClassesOutsideTheOtherListAreUnjudgedNotWrong) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  const ClassList people = MakeClassList({{0, "person"}, {9, "unicorn"}});
  feed_->Send(people, At(kNow));
  RandomFrame frame = Frame("a");  // the model says car
  frame.labels.class_list = people.hash;
  frame.labels.class_ids = {9};
  feed_->Send(frame.predictions, At(kNow));
  feed_->Send(frame.labels, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.unjudged_detections, 1U);
  EXPECT_EQ(snapshot->counters.unjudged_ground_truths, 1U);
  EXPECT_EQ(snapshot->views[0].groups[0].windows[0].mean.micro[0][0].false_positives, 0);
}

TEST_F(IngestTest, PartialLabelsJudgeOnlyTheExaminedClasses) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  RandomFrame frame = Frame("a");
  frame.predictions.boxes.push_back({200, 200, 30, 30});
  frame.predictions.scores.push_back(0.8F);
  frame.predictions.class_ids.push_back(2);  // a dog, which nobody looked for
  frame.labels.partial = true;
  frame.labels.examined = {1};
  feed_->Send(frame.predictions, At(kNow));
  feed_->Send(frame.labels, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.unjudged_detections, 1U);
  const snapshot::Group& group = snapshot->views[0].groups[0];
  EXPECT_EQ(group.windows[0].classes.at(0), nullptr);
  EXPECT_NE(group.windows[0].classes.at(1), nullptr);
  EXPECT_EQ(group.windows[0].classes.at(2), nullptr);
  EXPECT_TRUE(group.windows[0].judged_frames.empty());
  EXPECT_EQ(group.windows[0].mean.micro[0][0].true_positives, 1);
  EXPECT_EQ(group.windows[0].mean.micro[0][0].false_positives, 0);
}

TEST_F(IngestTest, AFrameIsCountedOnceHoweverOftenItComes) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  for (int i = 0; i < 3; ++i) {
    feed_->Send(Frame("a").predictions, At(kNow));
    feed_->Send(Frame("a").labels, At(kNow));
  }
  RandomFrame other = Frame("a");
  other.predictions.scores = {0.5F};
  const Reaction reaction = feed_->Send(other.predictions, At(kNow));
  ASSERT_EQ(reaction.rejected.size(), 1U);
  EXPECT_EQ(reaction.rejected[0].reason, "conflict");
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.judged_frames, 1U);
  EXPECT_EQ(snapshot->counters.duplicate_frames[1], 2U);
  EXPECT_EQ(snapshot->counters.duplicate_labels[1], 2U);
}

TEST_F(IngestTest, ARepeatedSequenceIsADuplicateMessage) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->Send(Frame("a").predictions, At(kNow));
  --feed_->header().sequence;
  feed_->Send(Frame("a").predictions, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.duplicate_messages[1], 1U);
  EXPECT_EQ(Frames(*snapshot), 1U);
}

TEST_F(IngestTest, AGapIsAskedForAndNotJudged) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  feed_->header().sequence += 3;
  const Reaction reaction = feed_->Send(Frame("a").predictions, At(kNow));
  EXPECT_TRUE(reaction.reply);
  EXPECT_EQ(reaction.expected, 2U);
  EXPECT_EQ(Frames(*Take()), 0U);
}

TEST_F(IngestTest, OnTheSubscribeSocketAGapIsLost) {
  Feed fast(*ingest_, "camera-2", Transport::kSubscribe);
  fast.Send(test::ThreeClasses(), At(kNow));
  fast.header().sequence += 3;
  fast.Send(Frame("a").predictions, At(kNow));
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.lost_messages[0], 3U);
  EXPECT_EQ(snapshot->counters.frames[0], 1U);
}

TEST_F(IngestTest, GoodFramesAroundBadOnesAreAllCounted) {
  std::mt19937 random(4);
  feed_->Send(test::ThreeClasses(), At(kNow));
  std::uint64_t bad = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string good = wire::EncodePayload(MakeFrame(random, std::to_string(i)).predictions);
    feed_->SendBytes(good, At(kNow));
    std::string broken = good.substr(0, random() % good.size());
    if (i % 3 == 0) {
      broken.assign(random() % 200, '\0');
      for (char& c : broken) {
        c = static_cast<char>(random());
      }
    } else if (i % 3 == 1) {
      RandomFrame frame = MakeFrame(random, "bad" + std::to_string(i), 3);
      frame.predictions.boxes.push_back({0, 0, 1, 1});
      frame.predictions.scores.push_back(std::nanf(""));
      frame.predictions.class_ids.push_back(0);
      broken = wire::EncodePayload(frame.predictions);
    }
    bad += feed_->SendBytes(broken, At(kNow)).rejected.empty() ? 0 : 1;
  }
  const auto snapshot = Take();
  std::uint64_t rejected = 0;
  for (const auto& by_transport : snapshot->counters.rejected) {
    rejected += by_transport[1];
  }
  EXPECT_EQ(rejected, bad);
  EXPECT_GT(bad, 200U);
  // A truncated message may still be a whole one with fewer fields, so there may be more than 300; never
  // fewer.
  EXPECT_GE(Frames(*snapshot) + snapshot->counters.duplicate_frames[1], 300U);
  EXPECT_EQ(snapshot->counters.messages[1], 601U);
  EXPECT_EQ(snapshot->counters.lost_messages[1], 0U);
}

TEST_F(IngestTest, EveryMessageIsCountedOnce) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  ingest_->OnMessage(Transport::kReliable, "\xff\xff", "", At(kNow));
  ingest_->OnMalformed(Transport::kSubscribe, 12);
  const auto snapshot = Take();
  EXPECT_EQ(snapshot->counters.messages[0], 1U);
  EXPECT_EQ(snapshot->counters.messages[1], 2U);
  EXPECT_EQ(Rejected(*snapshot, RejectReason::kHeaderUnreadable), 2U);
}

TEST_F(IngestTest, ItemsOfABatchAreJudgedOneByOne) {
  feed_->Send(test::ThreeClasses(), At(kNow));
  RandomFrame wrong = Frame("b");
  wrong.predictions.class_ids = {99};
  const std::string batch =
      wire::EncodeBatch({Frame("a").predictions, wrong.predictions, Frame("c").predictions});
  const Reaction reaction = feed_->SendBytes(batch, At(kNow));
  ASSERT_EQ(reaction.rejected.size(), 1U);
  EXPECT_EQ(reaction.rejected[0].item, 1U);
  EXPECT_EQ(reaction.rejected[0].reason, "class_unknown");
  EXPECT_EQ(reaction.rejected[0].detail, "class_ids[0]: 99 is not in the announced class list");
  EXPECT_EQ(Frames(*Take()), 2U);
}

}  // namespace
}  // namespace detwatch::pipeline
