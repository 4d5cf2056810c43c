// What reaches the daemon: through loss, restarts, rejects and limits.
#include <gtest/gtest.h>

#include "tests/client/fake_daemon_support.h"
#include "tests/client/publish_support.h"

namespace detwatch::client::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DeliveryTest, EveryFrameArrivesOnceAndInOrder) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing = {};  // the protocol's own: a busy machine must not look like a silent daemon
  Publisher publisher = Made(options);
  Publish(publisher, Names(500));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(500));
  const PublisherStats stats = publisher.Stats();
  EXPECT_EQ(stats.sent, 500);
  EXPECT_EQ(stats.acknowledged, 500);
  EXPECT_EQ(stats.dropped + stats.resent + stats.pending, 0);
  EXPECT_TRUE(stats.connected);
}

TEST(DeliveryTest, TheClassListComesFirstThenTheModelThenTheStream) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.stream_tags = {{"site", "a"}};
  Publisher publisher = Made(options);
  Publish(publisher, Names(1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  const Taken taken = daemon.taken();
  ASSERT_GE(taken.messages.size(), 4);
  EXPECT_TRUE(std::holds_alternative<ClassList>(taken.messages[0]));
  EXPECT_TRUE(std::holds_alternative<ModelInfo>(taken.messages[1]));
  EXPECT_TRUE(std::holds_alternative<StreamInfo>(taken.messages[2]));
}

TEST(DeliveryTest, AnnouncementsAreRepeated) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.announce = milliseconds(50);
  Publisher publisher = Made(options);
  EXPECT_TRUE(Until([&] { return daemon.taken().All<ModelInfo>().size() >= 3; }));
}

TEST(DeliveryTest, AMessageIsKeptUntilItIsDurable) {
  FakeDaemon daemon;
  daemon.durable = false;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(3));
  EXPECT_TRUE(Until([&] { return daemon.taken().FrameIds() == Names(3); }));
  EXPECT_FALSE(publisher.Flush(milliseconds(50)));
  EXPECT_EQ(publisher.Stats().acknowledged, 0);
  EXPECT_EQ(publisher.Stats().pending, 3);
  daemon.durable = true;  // the next hello is answered with it
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().acknowledged, 3);
  EXPECT_EQ(daemon.taken().FrameIds(), Names(3));
}

TEST(DeliveryTest, EachCallReturnsItsNumberAndAnnouncementsHaveNone) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  EXPECT_EQ(publisher.Predictions("a", {}, {}, {}), 1);
  EXPECT_EQ(publisher.Send(StreamInfo{"gate", {}}), 0);
  EXPECT_EQ(publisher.Labels("a", {}, {}), 2);
  EXPECT_EQ(publisher.Send(Tombstone{"x", 1}), 3);
  EXPECT_EQ(publisher.SendPayload(wire::EncodePayload(Tombstone{"x", 1})), 4);
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().acknowledged_sequence, 4);
}

TEST(DeliveryTest, AcknowledgedSequenceIsTheNumberOfTheCallNotThatOfTheWire) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.announce = milliseconds(20);  // announcements take sequences of their own
  Publisher publisher = Made(options);
  EXPECT_TRUE(Until([&] { return daemon.taken().All<ModelInfo>().size() >= 3; }));
  EXPECT_EQ(publisher.Stats().acknowledged_sequence, 0);
  Publish(publisher, Names(2));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().acknowledged_sequence, 2);
  EXPECT_GT(daemon.taken().headers.back().sequence, 2);
}

TEST(DeliveryTest, AcknowledgedSequenceStopsWhereTheDaemonHasNotKept) {
  FakeDaemon daemon;
  daemon.durable_frames = 2;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(5));
  EXPECT_TRUE(Until([&] { return daemon.taken().FrameIds().size() == 5; }));
  EXPECT_TRUE(Until([&] { return publisher.Stats().acknowledged == 2; }));
  EXPECT_EQ(publisher.Stats().acknowledged_sequence, 2);
  EXPECT_EQ(publisher.Stats().pending, 3);
}

