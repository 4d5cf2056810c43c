// What a call becomes on the wire, and what it refuses.
#include "lib/client/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "lib/client/announcements.h"
#include "lib/client/check.h"
#include "tests/client/fake_daemon_support.h"

namespace detwatch::client::test {
namespace {

using testing::StartsWith;

constexpr Duration kPatience = std::chrono::seconds(10);

PublisherOptions Full(const std::string& endpoint) {
  PublisherOptions options;
  options.endpoint = endpoint;
  options.model = "m";
  options.version = "7";
  options.stream = "gate";
  options.class_names = {{3, "car"}, {1, "person"}};
  return options;
}

class PublisherTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = Publisher::Make(Full(daemon_.endpoint()));
    ASSERT_TRUE(made) << made.error().message;
    publisher_.emplace(std::move(*made));
  }

  Taken Flushed() {
    EXPECT_TRUE(publisher_->Flush(kPatience));
    return daemon_.taken();
  }

  FakeDaemon daemon_;
  std::optional<Publisher> publisher_;
  const std::array<Box, 1> box_ = {Box{1, 2, 10.1, 20}};
  const std::array<std::uint32_t, 1> id_ = {3};
  const std::array<float, 1> score_ = {0.25F};
};

TEST_F(PublisherTest, PredictionsCarryEveryField) {
  ASSERT_TRUE(publisher_->Predictions("f1", box_, score_, id_,
                                      {.capture_time = FromUnixNanos(5), .inference_seconds = 0.5}));
  const auto found = Flushed().All<Predictions>();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].frame, (FrameKey{"gate", "f1"}));
  EXPECT_EQ(found[0].model, (ModelKey{"m", "7"}));
  EXPECT_EQ(found[0].capture_time, FromUnixNanos(5));
  EXPECT_EQ(found[0].class_list, HashClassList({{1, "person"}, {3, "car"}}));
  EXPECT_THAT(found[0].boxes, testing::ElementsAre(box_[0]));
  EXPECT_THAT(found[0].scores, testing::ElementsAre(0.25F));
  EXPECT_THAT(found[0].class_ids, testing::ElementsAre(3));
  EXPECT_EQ(found[0].inference_seconds, 0.5);
}

TEST_F(PublisherTest, LabelsCarryEveryField) {
  const std::array<double, 1> area = {150.1};
  const std::array<std::uint8_t, 1> yes = {1};
  const std::array<std::uint32_t, 3> examined = {3, 1, 3};
  LabelDetails details;
  details.areas = area;
  details.crowd = yes;
  details.difficult = yes;
  details.source = LabelSource::kSimulator;
  details.sampling = Sampling::kRandom;
  details.revision = 2;
  details.examined = examined;
  details.stream = "other";
  ASSERT_TRUE(publisher_->Labels("f1", box_, id_, details));
  const auto found = Flushed().All<Labels>();
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].frame, (FrameKey{"other", "f1"}));
  EXPECT_THAT(found[0].boxes, testing::ElementsAre(box_[0]));
  EXPECT_THAT(found[0].areas, testing::ElementsAre(150.1));
  EXPECT_THAT(found[0].crowd, testing::ElementsAre(1));
  EXPECT_THAT(found[0].difficult, testing::ElementsAre(1));
  EXPECT_TRUE(found[0].partial);
  EXPECT_THAT(found[0].examined, testing::ElementsAre(1, 3));
  EXPECT_EQ(found[0].source, LabelSource::kSimulator);
  EXPECT_EQ(found[0].sampling, Sampling::kRandom);
  EXPECT_EQ(found[0].revision, 2);
  EXPECT_TRUE(found[0].final);
}

TEST_F(PublisherTest, LabelsOfPeopleAreNotFinalUnlessSaid) {
  ASSERT_TRUE(publisher_->Labels("f1", {}, {}, {.source = LabelSource::kHuman}));
  ASSERT_TRUE(publisher_->Labels("f2", {}, {}, {.source = LabelSource::kHuman, .final = true}));
  ASSERT_TRUE(publisher_->Labels("f3", {}, {}, {.source = LabelSource::kAuto}));
  const auto found = Flushed().All<Labels>();
  ASSERT_EQ(found.size(), 3);
  EXPECT_FALSE(found[0].final);
  EXPECT_TRUE(found[1].final);
  EXPECT_TRUE(found[2].final);
}

