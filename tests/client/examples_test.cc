// The examples, run as programs.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/client/fake_daemon_support.h"

namespace detwatch::client::test {
namespace {

class ResumeTest : public testing::Test {
 protected:
  ~ResumeTest() override { std::filesystem::remove_all(folder_); }

  pid_t Start(const std::string& endpoint, const std::string& frames) const {
    const std::array<const char*, 5> arguments = {DETWATCH_RESUME_EXAMPLE, endpoint.c_str(), file_.c_str(),
                                                  frames.c_str(), nullptr};
    pid_t child = -1;
    EXPECT_EQ(posix_spawn(&child, DETWATCH_RESUME_EXAMPLE, nullptr, nullptr,
                          const_cast<char* const*>(arguments.data()), environ),
              0);
    return child;
  }
  static int Ended(pid_t child) {
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }
  std::uint64_t Remembered() const {
    std::uint64_t frame = 0;
    std::ifstream(file_) >> frame;
    return frame;
  }
  static std::vector<std::string> Frames(int first, int last) {
    std::vector<std::string> ids;
    for (int i = first; i <= last; ++i) {
      ids.push_back("frame-" + std::to_string(i));
    }
    return ids;
  }

  std::filesystem::path folder_ = [] {
    std::string name = testing::TempDir() + "detwatch-resume-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    return name;
  }();
  std::string file_ = folder_ / "resume.txt";
};

TEST_F(ResumeTest, AKilledPublisherGoesOnAfterItsLastAcknowledgedFrame) {
  FakeDaemon daemon;
  daemon.durable_frames = 8;
  const pid_t first = Start(daemon.endpoint(), "20");
  EXPECT_TRUE(Until([&] { return Remembered() == 8 && daemon.taken().FrameIds().size() == 20; }));
  kill(first, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(Ended(first)));
  daemon.durable_frames = SIZE_MAX;
  EXPECT_EQ(Ended(Start(daemon.endpoint(), "30")), 0);
  EXPECT_EQ(Remembered(), 30);
  std::vector<std::string> expected = Frames(1, 20);
  for (std::string& id : Frames(9, 30)) {  // 9 to 20 for the second time: the daemon's to count once
    expected.push_back(std::move(id));
  }
  EXPECT_EQ(daemon.taken().FrameIds(), expected);
}

TEST(ExampleTest, TheExamplePublishesFiveFramesWithLabels) {
  FakeDaemon daemon;
  const std::string command = std::string(DETWATCH_PUBLISH_EXAMPLE) + " " + daemon.endpoint();
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 256> line{};
  EXPECT_NE(fgets(line.data(), line.size(), pipe), nullptr);
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_STREQ(line.data(), "sent 10, acknowledged 10, rejected 0 reasons\n");
  EXPECT_EQ(daemon.taken().All<Predictions>().size(), 5);
  EXPECT_EQ(daemon.taken().All<Labels>().size(), 5);
}

}  // namespace
}  // namespace detwatch::client::test