TEST(DeliveryTest, TheFateOfLabelsIsThatOfTheLatestReply) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.judge = [](const Labels& labels, LabelTally& tally) {
    ++(labels.frame.frame_id == "seen" ? tally.joined : tally.waiting);
    return std::string();
  };
  daemon.Start();
  Publisher publisher = Made(Quick(daemon.endpoint()));
  EXPECT_EQ(publisher.Stats().labels, LabelTally{});
  ASSERT_TRUE(publisher.Labels("seen", {}, {}));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().labels, (LabelTally{.joined = 1}));
  ASSERT_TRUE(publisher.Labels("unseen", {}, {}));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().labels, (LabelTally{.joined = 1, .waiting = 1}));
}

TEST(DeliveryTest, MessagesLostOnTheWayAreSentAgainInOrder) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  daemon.lose = 3;
  Publish(publisher, Names(50, 1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(51));
  EXPECT_GE(publisher.Stats().resent, 3);
}

TEST(DeliveryTest, ALostLastMessageIsFoundByTheIdleHello) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  daemon.lose = 1;
  Publish(publisher, {"last"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds().back(), "last");
}

TEST(DeliveryTest, ANewBootGetsEverythingBeyondDurable) {
  const auto books = std::make_shared<Books>();
  auto first = std::make_unique<FakeDaemon>(books);
  const std::string endpoint = first->endpoint();
  Publisher publisher = Made(Quick(endpoint));
  Publish(publisher, Names(2));
  EXPECT_TRUE(publisher.Flush(kPatience));
  first->durable = false;
  Publish(publisher, Names(3, 2));
  EXPECT_TRUE(Until([&] { return first->taken().FrameIds().size() == 5; }));
  first.reset();
  FakeDaemon second(books, endpoint);
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(second.taken().FrameIds(), Names(3, 2));
  EXPECT_EQ(second.taken().lost, 0);
}

TEST(DeliveryTest, ANewStoreGetsTheClassListBeforeTheOldMessages) {
  auto first = std::make_unique<FakeDaemon>();
  const std::string endpoint = first->endpoint();
  first->durable = false;
  Publisher publisher = Made(Quick(endpoint));
  Publish(publisher, Names(3));
  EXPECT_TRUE(Until([&] { return first->taken().FrameIds().size() == 3; }));
  first.reset();
  const auto books = std::make_shared<Books>();
  books->store_id = "store-2";
  FakeDaemon second(books, endpoint);
  EXPECT_TRUE(publisher.Flush(kPatience));
  const Taken taken = second.taken();
  EXPECT_EQ(taken.FrameIds(), Names(3));
  EXPECT_TRUE(std::holds_alternative<ClassList>(taken.messages.front()));
  EXPECT_EQ(taken.headers.front().store_id, "store-1");
}

TEST(DeliveryTest, ASilentDaemonIsConnectedAgain) {
  std::atomic<int> warnings{0};
  FakeDaemon daemon;
  daemon.mute = true;
  PublisherOptions options = Quick(daemon.endpoint());
  options.on_warning = [&](std::string_view what) {
    warnings += what.find("silent") != std::string_view::npos ? 1 : 0;
  };
  Publisher publisher = Made(options);
  Publish(publisher, Names(2));
  EXPECT_TRUE(Until([&] { return warnings > 0; }));
  daemon.mute = false;
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(2));
}

TEST(DeliveryTest, AnIdlePublisherSaysHello) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  EXPECT_TRUE(Until([&] { return daemon.taken().Hellos() >= 4; }));
}

// Regression: a message was sent right after an idle hello, and the answer to the hello, which could not
// know of it, was taken for its loss.
TEST(DeliveryTest, AMessageSentAfterAnIdleHelloIsNotSentAgain) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.silence = seconds(15);
  Publisher publisher = Made(options);
  Publish(publisher, {"first"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  daemon.hellos_wait_for_data = true;
  const std::size_t hellos = daemon.taken().Hellos();
  EXPECT_TRUE(Until([&] { return daemon.taken().Hellos() >= hellos + 2; }));
  Publish(publisher, {"second"});
  EXPECT_TRUE(Until([&] { return daemon.taken().FrameIds().size() == 2; }));
  daemon.hellos_wait_for_data = false;
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(publisher.Stats().resent, 0);
}

TEST(DeliveryTest, CreditBoundsWhatIsUnderWay) {
  FakeDaemon daemon;
  daemon.durable = false;
  daemon.credit = 1000;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(100));
  EXPECT_TRUE(Until([&] { return daemon.taken().FrameIds().size() >= 5; }));
  daemon.durable = true;
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(100));
  // The announcements that ride on a message are not counted, once 200 bytes.
  EXPECT_LE(daemon.taken().in_flight_high, 1200);
}

