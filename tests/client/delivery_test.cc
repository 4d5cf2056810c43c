// What reaches the daemon: through loss, restarts, limits and a full window.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <numeric>
#include <set>
#include <thread>

#include "lib/client/publisher.h"
#include "tests/client/fake_daemon_support.h"

namespace detwatch::client::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPatience = seconds(10);
constexpr const char* kNowhere = "tcp://127.0.0.1:9";

// The waits of the protocol, short enough for tests.
PublisherOptions Quick(const std::string& endpoint) {
  PublisherOptions options;
  options.endpoint = endpoint;
  options.model = "m";
  options.class_names = {{0, "person"}, {1, "car"}};
  options.timing = {milliseconds(50), milliseconds(300), seconds(30)};
  return options;
}

Publisher Made(PublisherOptions options) {
  auto made = Publisher::Make(std::move(options));
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

std::vector<std::string> Names(int count, int start = 0) {
  std::vector<std::string> names;
  for (int i = start; i < start + count; ++i) {
    names.push_back("f" + std::to_string(i));
  }
  return names;
}

void Publish(Publisher& publisher, const std::vector<std::string>& names, std::size_t boxes = 1) {
  const std::vector<Box> column(boxes, Box{0, 0, 10, 10});
  const std::vector<float> scores(boxes, 0.5F);
  const std::vector<std::uint32_t> ids(boxes, 0);
  for (const std::string& name : names) {
    const auto sent = publisher.Predictions(name, column, scores, ids);
    ASSERT_TRUE(sent) << sent.error().message;
  }
}

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

// Regression: a hello was sent when idle, a burst followed at once, and the answer to the hello, which lagged
// behind the burst, was taken for a loss.
TEST(DeliveryTest, ABurstAfterAnIdleHelloIsNotSentAgain) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.timing.silence = seconds(15);
  Publisher publisher = Made(options);
  for (int round = 0; round < 10; ++round) {
    const std::size_t hellos = daemon.taken().Hellos();
    EXPECT_TRUE(Until([&] { return daemon.taken().Hellos() > hellos; }));
    Publish(publisher, Names(100, 100 * round));
    EXPECT_TRUE(publisher.Flush(kPatience));
  }
  EXPECT_EQ(publisher.Stats().resent, 0);
  EXPECT_EQ(daemon.taken().FrameIds(), Names(1000));
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
}

TEST(WindowTest, WithoutADaemonTheOldestAreDroppedAndNobodyWaits) {
  PublisherOptions options = Quick(kNowhere);
  options.window_bytes = 2000;
  Publisher publisher = Made(options);
  Publish(publisher, Names(1000));
  EXPECT_TRUE(Until([&] { return publisher.Stats().dropped > 900; }));
  EXPECT_EQ(publisher.Stats().dropped + publisher.Stats().pending, 1000);
  EXPECT_FALSE(publisher.Close(milliseconds(10)));
}

TEST(WindowTest, TheDaemonIsToldWhatWasDropped) {
  const std::string endpoint = FakeDaemon().endpoint();
  PublisherOptions options = Quick(endpoint);
  options.window_bytes = 2000;
  Publisher publisher = Made(options);
  Publish(publisher, Names(100));
  EXPECT_TRUE(Until([&] { return publisher.Stats().dropped > 10; }));
  FakeDaemon daemon(std::make_shared<Books>(), endpoint);
  EXPECT_TRUE(publisher.Flush(kPatience));
  const auto dropped = static_cast<int>(publisher.Stats().dropped);
  EXPECT_EQ(daemon.taken().FrameIds(), Names(100 - dropped, dropped));
  EXPECT_EQ(daemon.taken().lost, dropped);
}

TEST(WindowTest, BlockWaitsForRoomAndLosesNothing) {
  FakeDaemon daemon;
  daemon.durable = false;
  PublisherOptions options = Quick(daemon.endpoint());
  options.window_bytes = 10000;
  options.on_full = OnFull::kBlock;
  Publisher publisher = Made(options);
  std::atomic<bool> done{false};
  std::thread caller([&] {
    Publish(publisher, Names(1000), 150);  // 3 MB; the window and the inbox hold 1 MB
    done = true;
  });
  EXPECT_TRUE(Until([&] { return !daemon.taken().FrameIds().empty(); }));
  EXPECT_FALSE(publisher.Flush(milliseconds(20)));
  EXPECT_FALSE(done);
  daemon.durable = true;
  caller.join();
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(1000));
  EXPECT_EQ(publisher.Stats().dropped, 0);
}

TEST(WindowTest, AMessageLargerThanTheWindowIsSentWhenTheWindowIsEmpty) {
  FakeDaemon daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.window_bytes = 10;
  options.on_full = OnFull::kBlock;
  Publisher publisher = Made(options);
  Publish(publisher, Names(3));
  EXPECT_TRUE(publisher.Flush(kPatience));
  EXPECT_EQ(daemon.taken().FrameIds(), Names(3));
}

