#pragma once
// daemon/serve -- how the store is doing: the state thread says, the web side shows, ingest reads the credit
// by it.
//
// A full disk does not end the daemon: nothing is acknowledged, publishers get no credit, counting goes on in
// memory, and /-/ready and a metric say so. Threads: any; all under one mutex.

#include <cstddef>
#include <cstdint>
#include <string>

#include "lib/core/mutex.h"

namespace detwatch::serve {

class StorageHealth {
 public:
  struct Facts {
    bool durable = false;  // there is a store
    bool writable = true;  // the last checkpoint was written
    std::string trouble;   // why it was not, for people
    std::string store_id;
    std::uint64_t checkpoints = 0;  // written by this run
    std::uint64_t failures = 0;
    double last_unix_seconds = 0;  // of the last one written; 0: none
    double last_seconds = 0;       // how long it took, from the cut to the disk
    std::uint64_t disk_bytes = 0;
  };

  StorageHealth(bool durable, std::string store_id) {
    facts_.durable = durable;
    facts_.store_id = std::move(store_id);
  }
  [[nodiscard]] Facts Get() const {
    const MutexLock lock(mutex_);
    return facts_;
  }
  [[nodiscard]] bool Writable() const {
    const MutexLock lock(mutex_);
    return facts_.writable;
  }
  // Both return whether that is news.
  bool Wrote(double unix_seconds, double seconds, std::uint64_t disk_bytes) {
    const MutexLock lock(mutex_);
    const bool news = !facts_.writable;
    facts_.writable = true;
    facts_.trouble.clear();
    ++facts_.checkpoints;
    facts_.last_unix_seconds = unix_seconds;
    facts_.last_seconds = seconds;
    facts_.disk_bytes = disk_bytes;
    return news;
  }
  bool Failed(std::string trouble) {
    const MutexLock lock(mutex_);
    const bool news = facts_.writable;
    facts_.writable = false;
    facts_.trouble = std::move(trouble);
    ++facts_.failures;
    return news;
  }

 private:
  mutable Mutex mutex_;
  Facts facts_ DETWATCH_GUARDED_BY(mutex_);
};

}  // namespace detwatch::serve
