#pragma once
// lib/store -- the KeyValue that outlives the process: one RocksDB in one folder.
//
// What was committed survives a kill and, with fsync, a power cut; what was not leaves no trace. A store is
// never emptied to get going again: what cannot be read is refused with a sentence that says what to do, and
// only Repair drops anything. A full disk fails a commit and loses nothing: the next one writes all of it.
//
// Beside RocksDB's files the folder holds `detwatch.lock`, locked while the store is open, and `DETWATCH`,
// which tells a store that lost files from a folder that never was one.
//
// Laws (tests of the same name): WhatWasCommittedSurvivesAKill, ACommitIsAllOrNothing, OneProcessAtATime,
//   AFullDiskLosesNothing, DamageIsRefusedAndChangesNothing, MigrationsRunOnceAndWhole.
// Cost: at most 16 MiB of cache and three write buffers of 8 MiB; measured with 200 000 frames of 2.5 KB, 1
// us for a Get that finds nothing, as its filter is in the cache. Commit waits for one fsync. Threads: one
// owner; RocksDB has two of its own. Errors: as KeyValue; damage found by a read is thrown.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/key_value.h"
#include "lib/core/result.h"
#include "lib/store/folder.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatchWithIndex;
}  // namespace rocksdb

namespace detwatch::store {

struct Options {
  std::string path;
  bool fsync = true;  // Commit waits for the disk; false: for the kernel, so a power cut may lose commits
  std::uint32_t format = 1;  // of what this program writes, from 1
  // migrations[i] turns a store of format i + 1 into format i + 2. What it puts is committed together with
  // the new format number; on an error nothing of it is, and Open fails with that error. It must not Commit.
  std::vector<std::function<Result<void>(KeyValue&)>> migrations{};
};

// Why the last Commit failed.
enum class Trouble : std::uint8_t {
  kNone,     // it did not
  kNoSpace,  // the disk, or the quota, is full
  kOther,    // for example an input/output error, or a file system that became read-only
};

class Store final : public KeyValue {
 public:
  // Makes the folder and an empty store when there is none. An error is a sentence that names the folder and
  // says what to do.
  [[nodiscard]] static Result<std::unique_ptr<Store>> Open(const Options& options);
  // Keeps what can be read of a damaged store, moves the rest to `lost` in its folder, and says what was
  // kept. Single keys may fall back to older values, so counts may be lower than they were. Needs the lock;
  // does no harm to a store that is whole. Cost: reads everything.
  [[nodiscard]] static Result<std::string> Repair(const std::string& path);
  ~Store() override;

  [[nodiscard]] bool created() const { return created_; }                       // made by this Open
  [[nodiscard]] std::uint32_t opened_format() const { return opened_format_; }  // before migration

  [[nodiscard]] std::optional<std::string> Get(std::string_view key) const override;
  // A range that lies within the first 17 bytes of `from` skips files that have nothing of it.
  void Scan(std::string_view from, std::string_view to, const Visit& visit) const override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  [[nodiscard]] Result<void> Commit() override;
  // What it will write, keys put twice counted twice.
  [[nodiscard]] bool outlives_process() const override { return true; }
  [[nodiscard]] std::size_t pending_bytes() const override;

  [[nodiscard]] Trouble trouble() const { return trouble_; }  // of the last Commit
  [[nodiscard]] std::uint64_t DiskBytes() const;              // of the files, about
  [[nodiscard]] std::uint64_t MemoryBytes() const;            // cache and write buffers, about

 private:
  Store(Options options, Folder folder);
  [[nodiscard]] Result<void> OpenDatabase();
  [[nodiscard]] Result<void> SettleFormat();
  [[nodiscard]] Result<void> Migrate(std::uint32_t from);
  [[nodiscard]] bool Write();
  [[nodiscard]] bool WriteAfterAnError();
  [[nodiscard]] bool HasRoom() const;
  [[nodiscard]] bool Reopen();
  void ForgetOverwritten();
  [[noreturn]] void ThrowRead(const rocksdb::Status& status) const;

  const Options options_;
  Folder folder_;  // outlives the database: it holds the lock
  std::unique_ptr<rocksdb::DB> db_;
  std::unique_ptr<rocksdb::WriteBatchWithIndex> pending_;
  bool created_ = false;
  std::uint32_t opened_format_ = 0;
  bool only_reads_ = false;  // it could not be opened again for writing after an error
  Trouble trouble_ = Trouble::kNone;
  std::string failure_;         // in words, of the last write
  std::size_t kept_bytes_ = 0;  // of pending_ when what was overwritten was last forgotten
};

}  // namespace detwatch::store