TEST(IdentityTest, TheNameIsKeptAndTheEpochRisesWithEachRun) {
  FakeDaemon daemon;
  std::vector<std::uint64_t> epochs;
  for (int run = 0; run < 2; ++run) {
    PublisherOptions options = Quick(daemon.endpoint());
    options.name = "camera-1";
    Publisher publisher = Made(options);
    Publish(publisher, Names(1, run));
    EXPECT_TRUE(publisher.Close(kPatience));
    EXPECT_EQ(daemon.taken().headers.back().publisher, "camera-1");
    epochs.push_back(daemon.taken().headers.back().epoch);
  }
  EXPECT_GT(epochs[1], epochs[0]);
}

TEST(IdentityTest, TwoPublishersOfAProcessHaveDifferentNames) {
  FakeDaemon daemon;
  EXPECT_NE(Made(Quick(daemon.endpoint())).name(), Made(Quick(daemon.endpoint())).name());
}

TEST(IdentityTest, AForkedChildPublishesUnderItsOwnEpochAndLeavesTheParentAlone) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, {"parent"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  const pid_t child = fork();
  if (child == 0) {
    Publish(publisher, {"child"});
    const bool good = publisher.Close(kPatience) && publisher.Stats().acknowledged == 1;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Publish(publisher, {"again"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  const Taken taken = daemon.taken();
  EXPECT_THAT(taken.FrameIds(), testing::ElementsAre("parent", "child", "again"));
  std::set<std::pair<std::string, std::uint64_t>> runs;
  for (const Header& header : taken.headers) {
    runs.insert({header.publisher, header.epoch});
  }
  EXPECT_EQ(runs.size(), 2);
}

TEST(PlainTest, AFrameWaitsForTheSubscription) {
  FakeSubscriber daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.reliable = false;
  Publisher publisher = Made(options);
  Publish(publisher, Names(3));
  std::vector<std::string> seen;
  std::uint64_t last = 0;
  Header header;
  std::vector<wire::Message> messages;
  while (seen.size() < 3 && daemon.Receive(header, messages)) {
    if (last == 0) {
      EXPECT_TRUE(std::holds_alternative<ClassList>(messages.front()));
    }
    EXPECT_EQ(header.sequence, ++last);
    EXPECT_EQ(header.oldest_held, 0);
    for (const wire::Message& message : messages) {
      if (const auto* predictions = std::get_if<Predictions>(&message)) {
        seen.push_back(predictions->frame.frame_id);
      }
    }
  }
  EXPECT_EQ(seen, Names(3));
  EXPECT_TRUE(publisher.Close(kPatience));
  EXPECT_EQ(publisher.Stats().sent, 3);
  EXPECT_EQ(publisher.Stats().acknowledged, 0);
}

TEST(PlainTest, ABlockingPublisherLosesNothingHoweverSlowTheSubscriber) {
  FakeSubscriber daemon;
  PublisherOptions options = Quick(daemon.endpoint());
  options.reliable = false;
  options.on_full = OnFull::kBlock;
  options.window_bytes = 1U << 20;
  Publisher publisher = Made(options);
  constexpr int kFrames = 20000;
  std::thread caller([&] {
    Publish(publisher, Names(kFrames));
    EXPECT_TRUE(publisher.Close(kPatience));
  });
  Header header;
  std::vector<wire::Message> messages;
  std::uint64_t last = 0;
  int frames = 0;
  while (frames < kFrames && daemon.Receive(header, messages)) {
    EXPECT_EQ(header.sequence, ++last);
    frames += static_cast<int>(std::count_if(messages.begin(), messages.end(), [](const auto& message) {
      return std::holds_alternative<Predictions>(message);
    }));
  }
  caller.join();
  EXPECT_EQ(frames, kFrames);
}

TEST(PlainTest, WithoutASubscriberTheWindowIsTheBound) {
  PublisherOptions options = Quick(kNowhere);
  options.reliable = false;
  options.window_bytes = 2000;
  Publisher publisher = Made(options);
  Publish(publisher, Names(1000));
  EXPECT_TRUE(Until([&] { return publisher.Stats().dropped > 900; }));
  EXPECT_FALSE(publisher.Flush(milliseconds(10)));
}

TEST(LifeTest, AClosedPublisherSaysSo) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  EXPECT_TRUE(publisher.Close(kPatience));
  EXPECT_TRUE(publisher.Close(kPatience));
  const auto sent = publisher.Predictions("f", {}, {}, {});
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, testing::HasSubstr("closed"));
}

TEST(LifeTest, ManyThreadsMayPublish) {
  FakeDaemon daemon;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&publisher, i] { Publish(publisher, Names(200, 1000 * i)); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(publisher.Flush(kPatience));
  const std::vector<std::string> ids = daemon.taken().FrameIds();
  EXPECT_EQ(ids.size(), 800);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 800);
}

}  // namespace
}  // namespace detwatch::client::test
