#include "lib/store/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace detwatch::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockName = "detwatch.lock";
constexpr std::string_view kMarkerName = "DETWATCH";
constexpr std::string_view kNewMarkerName = "DETWATCH.new";
constexpr std::string_view kMarkerText = "detwatch store, format ";

std::string Reason(int error) {
  return std::generic_category().message(error);
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// The first bytes of a small file; empty when it cannot be read.
std::string ReadSmall(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  std::array<char, 64> text{};
  const ssize_t n = file.get() < 0 ? 0 : pread(file.get(), text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(n < 0 ? 0 : n)};
}

std::optional<std::uint32_t> ParseMarker(std::string_view text) {
  std::uint32_t format = 0;
  if (!text.starts_with(kMarkerText)) {
    return std::nullopt;
  }
  text.remove_prefix(kMarkerText.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || end == text.data() + text.size() || *end != '\n') {
    return std::nullopt;
  }
  return format;
}

// What is in the folder, but for what a mkfs leaves in its root.
Result<std::set<std::string, std::less<>>> Names(const std::string& path) {
  std::error_code error;
  std::set<std::string, std::less<>> names;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    names.insert(at->path().filename().string());
  }
  if (error) {
    return Fail(NotWritableText(path, error.value()));
  }
  names.erase("lost+found");
  return names;
}

// Whether the folder may be locked, that is, written to.
Result<void> CheckOurs(const std::string& path, Purpose purpose) {
  const auto names = Names(path);
  if (!names) {
    return tl::unexpected(names.error());
  }
  const bool marked = names->contains(kMarkerName);
  const bool locked = names->contains(kLockName);
  auto others = *names;
  for (const std::string_view own : {kLockName, kNewMarkerName, kMarkerName}) {
    if (const auto at = others.find(own); at != others.end()) {
      others.erase(at);
    }
  }
  if (!marked && !locked && !others.empty()) {
    return Fail("the folder " + path + " is not empty and is not a store of detwatch (" + *others.begin() +
                " is in it); name an empty folder, or one that does not exist yet");
  }
  const std::string marker = marked ? ReadSmall(path + "/" + std::string(kMarkerName)) : "";
  const bool being_made = marked ? ParseMarker(marker) == 0U : others.empty();
  if (purpose == Purpose::kRepair) {
    return being_made ? Fail("there is no store in " + path + " to repair; start without repair")
                      : Result<void>();
  }
  if (!marked && !others.empty()) {
    return Fail(DamagedText(path, "its file DETWATCH is missing"));
  }
  if (!being_made && !ParseMarker(marker)) {
    return Fail(DamagedText(path, "its file DETWATCH is not readable"));
  }
  if (!being_made && !names->contains("CURRENT")) {
    return Fail(DamagedText(path, "its file CURRENT is missing"));
  }
  return {};
}

Result<int> TakeLock(const std::string& path) {
  const std::string name = path + "/" + std::string(kLockName);
  Descriptor file(name, O_RDWR | O_CREAT);
  if (file.get() < 0) {
    return Fail(NotWritableText(path, errno));
  }
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Fail("the store " + path + " cannot be locked: " + Reason(errno) +
                  "; put it on a file system that has locks");
    }
    std::string owner = ReadSmall(name);
    owner = owner.substr(0, owner.find('\n'));
    return Fail("another detwatch" + (owner.empty() ? "" : " (process " + owner + ")") + " has the store " +
                path + " open; stop it, or give this one a storage.path of its own");
  }
  // Only for people who look; a full disk must not be in the way.
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(file.get(), 0) != 0 || pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
    errno = 0;
  }
  return file.Release();
}

// The error number, or 0.
int WriteDurably(const std::string& folder, std::string_view name, std::string_view new_name,
                 const std::string& text) {
  const std::string path = folder + "/" + std::string(name);
  const std::string new_path = folder + "/" + std::string(new_name);
  {
    const Descriptor file(new_path, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.get() < 0) {
      return errno;
    }
    errno = ENOSPC;  // for a write that was cut short
    if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.get()) != 0) {
      return errno;
    }
  }
  const Descriptor directory(folder, O_RDONLY | O_DIRECTORY);
  if (rename(new_path.c_str(), path.c_str()) != 0 || directory.get() < 0 || fsync(directory.get()) != 0) {
    return errno;
  }
  return 0;
}

}  // namespace

Result<Folder> Folder::Lock(const std::string& path, Purpose purpose) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    if (purpose == Purpose::kRepair) {
      return Fail("there is no store in " + path + " to repair; check storage.path");
    }
    if (!fs::create_directories(path, error) && error) {
      return Fail(NotWritableText(path, error.value()));
    }
  } else if (error) {
    return Fail(NotWritableText(path, error.value()));
  } else if (status.type() != fs::file_type::directory) {
    return Fail(path + " is not a folder; storage.path must name one");
  }
  if (const auto ours = CheckOurs(path, purpose); !ours) {
    return tl::unexpected(ours.error());
  }
  const auto lock = TakeLock(path);
  if (!lock) {
    return tl::unexpected(lock.error());
  }
  Folder folder(path, *lock);
  // Once more: until now another process may have been making a store.
  if (const auto ours = CheckOurs(path, purpose); !ours) {
    return tl::unexpected(ours.error());
  }
  folder.format_ = ParseMarker(ReadSmall(path + "/" + std::string(kMarkerName)));
  if (purpose == Purpose::kOpen && !folder.format_) {
    if (const auto marked = folder.Mark(0); !marked) {
      return tl::unexpected(marked.error());
    }
  }
  return folder;
}

Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)), format_(other.format_) {}

Folder::~Folder() {
  if (lock_ >= 0) {
    close(lock_);
  }
}

Result<void> Folder::Mark(std::uint32_t format) {
  const std::string text = std::string(kMarkerText) + std::to_string(format) + "\n";
  if (const int error = WriteDurably(path_, kMarkerName, kNewMarkerName, text); error != 0) {
    return Fail(NotWritableText(path_, error));
  }
  format_ = format;
  return {};
}

std::string DamagedText(const std::string& path, const std::string& what) {
  return "the store " + path + " is damaged: " + what +
         "; try detwatch serve --storage.repair, or move the folder away and start fresh; nothing was "
         "changed";
}

std::string NotWritableText(const std::string& path, int error) {
  const std::string advice =
      error == ENOSPC || error == EDQUOT ? "make room, or name another folder in storage.path"
      : error == EROFS                   ? "mount it writable, or name another folder in storage.path"
      : error == EACCES || error == EPERM
          ? "let the user that runs detwatch write there, or name another folder in storage.path"
          : "check the disk, or name another folder in storage.path";
  return "the store " + path + " cannot be written: " + Reason(error) + "; " + advice;
}

}  // namespace detwatch::store
