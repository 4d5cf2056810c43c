// Runs a fuzz target over the files and folders it is given, in builds without libFuzzer: what was once found
// stays found by ctest.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

bool RunFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    return false;
  }
  // Said before, so that a crash names its input.
  std::printf("%s\n", path.filename().c_str());
  std::fflush(stdout);
  return LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  bool good = true;
  for (const std::filesystem::path argument : std::vector<std::string>(argv + 1, argv + argc)) {
    if (!std::filesystem::is_directory(argument)) {
      good = RunFile(argument) && good;
      ++files;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argument)) {
      good = RunFile(entry.path()) && good;
      ++files;
    }
  }
  if (files == 0) {
    std::fprintf(stderr, "no inputs; name files or folders\n");
  }
  return good && files > 0 ? 0 : 1;
}
