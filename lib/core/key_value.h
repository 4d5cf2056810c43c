#pragma once
// lib/core -- where state that must outlive the process is kept: ordered bytes, changed in atomic steps.
//
// A room that has something to keep serialises itself into keys of its own (pipeline/keys.h has the list) and
// never knows what is below: RocksDB (lib/store), or a map when the daemon runs without a store and in tests.
//
// Laws (tests of the same name, for both): ReadsSeeWhatWasPutBeforeTheCommit, ACommitIsAllOrNothing.
// Threads: one owner. Errors: Commit returns them and forgets nothing, so it can be tried again; a read that
// fails throws std::runtime_error, because a store that cannot be read must end the process with a message.

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch {

class KeyValue {
 public:
  // Return false to stop. Must not write.
  using Visit = std::function<bool(std::string_view key, std::string_view value)>;

  KeyValue() = default;
  KeyValue(const KeyValue&) = delete;
  KeyValue& operator=(const KeyValue&) = delete;
  virtual ~KeyValue() = default;

  // Reads see everything put so far, committed or not.
  [[nodiscard]] virtual std::optional<std::string> Get(std::string_view key) const = 0;
  // Ascending keys in [from, to).
  virtual void Scan(std::string_view from, std::string_view to, const Visit& visit) const = 0;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  // Makes everything since the last commit durable at once. On an error nothing of it is, all of it is still
  // there, and the next Commit tries again.
  [[nodiscard]] virtual Result<void> Commit() = 0;
  // False: what is put here is gone with the process, so rows that only a restart reads need not be written.
  [[nodiscard]] virtual bool outlives_process() const = 0;
  // Of what was not committed yet.
  [[nodiscard]] virtual std::size_t pending_bytes() const = 0;

  // All keys that start with `prefix`, ascending.
  void ScanPrefix(std::string_view prefix, const Visit& visit) const;
  // Deletes what starts with `prefix`.
  void DeletePrefix(std::string_view prefix);
};

// The smallest string above everything that starts with `prefix`. Requires: a byte of it is not 0xff.
[[nodiscard]] std::string AfterPrefix(std::string_view prefix);

// In memory: gone with the process, so a commit has nothing to do.
class MemoryKeyValue : public KeyValue {
 public:
  [[nodiscard]] std::optional<std::string> Get(std::string_view key) const override;
  void Scan(std::string_view from, std::string_view to, const Visit& visit) const override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  [[nodiscard]] Result<void> Commit() override;
  [[nodiscard]] bool outlives_process() const override { return false; }
  [[nodiscard]] std::size_t pending_bytes() const override { return 0; }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace detwatch