TEST(DeliveryTest, NoCreditStopsSendingUntilThereIsSome) {
  FakeDaemon daemon;
  daemon.credit = 0;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(2));
  EXPECT_TRUE(Until([&] { return daemon.taken().headers.size() >= 3; }));
  EXPECT_EQ(daemon.taken().Hellos(), daemon.taken().headers.size());
  daemon.credit = 1U << 20;
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(2));
}

TEST(DeliveryTest, CreditThatEndsInMidStreamHoldsTheRestAndLosesNothing) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.silence = seconds(15);
  Publisher publisher = Made(options);
  Publish(publisher, Names(1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  daemon.credit = 0;
  Publish(publisher, Names(1, 1));
  EXPECT_TRUE(publisher.Flush(kPatience));  // its answer has told that there is no more credit
  Publish(publisher, Names(20, 2));
  const std::size_t hellos = daemon.taken().Hellos();
  EXPECT_TRUE(Until([&] { return daemon.taken().Hellos() >= hellos + 2; }));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(2));
  EXPECT_EQ(publisher.Stats().pending, 20);
  EXPECT_TRUE(publisher.Stats().connected);
  daemon.credit = 1U << 20;
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(22));
  EXPECT_EQ(publisher.Stats().dropped, 0);
}

TEST(DeliveryTest, RejectedMessagesAreCountedByReasonAndCostNothingElse) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.reject_frame = "f1";
  daemon.Start();
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(3));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_TRUE(Until([&] { return !publisher.Stats().rejected.empty(); }));
  const PublisherStats stats = publisher.Stats();
  EXPECT_EQ(stats.rejected, (std::map<std::string, std::uint64_t>{{"conflict", 1}}));
  EXPECT_EQ(stats.recent_rejects.at(0).detail, "frame f1");
  EXPECT_EQ(daemon.taken().FrameIds(), (std::vector<std::string>{"f0", "f2"}));
}

TEST(DeliveryTest, MessagesOverALimitBecomeTombstones) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.limits.message_bytes = 400;
  daemon.limits.boxes_per_frame = 10;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, {"large"}, 60);  // before the limits are told
  daemon.Start();
  EXPECT_TRUE(publisher.Flush(kPatience));
  Publish(publisher, {"many"}, 11);
  Publish(publisher, {"small"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  const Taken taken = daemon.taken();
  const auto tombstones = taken.All<Tombstone>();
  ASSERT_EQ(tombstones.size(), 2);
  EXPECT_EQ(tombstones[0].reason, "oversized");
  EXPECT_EQ(tombstones[1].reason, "too_many_boxes");
  EXPECT_EQ(tombstones[0].frames + tombstones[1].frames, 2);
  EXPECT_EQ(taken.FrameIds(), std::vector<std::string>{"small"});
  EXPECT_EQ(publisher.Stats().rejected,
            (std::map<std::string, std::uint64_t>{{"oversized", 1}, {"too_many_boxes", 1}}));
}

// With the announcements that rode on it, a batch was once one that no daemon takes, and all of it was
// refused.
TEST(DeliveryTest, ABatchIsKeptWithinTheItemsThatTheDaemonTakes) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.limits.batch_items = 5;
  daemon.Start();
  PublisherOptions options = Quick(daemon.endpoint());  // a class list and a model ride
  options.timing.announce = milliseconds(1);            // on every message
  Publisher publisher = Made(options);
  EXPECT_TRUE(Until([&] { return publisher.Stats().connected; }));
  const std::vector<wire::Message> four(4, Tombstone{"fits", 1});
  const std::vector<wire::Message> six(6, Tombstone{"never seen", 1});
  ASSERT_TRUE(publisher.SendPayload(wire::EncodeBatch(four)));
  ASSERT_TRUE(publisher.SendPayload(wire::EncodeBatch(six)));
  EXPECT_TRUE(publisher.Flush(kPatience));
  std::map<std::string, std::uint64_t> frames;
  for (const Tombstone& tombstone : daemon.taken().All<Tombstone>()) {
    frames[tombstone.reason] += tombstone.frames;
  }
  EXPECT_EQ(frames, (std::map<std::string, std::uint64_t>{{"fits", 4}, {"oversized", 6}}));
  EXPECT_EQ(publisher.Stats().rejected, (std::map<std::string, std::uint64_t>{{"oversized", 1}}));
}

