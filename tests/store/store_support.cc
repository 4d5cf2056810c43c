#include "tests/store/store_support.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace detwatch::store {

namespace fs = std::filesystem;

TempFolder::TempFolder() : path_(testing::TempDir() + "detwatch-store-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    throw std::runtime_error("no temporary folder " + path_);
  }
}

TempFolder::~TempFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

SmallDisk::SmallDisk(const std::string& path, int megabytes) : path_(path) {
  fs::create_directories(path);
  const std::string size = "size=" + std::to_string(megabytes) + "m";
  if (mount("tmpfs", path.c_str(), "tmpfs", 0, size.c_str()) != 0) {
    problem_ = "cannot mount a small disk: " + std::generic_category().message(errno) +
               "; run as root, or under unshare -rm";
  }
}

SmallDisk::~SmallDisk() {
  if (problem_.empty()) {
    umount2(path_.c_str(), MNT_DETACH);
  }
}

void SmallDisk::MakeReadOnly() const {
  if (mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    throw std::runtime_error("cannot remount " + path_);
  }
}

void SmallDisk::Grow(int megabytes) const {
  const std::string size = "size=" + std::to_string(megabytes) + "m";
  if (mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, size.c_str()) != 0) {
    throw std::runtime_error("cannot remount " + path_);
  }
}

void SmallDisk::Fill() const {
  const int file = open((path_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::string piece(1 << 16, 'x');
  for (std::size_t size = piece.size(); file >= 0 && size > 0;) {
    if (write(file, piece.data(), size) <= 0) {
      size /= 2;
    }
  }
  close(file);
}

void SmallDisk::Free() const {
  fs::remove(path_ + "/filler");
}

bool MountIsRequired() {
  constexpr const char* kName = "DETWATCH_REQUIRE_MOUNT";
  const char* required = std::getenv(kName);  // NOLINT(concurrency-mt-unsafe): no setenv in this process
  return required != nullptr && std::string_view(required) == "1";
}

std::unique_ptr<Store> MustOpen(const Options& options) {
  auto store = Store::Open(options);
  if (!store) {
    throw std::runtime_error(store.error().message);
  }
  return std::move(*store);
}

std::unique_ptr<Store> MustOpen(const std::string& path) {
  return MustOpen(Options{.path = path});
}

std::string WhyNot(const Options& options) {
  const auto store = Store::Open(options);
  return store ? "" : store.error().message;
}

std::string WhyNot(const std::string& path) {
  return WhyNot(Options{.path = path});
}

void MustCommit(KeyValue& store) {
  if (const auto committed = store.Commit(); !committed) {
    throw std::runtime_error(committed.error().message);
  }
}

void PutAndCommit(KeyValue& store, const std::string& key, const std::string& value) {
  store.Put(key, value);
  MustCommit(store);
}

namespace {

std::map<std::string, std::uintmax_t> SizesIn(const std::string& folder) {
  std::map<std::string, std::uintmax_t> sizes;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    std::error_code gone;
    const std::uintmax_t size = file.is_regular_file(gone) ? file.file_size(gone) : 0;
    if (!gone) {
      sizes[file.path().filename()] = size;
    }
  }
  return sizes;
}

}  // namespace

// A store that is open goes on flushing meanwhile: what was copied around a change is no moment's image, and
// is copied again.
void CopyFolder(const std::string& from, const std::string& to) {
  for (bool still = false; !still;) {
    fs::remove_all(to);
    fs::create_directories(to);
    const auto before = SizesIn(from);
    std::error_code gone;
    for (const auto& [name, size] : before) {
      if (!gone && fs::is_regular_file(fs::path(from) / name, gone)) {
        fs::copy_file(fs::path(from) / name, fs::path(to) / name, gone);
      }
    }
    still = !gone && SizesIn(from) == before;
  }
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.is_open()) {
    throw std::runtime_error("cannot read " + path.string());
  }
  return text.str();
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

std::string Contents(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    const std::string name = file.path().filename().string();
    if (file.is_regular_file() && !name.starts_with("LOG") && name != "detwatch.lock") {
      paths.push_back(file.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::string contents;
  for (const fs::path& path : paths) {
    contents += path.filename().string() + "\n" + ReadFile(path) + "\n";
  }
  return contents;
}

std::vector<fs::path> FilesOf(const std::string& folder, const std::string& what) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    if (what.starts_with(".") ? file.path().extension() == what
                              : file.path().filename().string().starts_with(what)) {
      files.push_back(file.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace detwatch::store
