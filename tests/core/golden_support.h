#pragma once
// Bytes that are frozen: what is written today must be what was written when the file was made, and be read.
// DETWATCH_UPDATE_GOLDEN=1 writes the files anew, for a new version of a form.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace detwatch::test {

// The bytes in the file.
[[nodiscard]] inline std::string Stored(const std::string& path) {
  std::ifstream in(std::string(DETWATCH_TESTS_DIR) + "/" + path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_FALSE(bytes.empty()) << path << " is missing or empty";
  return bytes;
}

// The bytes in the file, which are those of `now` unless the form has changed.
[[nodiscard]] inline std::string Golden(const std::string& path, const std::string& now) {
  const std::string file = std::string(DETWATCH_TESTS_DIR) + "/" + path;
  if (std::getenv("DETWATCH_UPDATE_GOLDEN") !=
      nullptr) {  // NOLINT(concurrency-mt-unsafe): tests have one thread
    std::ofstream(file, std::ios::binary) << now;
  }
  const std::string bytes = Stored(path);
  EXPECT_EQ(bytes, now) << "the form of " << path << " has changed: it needs a new version and a migration";
  return bytes;
}

}  // namespace detwatch::test