// A daemon that has refused a list lets its frames wait for it first, and refuses each half a minute later.
TEST(DeliveryTest, FramesOfAClassListThatIsTooLongAreRefusedHere) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.limits.classes_per_list = 1;
  daemon.limits.boxes_per_frame = 10;
  daemon.Start();
  PublisherOptions options = Quick(daemon.endpoint());
  Mutex mutex;
  std::string said;
  options.on_warning = [&](std::string_view what) {
    const MutexLock lock(mutex);
    said += std::string(what) + "\n";
  };
  Publisher publisher = Made(options);
  EXPECT_TRUE(Until([&] { return publisher.Stats().connected; }));
  Publish(publisher, {"one"});
  Publish(publisher, {"many"}, 11);
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), std::vector<std::string>());
  const PublisherStats stats = publisher.Stats();
  EXPECT_EQ(stats.rejected,
            (std::map<std::string, std::uint64_t>{{"too_many_boxes", 1}, {"too_many_classes", 1}}));
  ASSERT_EQ(stats.recent_rejects.size(), 2U);
  EXPECT_EQ(stats.recent_rejects.at(0).detail, "2 class names, the daemon takes 1");
  EXPECT_EQ(stats.recent_rejects.at(1).detail, "11 boxes, the daemon takes 10");
  const MutexLock lock(mutex);
  EXPECT_NE(said.find(": class_names: 2, the daemon takes 1\n"), std::string::npos) << said;
}

// Regression: they were due again as soon as their tombstone was sent, without an end.
TEST(DeliveryTest, AnnouncementsThatAreTooLargeAreTriedAsSeldomAsOthers) {
  FakeDaemon daemon(std::make_shared<Books>(), "tcp://127.0.0.1:*", false);
  daemon.limits.message_bytes = 300;
  daemon.Start();
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.announce = std::chrono::hours(1);
  for (std::uint32_t id = 100; id < 130; ++id) {
    options.class_names.emplace_back(id, "a class of a name that is long " + std::to_string(id));
  }
  Publisher publisher = Made(options);
  EXPECT_TRUE(Until([&] { return publisher.Stats().rejected.contains("oversized"); }));
  for (const std::string& name : Names(20)) {
    Publish(publisher, {name});
    EXPECT_TRUE(publisher.Flush(kPatience));
  }
  EXPECT_EQ(daemon.taken().FrameIds(), Names(20));
  const auto tombstones = daemon.taken().All<Tombstone>();
  ASSERT_EQ(tombstones.size(), 1U);
  EXPECT_EQ(tombstones[0].frames, 0U) << "no frame is lost with it";
  EXPECT_EQ(publisher.Stats().rejected, (std::map<std::string, std::uint64_t>{{"oversized", 1}}));
}

TEST(DeliveryTest, ANewerRunWithTheSameNameEndsThisOne) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(1));
  EXPECT_TRUE(publisher.Flush(kPatience));
  daemon.stale = true;
  Publish(publisher, {"late"});
  EXPECT_TRUE(Until([&] { return publisher.Stats().superseded; }));
  Publish(publisher, {"later"});
  EXPECT_FALSE(publisher.Flush(kPatience));
  EXPECT_TRUE(Until([&] { return publisher.Stats().dropped == 2; }));
  EXPECT_EQ(publisher.Stats().pending, 0);
  EXPECT_EQ(publisher.Stats().acknowledged_sequence, 1);  // who resumes sends the dropped ones again
}

}  // namespace
}  // namespace detwatch::client::test
