#include "lib/store/database.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>

#include "lib/store/folder.h"
#include "lib/store/log_tail.h"

namespace detwatch::store {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

rocksdb::CompressionType Compression() {
  const std::vector<rocksdb::CompressionType> known = rocksdb::GetSupportedCompressions();
  return std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) != known.end()
             ? rocksdb::kLZ4Compression
             : rocksdb::kNoCompression;
}

// RocksDB keeps a log for people beside the data. Debian builds it with its asserts, and one of them ends the
// process when that log is written to again after a write failed, as on a full disk. What matters of it
// comes back as a status.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*values*/) override {}
};

}  // namespace

rocksdb::Options DatabaseOptions(LogTail tail) {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // one in a hundred is a false alarm
  table.whole_key_filtering = true;
  table.block_cache = rocksdb::NewLRUCache(16 * kMiB);
  table.cache_index_and_filter_blocks = true;  // so that the cache bounds them too
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;

  rocksdb::Options options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kPrefixBytes));
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.memtable_whole_key_filtering = true;
  options.compression = Compression();
  options.write_buffer_size = 8 * kMiB;
  options.max_write_buffer_number = 3;
  options.target_file_size_base = 16 * kMiB;
  options.max_bytes_for_level_base = 64 * kMiB;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.bytes_per_sync = kMiB;
  options.manifest_preallocation_size = std::size_t{64} << 10;  // not 4 MiB of a small disk
  // Frames come and go; files that are mostly deletions would make scans slow, so they are rewritten.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(4096, 2048));

  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.max_total_wal_size = 64 * kMiB;
  // What InspectLogs found to be torn is dropped; without that finding, a bad record is refused.
  options.wal_recovery_mode = tail == LogTail::kTorn
                                  ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;

  options.info_log = std::make_shared<NoLog>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

bool IsDamage(const rocksdb::Status& status) {
  // A file that is gone, or shorter than promised; a database that says it was never made has lost CURRENT.
  return status.IsCorruption() || status.IsPathNotFound() || status.IsInvalidArgument() ||
         status.IsNotFound();
}

bool IsNoSpace(const rocksdb::Status& status) {
  // RocksDB has no code of its own for a quota that is used up.
  return status.IsNoSpace() || (status.IsIOError() && status.ToString().find("quota") != std::string::npos);
}

std::string OpenText(const std::string& path, const rocksdb::Status& status) {
  if (IsNoSpace(status)) {
    return NotWritableText(path, ENOSPC);
  }
  if (IsDamage(status)) {
    return DamagedText(path, status.ToString());
  }
  return "the store " + path + " cannot be opened: " + status.ToString() +
         "; check the disk and whether another program has it open; nothing was changed";
}

Result<std::unique_ptr<rocksdb::DB>> OpenAt(const std::string& path, bool create) {
  const Logs logs = InspectLogs(path);
  if (!logs.damaged.empty()) {
    return Fail(DamagedText(path, logs.damaged));
  }
  rocksdb::Options options = DatabaseOptions(logs.torn ? LogTail::kTorn : LogTail::kWhole);
  options.create_if_missing = create;
  rocksdb::DB* db = nullptr;
  if (const rocksdb::Status status = rocksdb::DB::Open(options, path, &db); !status.ok()) {
    return Fail(OpenText(path, status));
  }
  return std::unique_ptr<rocksdb::DB>(db);
}

Result<std::unique_ptr<rocksdb::DB>> OpenToRead(const std::string& path) {
  const Logs logs = InspectLogs(path);
  if (!logs.damaged.empty()) {
    return Fail(DamagedText(path, logs.damaged));
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Options options = DatabaseOptions(logs.torn ? LogTail::kTorn : LogTail::kWhole);
  if (const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, path, &db); !status.ok()) {
    return Fail(OpenText(path, status));
  }
  return std::unique_ptr<rocksdb::DB>(db);
}

std::unique_ptr<rocksdb::WriteBatchWithIndex> NewBatch() {
  return std::make_unique<rocksdb::WriteBatchWithIndex>(rocksdb::BytewiseComparator(), 0, true);
}

}  // namespace detwatch::store
