#include "tests/golden/reference_support.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "daemon/files/dataset_files.h"

extern char** environ;

namespace detwatch {
namespace {

namespace fs = std::filesystem;

// Nothing here changes the environment.
const char* Variable(const char* name) {
  return std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no setenv in this process
}

fs::path GoldenRoot() {
  const char* root = Variable("DETWATCH_GOLDEN");
  return root != nullptr ? fs::path(root) : fs::path(DETWATCH_SOURCE_DIR) / ".." / "shared" / "golden";
}

// Holds a lock file while alive, against other processes.
class FileLock {
 public:
  explicit FileLock(const fs::path& file) : fd_(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    if (fd_ < 0 || flock(fd_, LOCK_EX) != 0) {
      throw std::runtime_error("cannot lock " + file.string());
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() { close(fd_); }

 private:
  int fd_;
};

bool Run(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& word : command) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return failed == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void ExpectWithin(const accumulate::ApValue& binned, const accumulate::ApValue& exact,
                  const std::string& where) {
  constexpr double kRounding = 1e-12;  // of two sums in another order
  if (std::isnan(exact.value)) {
    EXPECT_TRUE(std::isnan(binned.value)) << where;
    return;
  }
  EXPECT_LE(binned.lower, exact.value + kRounding) << where;
  EXPECT_GE(binned.upper, exact.value - kRounding) << where;
  EXPECT_LE(binned.lower, binned.value) << where;
  EXPECT_GE(binned.upper, binned.value) << where;
}

}  // namespace

Json ReadJson(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    throw std::runtime_error("cannot open " + file.string());
  }
  return Json::parse(stream);
}

std::optional<fs::path> Golden(const std::string& name) {
  const fs::path path = GoldenRoot() / name;
  std::error_code error;
  return fs::exists(path, error) ? std::optional(path) : std::nullopt;
}

bool GoldenIsRequired() {
  const char* required = Variable("DETWATCH_REQUIRE_GOLDEN");
  return required != nullptr && std::string(required) == "1";
}

std::optional<fs::path> Synthetic(const std::vector<std::string>& arguments) {
  const auto generator = Golden("../synthetic/gen.py");
  if (!generator) {
    return std::nullopt;
  }
  std::string name = "set";
  for (const std::string& argument : arguments) {
    name += "_" + argument.substr(std::min(argument.find_first_not_of('-'), argument.size()));
  }
  const fs::path root = fs::read_symlink("/proc/self/exe").parent_path() / "synthetic_sets";
  fs::create_directories(root);
  const FileLock lock(root / (name + ".lock"));
  const fs::path directory = root / name;
  if (fs::exists(directory)) {
    return directory;
  }
  const fs::path fresh = root / (name + ".part");
  std::vector<std::string> command = {"/usr/bin/python3", generator->string(), "--out", fresh.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  if (!Run(std::move(command))) {
    return std::nullopt;
  }
  fs::rename(fresh, directory);
  return directory;
}

dataset::Dataset ReadDataset(const fs::path& ground_truth, const fs::path& predictions) {
  auto data = files::ReadGroundTruth(ground_truth);
  if (!data) {
    throw std::runtime_error(data.error().message);
  }
  if (const auto read = files::ReadPredictions(predictions, {}, *data); !read) {
    throw std::runtime_error(read.error().message);
  }
  return std::move(*data);
}

void RoundToFloat32(dataset::Dataset& data) {
  const auto round = [](double& value) { value = static_cast<double>(static_cast<float>(value)); };
  const auto round_box = [&](Box& box) {
    round(box.x);
    round(box.y);
    round(box.w);
    round(box.h);
  };
  for (dataset::Frame& frame : data.frames) {
    std::for_each(frame.labels.boxes.begin(), frame.labels.boxes.end(), round_box);
    std::for_each(frame.labels.areas.begin(), frame.labels.areas.end(), round);
    std::for_each(frame.predictions.boxes.begin(), frame.predictions.boxes.end(), round_box);
  }
}

tools::EvalReport EvaluateWith(const dataset::Dataset& data, tools::Method method, Protocol protocol,
                               bool inclusive_pixels) {
  tools::EvalOptions options;
  options.method = method;
  options.protocol = protocol;
  options.voc_inclusive_pixels = inclusive_pixels;
  auto report = tools::Evaluate(data, options);
  if (!report) {
    throw std::runtime_error(report.error().message);
  }
  return std::move(*report);
}

void ExpectSame(const Json& actual, const Json& expected, double tolerance, const std::string& path) {
  if (expected.is_number() && actual.is_number()) {
    EXPECT_NEAR(actual.get<double>(), expected.get<double>(), tolerance) << path;
  } else if (expected.is_object() && actual.is_object()) {
    EXPECT_EQ(actual.size(), expected.size()) << path << " has other keys";
    for (const auto& [key, value] : expected.items()) {
      ASSERT_TRUE(actual.contains(key)) << path << "." << key << " is missing";
      ExpectSame(actual.at(key), value, tolerance, path + "." + key);
    }
  } else if (expected.is_array() && actual.is_array()) {
    ASSERT_EQ(actual.size(), expected.size()) << path;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ExpectSame(actual[i], expected[i], tolerance, path + "[" + std::to_string(i) + "]");
    }
  } else {
    EXPECT_EQ(actual, expected) << path;
  }
}

void ExpectBoundsHold(const tools::EvalReport& binned, const tools::EvalReport& exact) {
  ASSERT_EQ(binned.classes.size(), exact.classes.size());
  const EvaluationParams& params = exact.params;
  for (std::size_t a = 0; a < params.areas(); ++a) {
    for (std::size_t t = 0; t <= params.thresholds(); ++t) {
      const std::string where = params.area_ranges[a].name + ", threshold " + std::to_string(t);
      ExpectWithin(binned.mean.map[a][t], exact.mean.map[a][t], "mean, " + where);
      for (std::size_t c = 0; c < exact.classes.size() && t < params.thresholds(); ++c) {
        ExpectWithin(binned.classes[c].summary.ap[a][t], exact.classes[c].summary.ap[a][t],
                     exact.classes[c].entry.name + ", " + where);
      }
    }
  }
}

}  // namespace detwatch
