// What a full window does.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/client/fake_daemon_support.h"
#include "tests/client/publish_support.h"

namespace detwatch::client::test {
namespace {

using std::chrono::milliseconds;

TEST(WindowTest, WithoutADaemonTheOldestAreDroppedAndNobodyWaits) {
  PublisherOptions options = Quick(kNowhere);
  options.window_bytes = 2000;
  Publisher publisher = Made(options);
  Publish(publisher, Names(1000));
  EXPECT_TRUE(Until([&] { return publisher.Stats().dropped > 900; }));
  EXPECT_EQ(publisher.Stats().dropped + publisher.Stats().pending, 1000);
  EXPECT_FALSE(publisher.Close(milliseconds(10)));
}

// 30 MB through 1 MB of room by one thread, while nothing is ever answered: had a call waited for the daemon,
// it would wait still.
TEST(WindowTest, ADaemonThatNeverAnswersNeverStallsACaller) {
  FakeDaemon daemon;
  daemon.mute = true;
  PublisherOptions options = Quick(daemon.endpoint());
  options.window_bytes = 10000;
  Publisher publisher = Made(options);
  Publish(publisher, Names(10000), 150);
  const PublisherStats stats = publisher.Stats();
  EXPECT_EQ(stats.acknowledged, 0);
  EXPECT_EQ(stats.acknowledged_sequence, 0);
  EXPECT_EQ(stats.dropped + stats.pending, 10000);
  EXPECT_GT(stats.dropped, 9000);
  EXPECT_TRUE(daemon.taken().FrameIds().empty());
}

TEST(WindowTest, ClosingFreesACallThatWaitsForRoomWithAnError) {
  FakeDaemon daemon;
  daemon.mute = true;
  PublisherOptions options = Quick(daemon.endpoint());
  options.window_bytes = 10000;
  options.on_full = OnFull::kBlock;
  Publisher publisher = Made(options);
  std::string message;
  std::atomic<int> published{0};
  std::thread caller([&] {
    const std::string payload = wire::EncodePayload(Tombstone{std::string(100000, 'x'), 1});
    for (auto sent = publisher.SendPayload(payload); sent; sent = publisher.SendPayload(payload)) {
      published = static_cast<int>(*sent);
    }
    message = publisher.SendPayload(payload).error().message;
  });
  // One in the window, some with the publisher's thread, ten in the inbox: the next call waits.
  EXPECT_TRUE(Until([&] { return published >= 11; }));
  EXPECT_FALSE(publisher.Close(milliseconds(1)));
  caller.join();
  EXPECT_NE(message.find("closed"), std::string::npos);
  EXPECT_EQ(publisher.Stats().pending, static_cast<std::uint64_t>(published));
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

}  // namespace
}  // namespace detwatch::client::test
