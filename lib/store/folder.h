#pragma once
// lib/store -- the folder of a store: whose it is, whether there is a store in it, and its lock.
//
// The marker `DETWATCH` is written first with format 0, "being made", and again with the real one when the
// store is whole. So a start that was cut short goes on where it was, and a folder with the marker but
// without a database has lost it. Law: AFolderThatIsNotAStoreIsNeverWrittenTo.
// Threads: none. Errors: sentences for an operator, each with what to do. Internal to this folder.

#include <cstdint>
#include <optional>
#include <string>

#include "lib/core/result.h"

namespace detwatch::store {

enum class Purpose : std::uint8_t { kOpen, kRepair };

class Folder {
 public:
  // Locks the folder. kOpen: makes it when there is none, and refuses what is damaged. kRepair: refuses
  // where there is nothing to repair.
  [[nodiscard]] static Result<Folder> Lock(const std::string& path, Purpose purpose);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();  // unlocks

  [[nodiscard]] const std::string& path() const { return path_; }
  // What the marker says; 0: the store is still being made; none: there is no marker.
  [[nodiscard]] std::optional<std::uint32_t> format() const { return format_; }
  // Replaces the marker, durably and at once.
  [[nodiscard]] Result<void> Mark(std::uint32_t format);

 private:
  Folder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_ = -1;  // file descriptor
  std::optional<std::uint32_t> format_;
};

// "the store /x is damaged: <what>; try ..., or ...; nothing was changed".
[[nodiscard]] std::string DamagedText(const std::string& path, const std::string& what);
// "the store /x cannot be written: <what>; ...", with the advice that fits the error number.
[[nodiscard]] std::string NotWritableText(const std::string& path, int error);

}  // namespace detwatch::store
