#pragma once
// lib/store -- how RocksDB is set up, and its errors in our words. Internal to this folder.
//
// Keys are small, and values are either small too or frames of two or three kilobytes. All keys of a frame
// start with the same 17 bytes, a tag and a hash, so filters hold that prefix as well as whole keys: asking
// for a frame that is not there reads no file. Threads: none. Errors: rocksdb::Status, and sentences for an
// operator.

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/write_batch_with_index.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::store {

inline constexpr std::size_t kPrefixBytes = 17;
// "\0format": before every key of others, who start theirs with a letter.
inline constexpr std::string_view kFormatKey("\0format", 7);

enum class LogTail : std::uint8_t { kWhole, kTorn };
[[nodiscard]] rocksdb::Options DatabaseOptions(LogTail tail);

// Files in it that RocksDB could not read were damaged; "no space" and the like were not.
[[nodiscard]] bool IsDamage(const rocksdb::Status& status);
[[nodiscard]] bool IsNoSpace(const rocksdb::Status& status);
// Why `path` could not be opened, with what to do.
[[nodiscard]] std::string OpenText(const std::string& path, const rocksdb::Status& status);

// The database in this folder; made when there is none and `create`. An error is a sentence.
[[nodiscard]] Result<std::unique_ptr<rocksdb::DB>> OpenAt(const std::string& path, bool create);
// The same, to read only: writes nothing, so it can do without room on the disk.
[[nodiscard]] Result<std::unique_ptr<rocksdb::DB>> OpenToRead(const std::string& path);

// Of several writes of a key, the last is read. Without a limit, so that Put and Delete cannot fail.
[[nodiscard]] std::unique_ptr<rocksdb::WriteBatchWithIndex> NewBatch();

[[nodiscard]] inline rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
[[nodiscard]] inline std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

}  // namespace detwatch::store
