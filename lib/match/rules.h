#pragma once
// lib/match -- the matching rules, one class of one frame at a time. Internal to this room.
//
// Both rules are given detections that are already judged as if they had taken nothing: never a true
// positive, ignored in the area ranges that do not contain their own area. Most stay so. A rule rewrites
// those that meet a ground truth.
//
// Laws: see matcher.h. Threads: none; the arguments are all they touch.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/core/outcome.h"
#include "lib/match/grid.h"

namespace detwatch::match {

// A box made ready to be compared with many.
struct Extent {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
  double area = 0;
};

// `plus` is 1 for inclusive pixels, else 0.
[[nodiscard]] inline Extent MakeExtent(const Box& box, double plus) {
  return {box.x, box.y, box.x + box.w, box.y + box.h, (box.w + plus) * (box.h + plus)};
}

struct GroundTruth {
  Box box;
  Extent extent;           // of a crowd: with area 0, as its area is no part of the denominator
  double least_share = 0;  // of the sum of both areas that an intersection must have
  Lanes ignored = 0;       // the areas in which it counts for nothing
  Lanes taken = 0;         // where a detection has it; nobody else can, there
  bool crowd = false;      // is never taken: any number of detections can have it
};

// An intersection i reaches threshold t of a union s - i when i >= t / (1 + t) * s; of a crowd's s alone when
// i >= t * s. A little less is asked for, so that rounding never hides a pair from the exact formula.
[[nodiscard]] inline double LeastShare(double threshold, bool crowd) {
  return (1 - 1e-9) * (crowd ? threshold : threshold / (1 + threshold));
}

// False only for pairs that reach no threshold: nearly all of them. One branch that is nearly always the
// same way; a test for disjoint boxes alone would be a coin toss to the branch predictor.
[[nodiscard]] inline bool MayReach(const Extent& detection, const GroundTruth& truth, double plus) {
  const Extent& other = truth.extent;
  const double width = std::min(detection.right, other.right) - std::max(detection.left, other.left) + plus;
  const double height = std::min(detection.bottom, other.bottom) - std::max(detection.top, other.top) + plus;
  const double least = truth.least_share * (detection.area + other.area);
  // width x height, but never positive when both are negative; compilers clamp at 0 with a branch.
  return std::min(width, height) * std::abs(std::max(width, height)) >= least;
}

// A ground truth that a detection reaches at the lowest threshold or above.
struct Candidate {
  double iou = 0;
  Lanes reached = 0;
  GroundTruth* ground_truth = nullptr;
};

// Both: `boxes` are the frame's, which DetectionOutcome::index points into. `detections` are of one class,
// by descending score; `ground_truths` are of the same class, in the frame's order, with nothing taken.

// Each detection takes the best ground truth that is still free, a not ignored one before an ignored one.
// `candidates` is scratch space.
void MatchCoco(const Grid& grid, std::span<const Box> boxes, std::span<GroundTruth> ground_truths,
               std::span<DetectionOutcome> detections, std::vector<Candidate>& candidates);

// Each detection only asks for its best-overlapping ground truth, free or not.
void MatchVoc(const Grid& grid, bool inclusive_pixels, std::span<const Box> boxes,
              std::span<GroundTruth> ground_truths, std::span<DetectionOutcome> detections);

}  // namespace detwatch::match
