// What a full window does.
#include <gtest/gtest.h>

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
