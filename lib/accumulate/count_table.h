#pragma once
// lib/accumulate -- counts by confidence bin of one area range; storage only, what they mean is Histogram's.
//
// Detections are dense: most of them match nothing, and counting such a one is an increment and an addition
// to the sums of scores beside it, 16 bytes of an array that stays in the cache. Rows of thresholds exist
// only for bins that need them: true positives use a few dozen of 690 bins in most classes, and in area 0
// only a crowd or a difficult ground truth makes a detection ignored. 64 bits, because a month of traffic
// overflows 32.
//
// Cost: O(1) per access; a new row grows the storage by a quarter at a time. Threads: none.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/accumulate/score_sums.h"

namespace detwatch::accumulate {

// Rows of equal width by bin, created when first written.
class BinRows {
 public:
  BinRows() = default;
  BinRows(int bins, std::size_t width) : width_(width), row_of_bin_(static_cast<std::size_t>(bins), 0) {}

  // The counters of a bin, created as zeros. Valid until the next new row.
  [[nodiscard]] std::int64_t* Row(int bin) {
    const std::uint16_t row = row_of_bin_[static_cast<std::size_t>(bin)];
    return row != 0 ? rows_.data() + (row - 1U) * width_ : NewRow(bin);
  }
  // The same, empty when the bin was never touched.
  [[nodiscard]] std::span<const std::int64_t> Find(int bin) const;
  [[nodiscard]] std::int64_t At(int bin, std::size_t i) const {
    const std::uint16_t row = row_of_bin_[static_cast<std::size_t>(bin)];
    return row != 0 ? rows_[(row - 1U) * width_ + i] : 0;
  }
  [[nodiscard]] int bins() const { return static_cast<int>(row_of_bin_.size()); }
  [[nodiscard]] std::size_t width() const { return width_; }
  void Compact();  // drops rows that are all zero
  void Clear();
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::int64_t* NewRow(int bin);

  std::size_t width_ = 0;
  std::vector<std::uint16_t> row_of_bin_;  // 1 + row, 0: none
  std::vector<std::int64_t> rows_;
};

// The detections of one bin. One cache line holds all of it.
struct alignas(16) BinDetections {
  std::int64_t count = 0;
  ScoreSums scores;
  friend bool operator==(const BinDetections&, const BinDetections&) = default;
};
static_assert(sizeof(BinDetections) == 16);

struct CountTable {
  CountTable() = default;
  CountTable(int bins, std::size_t thresholds)
      : detections(static_cast<std::size_t>(bins)),
        true_positives(bins, thresholds),
        ignored(bins, thresholds) {}

  std::vector<BinDetections> detections;  // by bin
  BinRows true_positives;                 // by bin and threshold
  BinRows ignored;                        // by bin and threshold

  [[nodiscard]] int bins() const { return static_cast<int>(detections.size()); }
  [[nodiscard]] std::int64_t Detections(int bin) const {
    return detections[static_cast<std::size_t>(bin)].count;
  }
  // Whether there are several detections and all have one score.
  [[nodiscard]] bool Tied(int bin) const {
    const BinDetections& one = detections[static_cast<std::size_t>(bin)];
    return one.count > 1 && one.scores.OneScore(one.count);
  }
  [[nodiscard]] std::int64_t TruePositives(int bin, std::size_t threshold) const {
    return true_positives.At(bin, threshold);
  }
  [[nodiscard]] std::int64_t Ignored(int bin, std::size_t threshold) const {
    return ignored.At(bin, threshold);
  }
  [[nodiscard]] std::int64_t FalsePositives(int bin, std::size_t threshold) const {
    return Detections(bin) - TruePositives(bin, threshold) - Ignored(bin, threshold);
  }
};

}  // namespace detwatch::accumulate