TEST_F(PublisherTest, BadArgumentsAreNamedAndNothingIsSent) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto box = [](double x, double w) { return std::array<Box, 1>{Box{x, 0, w, 1}}; };
  const auto refused = [&](const char* argument, const Result<std::uint64_t>& result) {
    ASSERT_FALSE(result) << argument;
    EXPECT_THAT(result.error().message, StartsWith(argument));
  };
  Publisher& p = *publisher_;
  refused("frame_id: is empty", p.Predictions("", box_, score_, id_));
  refused("frame_id", p.Predictions(std::string(129, 'x'), box_, score_, id_));
  refused("frame_id", p.Predictions("\xff", box_, score_, id_));
  refused("boxes[0]", p.Predictions("f", box(kNan, 1), score_, id_));
  refused("boxes[0]", p.Predictions("f", box(2e9, 1), score_, id_));
  refused("boxes[0]: negative", p.Predictions("f", box(0, -1), score_, id_));
  refused("scores: 0 values for 1 boxes", p.Predictions("f", box_, {}, id_));
  refused("scores[0]: 1.5", p.Predictions("f", box_, std::array{1.5F}, id_));
  refused("scores[0]", p.Predictions("f", box_, std::array{static_cast<float>(kNan)}, id_));
  refused("class_ids: 0 values", p.Predictions("f", box_, score_, {}));
  refused("class_ids[0]: 2 is not in class_names", p.Predictions("f", box_, score_, std::array{2U}));
  refused("inference_seconds", p.Predictions("f", box_, score_, id_, {.inference_seconds = -1}));
  refused("capture_time", p.Predictions("f", box_, score_, id_, {.capture_time = FromUnixNanos(-1)}));
  refused("stream", p.Predictions("f", box_, score_, id_, {.stream = "a\nb"}));
  const std::array<double, 1> negative = {-1};
  const std::array<double, 2> two = {1, 2};
  const std::array<std::uint8_t, 2> flags = {0, 1};
  const std::array<std::uint32_t, 1> unknown = {2};
  refused("areas[0]", p.Labels("f", box_, id_, {.areas = negative}));
  refused("areas: 2 values", p.Labels("f", box_, id_, {.areas = two}));
  refused("crowd: 2 values", p.Labels("f", box_, id_, {.crowd = flags}));
  refused("difficult: 2 values", p.Labels("f", box_, id_, {.difficult = flags}));
  refused("examined[0]", p.Labels("f", box_, id_, {.examined = unknown}));
  EXPECT_EQ(p.Stats().pending, 0);
  EXPECT_TRUE(Flushed().FrameIds().empty());
}

TEST_F(PublisherTest, ABadEndpointOrOptionIsNamed) {
  const auto refused = [&](const char* argument, auto change) {
    PublisherOptions options = Full(daemon_.endpoint());
    change(options);
    const auto made = Publisher::Make(options);
    ASSERT_FALSE(made) << argument;
    EXPECT_THAT(made.error().message, StartsWith(argument));
  };
  refused("endpoint", [](PublisherOptions& o) { o.endpoint = "127.0.0.1:5557"; });
  refused("endpoint", [](PublisherOptions& o) { o.endpoint = "tcp://127.0.0.1:x"; });
  refused("model", [](PublisherOptions& o) { o.model = std::string(129, 'm'); });
  refused("name", [](PublisherOptions& o) { o.name = "\x01"; });
  refused("class_names", [](PublisherOptions& o) { o.class_names.clear(); });
  refused("class_names[1]", [](PublisherOptions& o) { o.class_names.emplace_back(1, "bus"); });
  refused("class_names[4]", [](PublisherOptions& o) { o.class_names.emplace_back(4, "car"); });
  refused("class_names[4]", [](PublisherOptions& o) { o.class_names.emplace_back(4, ""); });
  refused("tags", [](PublisherOptions& o) { o.tags = {{"a-b", "x"}}; });
  refused("stream_tags", [](PublisherOptions& o) { o.stream_tags.assign(17, {"a", "x"}); });
  refused("score_threshold", [](PublisherOptions& o) { o.score_threshold = 2; });
  refused("max_detections", [](PublisherOptions& o) { o.max_detections = 0; });
  refused("window_bytes", [](PublisherOptions& o) { o.window_bytes = 0; });
}

