#include "lib/match/grid.h"

#include <algorithm>
#include <cassert>

namespace detwatch::match {

Grid::Grid(const EvaluationParams& params) : thresholds_(params.thresholds()) {
  assert(params.Problems().empty());
  for (std::size_t t = 0; t < thresholds_; ++t) {
    // The reference COCO evaluator lowers a threshold of 1, which rounding would put out of reach.
    const double threshold = params.iou_thresholds[t];
    least_[t] = params.matching_rule == MatchingRule::kCoco ? std::min(threshold, 1 - 1e-10) : threshold;
  }
  for (std::size_t n = 0; n <= thresholds_; ++n) {
    std::array<IouMask, kMaxAreaRanges> masks{};
    std::fill_n(masks.begin(), params.areas(), static_cast<IouMask>((1U << n) - 1));
    first_thresholds_[n] = Pack(masks);
  }
  for (std::size_t a = 0; a < params.areas(); ++a) {
    std::array<IouMask, kMaxAreaRanges> masks{};
    masks[a] = static_cast<IouMask>((1U << thresholds_) - 1);
    lane_[a] = Pack(masks);
    lower_[a] = params.area_ranges[a].lower;
    upper_[a] = params.area_ranges[a].upper;
  }
  std::array<IouMask, kMaxAreaRanges> masks{};
  masks[0] = static_cast<IouMask>(1U << params.HeadlineIou());
  headline_ = Pack(masks);
}

}  // namespace detwatch::match
