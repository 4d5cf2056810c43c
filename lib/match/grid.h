#pragma once
// lib/match -- the grid a detection is judged on: area ranges x thresholds, one bit for each.
//
// Why: an outcome is decided forty times (four areas, ten thresholds), nearly always the same way. Four lanes
// of sixteen bits fill one machine word, so one AND or OR decides all of them. Lanes has the layout of
// the masks in DetectionOutcome; bits beyond the configured areas and thresholds are never set.
//
// Cost: Reached is one comparison a threshold, Outside two an area. Threads: immutable after construction.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"

namespace detwatch::match {

// The IouMask of every area range, side by side.
using Lanes = std::uint64_t;
static_assert(sizeof(Lanes) == sizeof(DetectionOutcome::true_positive));

[[nodiscard]] inline Lanes Pack(const std::array<IouMask, kMaxAreaRanges>& masks) {
  return std::bit_cast<Lanes>(masks);
}
[[nodiscard]] inline std::array<IouMask, kMaxAreaRanges> Unpack(Lanes lanes) {
  return std::bit_cast<std::array<IouMask, kMaxAreaRanges>>(lanes);
}

class Grid {
 public:
  // Requires: params.Problems() is empty.
  explicit Grid(const EvaluationParams& params);

  // In every area the thresholds that `similarity` reaches; equality reaches, NaN does not.
  [[nodiscard]] Lanes Reached(double similarity) const {
    std::size_t reached = 0;
    while (reached < thresholds_ && similarity >= least_[reached]) {
      ++reached;
    }
    return first_thresholds_[reached];
  }

  // All thresholds of those areas whose range does not contain `area`; both ends are inside.
  [[nodiscard]] Lanes Outside(double area) const {
    Lanes outside = 0;
    for (std::size_t a = 0; a < kMaxAreaRanges; ++a) {
      // No branch: areas are as good as random to a branch predictor.
      const Lanes out = Lanes{area < lower_[a]} | Lanes{area > upper_[a]};
      outside |= lane_[a] & (Lanes{0} - out);
    }
    return outside;
  }

  // The similarity below which no threshold is reached.
  [[nodiscard]] double lowest() const { return least_[0]; }
  [[nodiscard]] Lanes all() const { return first_thresholds_[thresholds_]; }
  // The one bit of HeadlineIou in area 0.
  [[nodiscard]] Lanes headline() const { return headline_; }
  // The bits of one area range. Requires: area < kMaxAreaRanges.
  [[nodiscard]] Lanes lane(std::size_t area) const { return lane_[area]; }

 private:
  std::size_t thresholds_;
  std::array<double, kMaxIouThresholds> least_{};                // that matches, by threshold
  std::array<Lanes, kMaxIouThresholds + 1> first_thresholds_{};  // [n]: the first n in every area
  std::array<double, kMaxAreaRanges> lower_{};
  std::array<double, kMaxAreaRanges> upper_{};
  std::array<Lanes, kMaxAreaRanges> lane_{};  // 0 for areas that are not configured
  Lanes headline_ = 0;
};

}  // namespace detwatch::match
