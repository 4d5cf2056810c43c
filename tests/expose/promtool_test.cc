// Prometheus's own opinion of the text: `promtool check metrics`, from DETWATCH_PROMTOOL or the PATH.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "lib/expose/expose.h"
#include "tests/expose/snapshot_support.h"

namespace detwatch::expose {
namespace {

// Empty when there is none.
std::string FindPromtool() {
  if (const char* given = std::getenv("DETWATCH_PROMTOOL"); given != nullptr && *given != '\0') {
    return given;
  }
  const char* path = std::getenv("PATH");
  std::string folders = path != nullptr ? path : "";
  for (std::size_t begin = 0; begin < folders.size();) {
    const std::size_t end = std::min(folders.find(':', begin), folders.size());
    const std::string tool = folders.substr(begin, end - begin) + "/promtool";
    if (std::filesystem::exists(tool)) {
      return tool;
    }
    begin = end + 1;
  }
  return {};
}

struct Verdict {
  int status = -1;
  std::string output;
};

Verdict Check(const std::string& promtool, const std::string& text) {
  const auto file = std::filesystem::temp_directory_path() / ("detwatch_metrics_" + std::to_string(getpid()));
  std::ofstream(file, std::ios::binary) << text;
  Verdict verdict;
  FILE* pipe = popen((promtool + " check metrics < " + file.string() + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    return verdict;
  }
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    verdict.output.append(buffer.data(), n);
  }
  verdict.status = pclose(pipe);
  std::filesystem::remove(file);
  return verdict;
}

TEST(PromtoolTest, PromtoolFindsNothing) {
  const std::string promtool = FindPromtool();
  if (promtool.empty()) {
    GTEST_SKIP() << "no promtool: set DETWATCH_PROMTOOL or add it to the PATH (Debian package prometheus)";
  }
  for (const auto& snapshot :
       {SampleSnapshot(), CocoSnapshot(2, 80), std::shared_ptr<snapshot::Snapshot>()}) {
    const Verdict verdict = Check(promtool, Serve(snapshot).Text());
    EXPECT_EQ(verdict.status, 0);
    EXPECT_EQ(verdict.output, "");
  }
  EXPECT_NE(Check(promtool, "not the format{\n").status, 0) << "promtool did not read what it was given";
}

}  // namespace
}  // namespace detwatch::expose
