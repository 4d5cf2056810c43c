#pragma once
// lib/accumulate -- the last detections of a cell, one by one, shared by all windows. A window of which
// nothing has left the ring is evaluated exactly from it, any other from the histogram. Nothing is ever
// converted, and a quiet window becomes exact again by itself.
//
// A frame leaves as a whole: when room is short, the records of the oldest ordinal go together, so what
// is held is always complete from some ordinal on, and Covers() is one comparison.
//
// Laws: CoversExactlyWhatWasNotEvicted, TheOldestLeaveFirst, RemoveTakesOutOneFrame,
//   SerialisedFormIsTheSameValue. Cost: 28 bytes a record, at most an eighth more; Append amortised O(1),
//   Remove and Insert O(size). Threads: none. Errors: Parse only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/outcome.h"
#include "lib/core/result.h"

namespace detwatch::accumulate {

// The order in which frames were judged, given once per frame and model; the first tie-break after score.
using Ordinal = std::uint64_t;  // below 2^48

struct RingRecord {
  float score = 0;
  std::uint16_t index = 0;  // position in its frame's message; the second tie-break
  std::uint16_t ordinal_high = 0;
  std::uint32_t ordinal_low = 0;
  std::array<IouMask, kMaxAreaRanges> true_positive{};
  std::array<IouMask, kMaxAreaRanges> ignored{};

  [[nodiscard]] Ordinal ordinal() const { return (Ordinal{ordinal_high} << 32) | ordinal_low; }
  // An index beyond 65 535 becomes 65 535.
  [[nodiscard]] static RingRecord From(const DetectionOutcome& outcome, Ordinal ordinal);
  friend bool operator==(const RingRecord&, const RingRecord&) = default;
};
static_assert(sizeof(RingRecord) == 28);

class Ring {
 public:
  static constexpr std::size_t kDefaultCapacity = 4096;
  static constexpr std::size_t kUnlimited =
      std::numeric_limits<std::size_t>::max();  // exact offline evaluation

  explicit Ring(std::size_t capacity = kDefaultCapacity) : capacity_(capacity) {}

  // Requires: ordinals do not fall below those appended before (a correction goes through Insert). Records
  // of a frame that was already evicted in part are evicted too.
  void Append(std::span<const RingRecord> records);
  // What a cut could not hold: all records with ordinals up to `through` count as evicted.
  void MarkEvicted(Ordinal through);
  // Takes out the records of one frame; a no-op when they were evicted.
  void Remove(Ordinal ordinal);
  // Puts the records of a corrected frame back at their place; ignored when that place was evicted.
  // Requires: one ordinal.
  void Insert(std::span<const RingRecord> records);

  // True when every record with ordinal >= first is still here.
  [[nodiscard]] bool Covers(Ordinal first) const { return first >= evicted_below_; }
  // Copies the records with ordinal >= first to `out` (cleared first), in ordinal order.
  void CopyFrom(Ordinal first, std::vector<RingRecord>& out) const;
  [[nodiscard]] std::size_t size() const { return records_.size() - head_; }
  [[nodiscard]] std::size_t bytes() const { return records_.capacity() * sizeof(RingRecord); }

  // Versioned; frozen by golden files. The capacity is not part of it.
  [[nodiscard]] std::string Serialise() const;
  [[nodiscard]] static Result<Ring> Parse(std::string_view bytes, std::size_t capacity = kDefaultCapacity);

 private:
  using Iterator = std::vector<RingRecord>::iterator;
  [[nodiscard]] Iterator begin() { return records_.begin() + static_cast<std::ptrdiff_t>(head_); }
  // Everything below `ordinal` is gone from here on.
  void EvictBelow(Ordinal ordinal);
  // Makes room at the back for n more, moving the live records down or allocating.
  void Reserve(std::size_t n);

  std::size_t capacity_;
  Ordinal evicted_below_ = 0;        // everything with a lower ordinal has left
  std::size_t head_ = 0;             // first live record
  std::vector<RingRecord> records_;  // ascending ordinal
};

}  // namespace detwatch::accumulate
