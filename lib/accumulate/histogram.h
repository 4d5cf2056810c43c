#pragma once
// lib/accumulate -- the counts of one cell (one view group, one class) as a pure group: empty is the
// identity, Add commutes and associates, Subtract undoes it. Everything live is a sum of these.
//
// Two kinds of counts side by side:
//  - tallies: ground truths, TP/FP at operating points, TPs by max dets, frames: exact in every mode;
//  - one table per area range: per confidence bin the detections counted (those not ignored at every IoU
//    threshold), the TPs at each threshold, and which of the counted are ignored at each threshold. TP masks
//    are not prefixes (2 178 of 30 247 in a real set), so there is one count per threshold.
//    FP(t) = detections - true_positive(t) - ignored(t).
// Counts are signed: a correction is a histogram with negative entries.
//
// Laws: MergeCommutesAndAssociates, SubtractUndoesAdd, SerialisedFormIsTheSameValue,
//   CoarseningCommutesWithAdd. Threads: none, owned by whoever holds the cell. Errors: Parse only.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/accumulate/count_table.h"
#include "lib/accumulate/layout.h"
#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"
#include "lib/core/result.h"

namespace detwatch::accumulate {

// How many of everything a histogram counts, and in which bins. Small, copied freely.
struct Shape {
  std::uint8_t thresholds = 0;
  std::uint8_t areas = 0;
  std::uint8_t max_dets = 0;
  std::uint8_t operating_points = 0;
  std::uint8_t headline_iou = 0;                      // EvaluationParams::HeadlineIou
  LayoutId headline_layout = LayoutId::k128_8_14_20;  // area 0
  LayoutId other_layout = LayoutId::k32_4_12_17;      // the other areas

  // For totals: 128/8/14/20 and 32/4/12/17. For windows and panes: 64/8/13/20 and 16/2/8/14.
  [[nodiscard]] static Shape Fine(const EvaluationParams& params);
  [[nodiscard]] static Shape Coarse(const EvaluationParams& params);

  [[nodiscard]] const BinLayout& layout(std::size_t area) const {
    return BinLayout::Get(area == 0 ? headline_layout : other_layout);
  }

  // Where each tally stands; every index is below tallies().
  [[nodiscard]] std::size_t GroundTruths(std::size_t area) const { return area; }
  [[nodiscard]] std::size_t IgnoredGroundTruths() const { return areas; }
  [[nodiscard]] std::size_t Frames() const { return areas + 1U; }  // frames in which the class was judged
  [[nodiscard]] std::size_t FramesIgnored() const {
    return areas + 2U;
  }  // of these: only ignored ground truths
  [[nodiscard]] std::size_t IouSum() const {
    return areas + 3U;
  }  // 2^-32 units, TPs at HeadlineIou and point 0
  // TPs at threshold t with rank < max_dets[k], area 0.
  [[nodiscard]] std::size_t TruePositivesByMaxDets(std::size_t k, std::size_t t) const {
    return areas + 4U + k * thresholds + t;
  }
  // At operating point c (score >= c, after max dets) and threshold t, area 0.
  [[nodiscard]] std::size_t TruePositives(std::size_t c, std::size_t t) const {
    return areas + 4U + (std::size_t{max_dets} + 2 * c) * thresholds + t;
  }
  [[nodiscard]] std::size_t FalsePositives(std::size_t c, std::size_t t) const {
    return TruePositives(c, t) + thresholds;
  }
  // Frame-level presence at operating point c: outcome 0 = tp, 1 = fp, 2 = fn; TN = Frames - FramesIgnored
  // - these three. Present: a ground truth of area 0 that is not ignored. Predicted: a detection with score
  // >= c that is not ignored at HeadlineIou in area 0. Whether the two overlap does not matter here.
  [[nodiscard]] std::size_t FrameOutcomes(std::size_t c, std::size_t outcome) const {
    return areas + 4U + (std::size_t{max_dets} + 2 * std::size_t{operating_points}) * thresholds + 3 * c +
           outcome;
  }
  [[nodiscard]] std::size_t tallies() const { return FrameOutcomes(operating_points, 0); }

  friend bool operator==(const Shape&, const Shape&) = default;
};

class Histogram {
 public:
  explicit Histogram(const Shape& shape = {});

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::int64_t Tally(std::size_t index) const { return tallies_[index]; }
  void AddTally(std::size_t index, std::int64_t n) { tallies_[index] += n; }
  [[nodiscard]] const CountTable& table(std::size_t area) const { return tables_[area]; }

  // Counts one class of one frame, or takes it back with sign = -1. `detections` are those of `outcome`.
  // Does not touch Frames(): whoever knows which classes were judged adds those. A frame with only ignored
  // ground truths of the class adds to FramesIgnored() and to no frame outcome.
  // Cost: two bin look-ups, and an increment and two sums per area, for a plain false positive; measured in
  // tests/bench/README.md. Requires: shape was made from `params`; detections.size() == outcome.count.
  void Count(const EvaluationParams& params, const ClassOutcome& outcome,
             std::span<const DetectionOutcome> detections, int sign = 1);

  // Same thresholds, areas, max dets and points required; `other` may be in a finer layout.
  void Add(const Histogram& other, int sign = 1);
  void Subtract(const Histogram& other) { Add(other, -1); }

  [[nodiscard]] bool IsZero() const;
  void Compact();
  void Clear();  // to zero, keeping memory
  [[nodiscard]] std::size_t bytes() const;

  // Compact, versioned form: zero runs and variable-length integers. Frozen by golden files.
  [[nodiscard]] std::string Serialise() const;
  [[nodiscard]] static Result<Histogram> Parse(std::string_view bytes);

  friend bool operator==(const Histogram& a, const Histogram& b);  // as values, whatever rows exist

 private:
  Shape shape_;
  std::vector<std::int64_t> tallies_;
  std::vector<CountTable> tables_;  // by area
};

}  // namespace detwatch::accumulate
