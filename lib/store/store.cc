#include "lib/store/store.h"

#include <rocksdb/db.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <cassert>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "lib/store/database.h"

namespace detwatch::store {
namespace {

using rocksdb::Status;

// Whether all keys in [from, to) start as `from` does.
bool InOnePrefix(std::string_view from, std::string_view to) {
  if (from.size() < kPrefixBytes) {
    return false;
  }
  const std::string_view prefix = from.substr(0, kPrefixBytes);
  return prefix.find_first_not_of('\xff') != std::string_view::npos && to <= AfterPrefix(prefix);
}

std::uint64_t Property(rocksdb::DB& db, const std::string& name) {
  std::uint64_t value = 0;
  return db.GetIntProperty(name, &value) ? value : 0;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const Options& options) {
  assert(options.format > 0);
  auto folder = Folder::Lock(options.path, Purpose::kOpen);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  std::unique_ptr<Store> store(new Store(options, std::move(*folder)));
  if (const auto opened = store->OpenDatabase(); !opened) {
    return tl::unexpected(opened.error());
  }
  try {
    if (const auto settled = store->SettleFormat(); !settled) {
      return tl::unexpected(settled.error());
    }
  } catch (const std::runtime_error& error) {  // of a read
    return Fail(error.what());
  }
  return store;
}

Store::Store(Options options, Folder folder)
    : options_(std::move(options)), folder_(std::move(folder)), pending_(NewBatch()) {}

Store::~Store() = default;

Result<void> Store::OpenDatabase() {
  created_ = folder_.format() == 0U;
  auto db = OpenAt(folder_.path(), created_);
  if (!db) {
    return tl::unexpected(db.error());
  }
  db_ = std::move(*db);
  return {};
}

Result<void> Store::SettleFormat() {
  const std::optional<std::string> text = Get(kFormatKey);
  std::uint32_t format = 0;
  if (text) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), format);
    if (error != std::errc() || end != text->data() + text->size() || format == 0) {
      return Fail(DamagedText(folder_.path(), "its format is \"" + *text + "\""));
    }
  } else if (!created_) {
    return Fail(DamagedText(folder_.path(), "it does not say its format"));
  } else {
    format = options_.format;
    Put(kFormatKey, std::to_string(format));
    if (auto committed = Commit(); !committed) {
      return committed;
    }
  }
  opened_format_ = format;
  if (format > options_.format) {
    return Fail("the store " + folder_.path() + " was written by a newer detwatch (format " +
                std::to_string(format) + ", this one knows " + std::to_string(options_.format) +
                "): run that one again, or give this one a storage.path of its own; nothing was changed");
  }
  if (auto migrated = Migrate(format); !migrated) {
    return migrated;
  }
  return folder_.format() == options_.format ? Result<void>() : folder_.Mark(options_.format);
}

Result<void> Store::Migrate(std::uint32_t from) {
  for (std::uint32_t format = from; format < options_.format; ++format) {
    if (format > options_.migrations.size()) {
      return Fail("the store " + folder_.path() + " has format " + std::to_string(format) +
                  ", which this detwatch no longer reads; move the folder away and start fresh");
    }
    if (const auto done = options_.migrations[format - 1](*this); !done) {
      pending_->Clear();
      return Fail("the store " + folder_.path() + " could not be brought from format " +
                  std::to_string(format) + " to " + std::to_string(format + 1) + ": " + done.error().message +
                  "; run the detwatch that wrote it");
    }
    Put(kFormatKey, std::to_string(format + 1));
    if (auto committed = Commit(); !committed) {
      return committed;
    }
  }
  return {};
}

void Store::ThrowRead(const Status& status) const {
  throw std::runtime_error(IsDamage(status) ? DamagedText(folder_.path(), status.ToString())
                                            : "the store " + folder_.path() + " cannot be read: " +
                                                  status.ToString() + "; check the disk");
}

std::optional<std::string> Store::Get(std::string_view key) const {
  std::string value;
  const Status status = pending_->GetFromBatchAndDB(db_.get(), rocksdb::ReadOptions(), ToSlice(key), &value);
  if (status.IsNotFound()) {
    return std::nullopt;
  }
  if (!status.ok()) {
    ThrowRead(status);
  }
  return value;
}

void Store::Scan(std::string_view from, std::string_view to, const Visit& visit) const {
  if (from >= to) {
    return;
  }
  rocksdb::ReadOptions options;
  const rocksdb::Slice end = ToSlice(to);
  options.iterate_upper_bound = &end;
  // RocksDB's own auto_prefix_mode leaves out short keys in some ranges; this is only used where none can be.
  options.prefix_same_as_start = InOnePrefix(from, to);
  options.total_order_seek = !options.prefix_same_as_start;
  const std::unique_ptr<rocksdb::Iterator> at(
      pending_->NewIteratorWithBase(db_->DefaultColumnFamily(), db_->NewIterator(options), &options));
  for (at->Seek(ToSlice(from)); at->Valid() && ToView(at->key()) < to; at->Next()) {
    const std::string_view key = ToView(at->key());
    if (key != kFormatKey && !visit(key, ToView(at->value()))) {
      return;
    }
  }
  if (!at->status().ok()) {
    ThrowRead(at->status());
  }
}

void Store::Put(std::string_view key, std::string_view value) {
  [[maybe_unused]] const Status status = pending_->Put(ToSlice(key), ToSlice(value));
  assert(status.ok());  // in memory, without a limit
}

void Store::Delete(std::string_view key) {
  [[maybe_unused]] const Status status = pending_->Delete(ToSlice(key));
  assert(status.ok());
}

std::size_t Store::pending_bytes() const {
  return pending_->GetWriteBatch()->Count() == 0 ? 0 : pending_->GetDataSize();
}

std::uint64_t Store::DiskBytes() const {
  return Property(*db_, rocksdb::DB::Properties::kTotalSstFilesSize) +
         Property(*db_, rocksdb::DB::Properties::kSizeAllMemTables);  // about what the logs have
}

std::uint64_t Store::MemoryBytes() const {
  return Property(*db_, rocksdb::DB::Properties::kSizeAllMemTables) +
         Property(*db_, rocksdb::DB::Properties::kEstimateTableReadersMem) +
         Property(*db_, rocksdb::DB::Properties::kBlockCacheUsage);
}

}  // namespace detwatch::store