TEST_F(PublisherTest, WithoutAModelOnlyLabelsCanBePublished) {
  PublisherOptions options = Full(daemon_.endpoint());
  options.model.clear();
  auto made = Publisher::Make(options);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->Labels("f", {}, {}));
  const auto sent = made->Predictions("f", {}, {}, {});
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, StartsWith("model"));
}

TEST_F(PublisherTest, TheModelIsAnnouncedAsItWasDescribed) {
  PublisherOptions options = Full(daemon_.endpoint());
  options.model = "described";
  options.score_threshold = 0.25F;
  options.max_detections = 300;
  options.labels_expected = false;
  options.tags = {{"site", "x"}};
  options.stream_tags = {{"lane", "1"}};
  auto made = Publisher::Make(options);
  ASSERT_TRUE(made);
  ASSERT_TRUE(made->Predictions("f", {}, {}, {}));
  EXPECT_TRUE(made->Flush(kPatience));
  const Taken taken = daemon_.taken();
  const std::vector<ModelInfo> infos = taken.All<ModelInfo>();
  const auto info = std::find_if(infos.begin(), infos.end(),
                                 [](const ModelInfo& one) { return one.model.model == "described"; });
  ASSERT_NE(info, infos.end());
  EXPECT_EQ(info->model.version, "7");
  EXPECT_EQ(info->tags, (Tags{{"site", "x"}}));
  EXPECT_EQ(info->score_threshold, 0.25F);
  EXPECT_EQ(info->max_detections, 300);
  EXPECT_FALSE(info->labels_expected);
  EXPECT_EQ(taken.All<StreamInfo>().at(0).tags, (Tags{{"lane", "1"}}));
}

TEST_F(PublisherTest, AToolSendsMessagesOfSeveralModelsAndTheirAnnouncementsComeFirst) {
  const ClassList list{HashClassList({{9, "dog"}}), {{9, "dog"}}};
  ASSERT_TRUE(publisher_->Send(list));
  ASSERT_TRUE(publisher_->Send(ModelInfo{{"a", "1"}, list.hash, {}, -1, -1, true}));
  wire::FramePair pair;
  pair.predictions.frame = {"s", "f1"};
  pair.predictions.model = {"a", "1"};
  pair.predictions.class_list = list.hash;
  pair.labels.frame = pair.predictions.frame;
  pair.labels.class_list = list.hash;
  ASSERT_TRUE(publisher_->Send(pair));
  const Taken taken = Flushed();
  const auto at = [&](auto is) {
    return std::find_if(taken.messages.begin(), taken.messages.end(), is) - taken.messages.begin();
  };
  const auto announced = at([&](const wire::Message& message) {
    const auto* found = std::get_if<ClassList>(&message);
    return found != nullptr && found->hash == list.hash;
  });
  const auto sent =
      at([](const wire::Message& message) { return std::holds_alternative<wire::FramePair>(message); });
  EXPECT_LT(announced, sent);
  ASSERT_LT(sent, taken.messages.size());
}

TEST_F(PublisherTest, AnEncodedBatchIsTakenItemByItem) {
  Predictions predictions;
  predictions.model = {"m", "7"};
  predictions.class_list = HashClassList({{1, "person"}, {3, "car"}});
  predictions.frame = {"gate", "f1"};
  Predictions other = predictions;
  other.frame.frame_id = "f2";
  ASSERT_TRUE(publisher_->SendPayload(wire::EncodeBatch({predictions, other})));
  EXPECT_THAT(Flushed().FrameIds(), testing::ElementsAre("f1", "f2"));
}

