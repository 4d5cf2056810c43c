#include "tests/daemon/temp_tree_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace detwatch {

TempTree::TempTree() {
  std::string name = testing::TempDir() + "detwatch-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary directory " + name);
  }
  path_ = name;
}

TempTree::~TempTree() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path TempTree::Write(const std::string& name, std::string_view text) const {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream) {
    throw std::runtime_error("cannot write " + file.string());
  }
  return file;
}

}  // namespace detwatch
