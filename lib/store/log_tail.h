#pragma once
// lib/store -- is a write-ahead log whole, torn by a power cut, or damaged? Asked before RocksDB sees it.
//
// A commit waits for its record to be on disk, so a power cut can spoil only the last record of the newest
// log. It may leave it too short, or a disk may have written its second page and not its first. RocksDB takes
// the first and refuses the second as it would damage in the middle; and it takes a length in the middle that
// points beyond the end for a short last record, and drops what follows without a word. The difference is
// that behind a torn record nothing begins. What was torn had not been acknowledged, so it may be left out.
//
// Format: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format.
// Cost: reads the logs, at most some 64 MiB. Threads: pure functions. Internal to this folder.

#include <cstdint>
#include <string>
#include <string_view>

namespace detwatch::store {

enum class LogState : std::uint8_t {
  kWhole,
  kCutOff,   // ends within its last record, or in zeros
  kTorn,     // its last record is all there, or longer, but not what was written
  kDamaged,  // records begin behind a bad one
};
[[nodiscard]] LogState StateOf(std::string_view log);

struct Logs {
  bool torn = false;    // the newest is
  std::string damaged;  // what is wrong with one of them; empty when all can be used
};
// Of all logs in this folder.
[[nodiscard]] Logs InspectLogs(const std::string& folder);

}  // namespace detwatch::store
