// Store's commits: one batch each, and how writing goes on after an error.
//
// RocksDB stops writing after an error. Resume() lets it go on where it can: it writes its buffers to files
// and begins a new log, so that nothing is appended behind a record that was cut off. While it tries that
// by itself every few seconds it ignores us, and some errors it takes for final; then the database is closed
// and opened again, which reads the log. A batch that is written twice does no harm: it says what keys are,
// not how they change.
#include <rocksdb/db.h>
#include <rocksdb/utilities/write_batch_with_index.h>
#include <sys/statvfs.h>

#include <stdexcept>

#include "lib/store/database.h"
#include "lib/store/store.h"

namespace detwatch::store {

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

}  // namespace

Result<void> Store::Commit() {
  if (pending_bytes() == 0) {
    return {};
  }
  if (!Write() && !WriteAfterAnError()) {
    ForgetOverwritten();
    return Fail("the store " + folder_.path() + " cannot be written: " + failure_ + "; " +
                (trouble_ == Trouble::kNoSpace ? "make room" : "check the disk") +
                ", nothing is lost and it is tried again");
  }
  trouble_ = Trouble::kNone;
  kept_bytes_ = 0;
  pending_ = NewBatch();  // Clear() would keep the memory of the largest one
  return {};
}

bool Store::Write() {
  if (only_reads_) {
    return false;
  }
  rocksdb::WriteOptions options;
  options.sync = options_.fsync;
  const rocksdb::Status status = db_->Write(options, pending_->GetWriteBatch());
  if (!status.ok()) {
    trouble_ = IsNoSpace(status) ? Trouble::kNoSpace : Trouble::kOther;
    failure_ = status.ToString();
  }
  return status.ok();
}

bool Store::WriteAfterAnError() {
  if (!only_reads_ && db_->Resume().ok() && Write()) {
    return true;
  }
  return HasRoom() && Reopen() && Write();
}

// For what opening again writes: the buffers as files, and then the batch.
bool Store::HasRoom() const {
  if (trouble_ != Trouble::kNoSpace) {
    return true;
  }
  struct statvfs disk {};
  if (statvfs(folder_.path().c_str(), &disk) != 0) {
    return false;
  }
  std::uint64_t buffers = 0;
  db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &buffers);
  return disk.f_bavail * disk.f_frsize >= buffers + pending_bytes() + kMiB;
}

bool Store::Reopen() {
  db_.reset();
  auto opened = OpenAt(folder_.path(), false);
  only_reads_ = !opened;
  if (!opened) {
    failure_ = opened.error().message;
    opened = OpenToRead(folder_.path());
  }
  if (!opened) {  // nothing can go on without reading
    throw std::runtime_error(opened.error().message);
  }
  db_ = std::move(*opened);
  return !only_reads_;
}

// While the disk is full the same keys are put again and again: only the last of each is kept. At doubled
// size, so that the cost is that of putting them.
void Store::ForgetOverwritten() {
  if (pending_bytes() < 2 * kept_bytes_ + kMiB) {
    return;
  }
  auto kept = NewBatch();
  const std::unique_ptr<rocksdb::WBWIIterator> at(pending_->NewIterator());
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const rocksdb::WriteEntry entry = at->Entry();
    [[maybe_unused]] const rocksdb::Status status =
        entry.type == rocksdb::kPutRecord ? kept->Put(entry.key, entry.value) : kept->Delete(entry.key);
  }
  pending_.swap(kept);
  kept_bytes_ = pending_bytes();
}

}  // namespace detwatch::store
