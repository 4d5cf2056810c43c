#pragma once
// lib/join -- remembers which keys were seen, and with what content, for a horizon of time or of entries.
//
// Two generations of open-addressing tables: the current one fills until it is as old as the horizon or as
// large as the limit, then the older one is dropped. So a key is remembered for at least the horizon or the
// last `limit` entries, whichever is shorter, and for at most twice that. 16 bytes an entry.
//
// It outlives the process by its changes: what was inserted since the last checkpoint, by generation, is
// written with the checkpoint, and generations that were dropped are deleted there.
//
// A key is a 64-bit hash: with 4 million entries one new key in 4e12 is taken for a repeat.
// An entry may be provisional: whoever decides later that it does not stand puts back what was there.
//
// Laws (tests of the same name): RemembersForTheHorizon, MemoryIsBoundedByTheLimit, RestoredItAnswersTheSame,
//   WhatIsPutBackIsAsIfItHadNotBeenInserted, NothingSinceCompleteSinceIsForgotten. Threads: none.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/result.h"
#include "lib/core/time.h"

namespace detwatch::join {

class Seen {
 public:
  Seen(Duration horizon, std::size_t limit) : horizon_(horizon), limit_(limit) {}

  // The content stored for the key; nothing when it was not seen.
  [[nodiscard]] std::optional<std::uint64_t> Find(std::uint64_t key) const;
  // Stores or replaces. `now` does not fall.
  void Insert(std::uint64_t key, std::uint64_t content, TimePoint now);
  // Puts back `before` where the content still is `provisional`. Nothing: the key is not known.
  void PutBack(std::uint64_t key, std::optional<std::uint64_t> provisional,
               std::optional<std::uint64_t> before, TimePoint now);
  // Everything that was inserted at or after this time is remembered.
  [[nodiscard]] TimePoint complete_since() const { return complete_since_; }
  void SetLimits(Duration horizon, std::size_t limit) {
    horizon_ = horizon;
    limit_ = limit;
  }
  [[nodiscard]] std::size_t size() const { return current_.size + previous_.size; }
  [[nodiscard]] std::size_t bytes() const;

  // What was inserted into one generation since the last call, ready to be stored.
  struct Change {
    std::uint64_t generation = 0;
    std::string bytes;
  };
  struct Changes {
    std::uint64_t oldest = 0;   // generations below are forgotten
    std::uint64_t current = 0;  // the generation that is being filled, begun at `started`
    TimePoint started;
    std::vector<Change> changes;  // ascending generation
  };
  // Empty changes when nothing was inserted.
  [[nodiscard]] Changes TakeChanges();
  // Adds to changes that were taken what PutBack would do to them.
  static void PutBack(Changes& taken, std::uint64_t key, std::optional<std::uint64_t> before);
  // Requires: changes in the order in which they were taken, before anything else is inserted.
  [[nodiscard]] Result<void> Restore(const Change& change);

 private:
  struct Slot {
    std::uint64_t key = 0;  // 0: free
    std::uint64_t content = 0;
  };
  struct Table {
    std::vector<Slot> slots;  // a power of two, at most 3/4 full
    std::size_t size = 0;
    [[nodiscard]] const Slot* Find(std::uint64_t key) const;
    void Insert(std::uint64_t key, std::uint64_t content);
    void Grow();
  };
  void StartGeneration(std::uint64_t number, bool keep_current);
  static void Note(std::vector<Change>& changes, std::uint64_t generation, TimePoint started,
                   const Slot& slot);

  Duration horizon_;
  std::size_t limit_;
  TimePoint started_;  // of current_
  TimePoint complete_since_;
  std::uint64_t generation_ = 1;  // of current_; previous_ has the one before
  Table current_;
  Table previous_;
  std::vector<Change> changes_;  // since TakeChanges
};

}  // namespace detwatch::join
