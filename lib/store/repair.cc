// Store::Repair: what RocksDB can still read is kept, and said.
#include <rocksdb/db.h>

#include <charconv>
#include <filesystem>
#include <system_error>

#include "lib/store/database.h"
#include "lib/store/store.h"

namespace detwatch::store {
namespace {

namespace fs = std::filesystem;

// Tables only: logs are moved there too, after what was readable in them became a table.
std::size_t LostTables(const std::string& path) {
  std::size_t lost = 0;
  std::error_code error;
  for (fs::directory_iterator at(path + "/lost", error), end; !error && at != end; at.increment(error)) {
    lost += at->path().extension() == ".sst" ? 1 : 0;
  }
  return lost;
}

std::string Plural(std::size_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

// The text of kFormatKey. RocksDB may have lost it; then it is what the folder says, written anew.
Result<std::string> RecoverFormat(rocksdb::DB& db, const Folder& folder) {
  std::string format;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), ToSlice(kFormatKey), &format);
  if (status.ok()) {
    return format;
  }
  if (!status.IsNotFound()) {
    return Fail(status.ToString());
  }
  if (folder.format().value_or(0) == 0) {
    return Fail("it no longer says its format");
  }
  format = std::to_string(*folder.format());
  rocksdb::WriteOptions durably;
  durably.sync = true;
  if (const rocksdb::Status put = db.Put(durably, ToSlice(kFormatKey), format); !put.ok()) {
    return Fail(put.ToString());
  }
  return format;
}

struct Kept {
  std::size_t keys = 0;  // without the format
  std::uint64_t bytes = 0;
};

// Reads all of it, which shows that all of it can be read.
Result<Kept> CountAll(rocksdb::DB& db) {
  Kept kept;
  rocksdb::ReadOptions all;
  all.total_order_seek = true;
  all.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> at(db.NewIterator(all));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    if (ToView(at->key()) != kFormatKey) {
      ++kept.keys;
      kept.bytes += at->key().size() + at->value().size();
    }
  }
  if (!at->status().ok()) {
    return Fail(at->status().ToString());
  }
  return kept;
}

// What was done, for a person.
std::string Summary(const std::string& path, const Kept& kept, std::size_t lost) {
  return "repaired the store " + path + ": kept " + Plural(kept.keys, "key") + " (" +
         Plural(kept.bytes, "byte") + "); " +
         (lost == 0 ? "no file was lost"
                    : Plural(lost, "file") + " could not be read and " + (lost == 1 ? "is" : "are") + " in " +
                          path + "/lost") +
         ". Counts may be lower than they were, and frames that were acknowledged may be missing";
}

}  // namespace

Result<std::string> Store::Repair(const std::string& path) {
  auto folder = Folder::Lock(path, Purpose::kRepair);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  const std::string failed = "the store " + path + " cannot be repaired: ";
  const std::string advice = "; move the folder away and start fresh";
  const std::size_t lost_before = LostTables(path);
  const rocksdb::Options options = DatabaseOptions(LogTail::kWhole);
  if (const rocksdb::Status status = rocksdb::RepairDB(path, options); !status.ok()) {
    return IsNoSpace(status) ? Fail(OpenText(path, status)) : Fail(failed + status.ToString() + advice);
  }
  auto db = OpenAt(path, false);
  if (!db) {
    return Fail(failed + db.error().message);
  }
  const auto format = RecoverFormat(**db, *folder);
  if (!format) {
    return Fail(failed + format.error().message + advice);
  }
  const auto kept = CountAll(**db);
  if (!kept) {
    return Fail(failed + kept.error().message + advice);
  }
  if (!folder->format()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(format->data(), format->data() + format->size(), number);
    if (error != std::errc() || end != format->data() + format->size()) {
      return Fail(failed + "its format is \"" + *format + "\"" + advice);
    }
    if (const auto marked = folder->Mark(number); !marked) {
      return tl::unexpected(marked.error());
    }
  }
  return Summary(path, *kept, LostTables(path) - lost_before);
}

}  // namespace detwatch::store
