#pragma once
// Folders that go with their test, images of a killed process, and small disks.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/store/store.h"

namespace detwatch::store {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  // A path in it; nothing is there until it is made.
  [[nodiscard]] std::string At(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A file system in memory of this size, unmounted with its test. Needs root, or a user namespace with it.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, int megabytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Why there is none; empty when there is.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  void MakeReadOnly() const;
  void Grow(int megabytes) const;  // to this size
  // A file that takes all that is left; removed again by Free.
  void Fill() const;
  void Free() const;

 private:
  std::string path_;
  std::string problem_;
};
// Whether a test that cannot mount must fail rather than skip.
[[nodiscard]] bool MountIsRequired();

// The store there; a failed test, by exception, when it cannot be opened.
[[nodiscard]] std::unique_ptr<Store> MustOpen(const std::string& path);
[[nodiscard]] std::unique_ptr<Store> MustOpen(const Options& options);
// Why it cannot be opened; empty when it can.
[[nodiscard]] std::string WhyNot(const Options& options);
[[nodiscard]] std::string WhyNot(const std::string& path);
void MustCommit(KeyValue& store);
void PutAndCommit(KeyValue& store, const std::string& key, const std::string& value);

// What a kill -9 would leave: the files as they are, while the store is open.
void CopyFolder(const std::string& from, const std::string& to);
[[nodiscard]] std::string ReadFile(const std::filesystem::path& path);
void WriteFile(const std::filesystem::path& path, const std::string& bytes);
// All names and contents but the log for people and the lock, to see that nothing was changed.
[[nodiscard]] std::string Contents(const std::string& folder);
// The files with this extension (".log", ".sst") or, without one, this start of the name, in order.
[[nodiscard]] std::vector<std::filesystem::path> FilesOf(const std::string& folder, const std::string& what);

}  // namespace detwatch::store
