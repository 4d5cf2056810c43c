#include "daemon/serve/web.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/daemon/http_client_support.h"

namespace detwatch::serve {
namespace {

class WebTest : public ::testing::Test {
 protected:
  WebTest() {
    config_.web.listen_address = "127.0.0.1:0";
    web_.emplace(config_, published_, health_, times_, std::vector<std::string>{},
                 std::vector<std::string>{});
    const auto started = web_->Start();
    EXPECT_TRUE(started) << started.error().message;
  }
  http::Reply Get(const std::string& path) { return http::Client(web_->bound()).Get(path); }
  // What the gauge and the summary say must be what /-/ready says.
  void ExpectReady(bool ready) {
    EXPECT_THAT(Get("/metrics").body,
                ::testing::HasSubstr(ready ? "\ndetwatch_ready 1\n" : "\ndetwatch_ready 0\n"));
    EXPECT_THAT(Get("/api/v1/summary").body,
                ::testing::HasSubstr(ready ? "\"ready\":true" : "\"ready\":false"));
  }
  void Publish(Duration wall_ahead = {}) {
    auto snapshot = std::make_shared<snapshot::Snapshot>();
    snapshot->wall_ahead = wall_ahead;
    published_.Set(std::move(snapshot));
  }

  config::Config config_;
  Published published_;
  StorageHealth health_{true, "store"};
  HandoverTimes times_;
  std::optional<Web> web_;
};

// It once was 200 for as long as a state with thousands of classes made its first snapshot.
TEST_F(WebTest, ReadyMeansThatTheNumbersAreThere) {
  web_->SetReady(true);
  const http::Reply before = Get("/-/ready");
  EXPECT_EQ(before.status, 503);
  EXPECT_THAT(before.body, ::testing::HasSubstr("numbers are being read"));
  ExpectReady(false);
  EXPECT_EQ(Get("/-/healthy").status, 200);
  Publish();
  const http::Reply after = Get("/-/ready");
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.body, "ready\n");
  ExpectReady(true);
}

TEST_F(WebTest, IsNotReadyBeforeThreadsRunNorWhileItStops) {
  Publish();
  for (const bool running : {false, true, false}) {
    web_->SetReady(running);
    EXPECT_EQ(Get("/-/ready").status, running ? 200 : 503);
    ExpectReady(running);
  }
  EXPECT_THAT(Get("/-/ready").body, ::testing::HasSubstr("starting or stopping"));
}

TEST_F(WebTest, IsNotReadyWhileTheStoreCannotBeWrittenAndSaysWhy) {
  Publish();
  web_->SetReady(true);
  EXPECT_TRUE(health_.Failed("no space left"));
  const http::Reply full = Get("/-/ready");
  EXPECT_EQ(full.status, 503);
  EXPECT_THAT(full.body, ::testing::HasSubstr("no space left"));
  ExpectReady(false);
  EXPECT_TRUE(health_.Wrote(1, 1, 1));
  EXPECT_EQ(Get("/-/ready").status, 200);
  ExpectReady(true);
}

TEST_F(WebTest, AClockThatIsSetIsANoteAndNoReasonToBeUnready) {
  web_->SetReady(true);
  const std::vector<std::pair<Duration, std::string>> cases = {
      {-std::chrono::hours(1), "3600 s behind"},
      {std::chrono::hours(2), "7200 s ahead of"},
      {-std::chrono::seconds(61), "61 s behind"},
      {-window::Clock::kTolerance, ""},
      {window::Clock::kTolerance, ""},
  };
  for (const auto& [wall_ahead, note] : cases) {
    Publish(wall_ahead);
    const http::Reply reply = Get("/-/ready");
    EXPECT_EQ(reply.status, 200);
    if (note.empty()) {
      EXPECT_EQ(reply.body, "ready\n");
    } else {
      EXPECT_THAT(reply.body, ::testing::HasSubstr("note: the wall clock is " + note));
    }
    ExpectReady(true);
  }
}

}  // namespace
}  // namespace detwatch::serve
