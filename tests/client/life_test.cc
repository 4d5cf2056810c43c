// Who a publisher is, fire and forget, and the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/client/fake_daemon_support.h"
#include "tests/client/publish_support.h"

namespace detwatch::client::test {
namespace {

using std::chrono::milliseconds;

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
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads after a fork";
#endif
#endif
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

TEST(LifeTest, FlushAndCloseEndAtTheirDeadlineAndSayThatMessagesAreHeld) {
  FakeDaemon daemon;
  daemon.mute = true;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(2));
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(publisher.Flush(milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(20));
  EXPECT_FALSE(publisher.Flush({}));
  EXPECT_FALSE(publisher.Flush(milliseconds(-1)));
  EXPECT_FALSE(publisher.Close(milliseconds(20)));
  EXPECT_EQ(publisher.Stats().pending, 2);
}

TEST(LifeTest, ClosingAgainTellsTheSameAsTheFirstTime) {
  FakeDaemon daemon;
  daemon.mute = true;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, Names(1));
  EXPECT_FALSE(publisher.Close({}));
  EXPECT_FALSE(publisher.Close(kPatience));
}

TEST(LifeTest, FlushWaitsOnlyForWhatWasSentBeforeIt) {
  FakeDaemon daemon;
  daemon.durable_frames = 1;
  Publisher publisher = Made(Quick(daemon.endpoint()));
  Publish(publisher, {"first"});
  EXPECT_TRUE(publisher.Flush(kPatience));
  Publish(publisher, {"second"});
  EXPECT_FALSE(publisher.Flush(milliseconds(20)));
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