TEST(AnnouncementsTest, ABatchOfAnnouncementsAndAnyPayloadDecodesInOrder) {
  Announcements announcements;
  ASSERT_TRUE(announcements.Set(StreamInfo{std::string(100, 's'), {}}));
  ASSERT_TRUE(announcements.Set(ClassList{HashClassList({{1, "a"}}), {{1, "a"}}}));
  ASSERT_TRUE(announcements.Set(ClassList{HashClassList({{1, "a"}}), {{1, "a"}}}));
  EXPECT_FALSE(announcements.Set(Tombstone{}));
  const wire::Message tombstone = Tombstone{"x", 1};
  wire::Decoder decoder(wire::WireLimits{});
  const auto kinds = [&](std::string_view payload) {
    std::vector<wire::Item> items;
    decoder.DecodePayload(Batched(announcements.Items(), payload), items);
    std::string letters;
    for (const wire::Item& item : items) {
      EXPECT_TRUE(item);
      letters += std::holds_alternative<ClassList>(*item)    ? 'c'
                 : std::holds_alternative<StreamInfo>(*item) ? 's'
                                                             : 't';
    }
    return letters;
  };
  EXPECT_EQ(kinds({}), "cs");
  EXPECT_EQ(kinds(wire::EncodePayload(tombstone)), "cst");
  EXPECT_EQ(kinds(wire::EncodeBatch({tombstone, tombstone})), "cstt");
  const std::vector<wire::Message> many(200, tombstone);  // a length of two bytes
  EXPECT_EQ(kinds(wire::EncodeBatch(many)), "cs" + std::string(200, 't'));
}

TEST(AnnouncementsTest, TheItemsOfAPayloadAreCountedAsTheDaemonCountsThem) {
  const wire::Message tombstone = Tombstone{"x", 1};
  EXPECT_EQ(CountItems({}), 0U);
  EXPECT_EQ(CountItems(wire::EncodePayload(tombstone)), 1U);
  EXPECT_EQ(CountItems(wire::EncodeBatch({tombstone})), 1U);
  const std::string many =
      wire::EncodeBatch(std::vector<wire::Message>(300, Tombstone{std::string(120, 'x'), 1}));
  EXPECT_EQ(CountItems(many), 300U);
  for (std::size_t size = 0; size < 400; ++size) {
    EXPECT_LE(CountItems(many.substr(0, size)), 5U) << "cut short at " << size;
  }
}

TEST(CheckTest, WhatIsAnnouncedIsComparedWithTheLimitsThatWereTold) {
  using Words = std::vector<std::string>;
  PublisherOptions options;
  options.model = "m";
  options.class_names = {{1, "a"}, {2, "b"}};
  options.tags = {{"x", "1"}};
  options.stream_tags = {{"x", "1"}, {"y", "1"}};
  EXPECT_EQ(CheckTold(options, 2, 2), Words());
  EXPECT_EQ(CheckTold(options, 0, 0), Words()) << "not told";
  EXPECT_EQ(CheckTold(options, 1, 1),
            (Words{"class_names: 2, the daemon takes 1", "stream_tags: 2, the daemon takes 1"}));
  options.tags = {{"x", "1"}, {"y", "1"}};
  EXPECT_EQ(CheckTold(options, 2, 1),
            (Words{"tags: 2, the daemon takes 1", "stream_tags: 2, the daemon takes 1"}));
}

TEST(AnnouncementsTest, TheirNumberIsBounded) {
  Announcements announcements;
  for (std::size_t i = 0; i < Announcements::kMost; ++i) {
    ASSERT_TRUE(announcements.Set(StreamInfo{std::to_string(i), {}}));
  }
  EXPECT_FALSE(announcements.Set(StreamInfo{"one more", {}}));
  EXPECT_TRUE(announcements.Set(StreamInfo{"0", {{"a", "b"}}}));
}

}  // namespace
}  // namespace detwatch::client::test
