#pragma once
// lib/match -- the matching rules, one class of one frame at a time. Internal to this room.
//
// Both rules are given detections that are already judged as if they had taken nothing: never a true
// positive, ignored in the area ranges that do not contain their own area. Most stay so. A rule rewrites
// those that meet a ground truth.
//
// Laws: see matcher.h. Threads: none; the arguments are all they touch.

#include <span>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/core/outcome.h"
#include "lib/match/grid.h"

namespace detwatch::match {

struct GroundTruth {
  Box box;
  double right = 0;    // box.x + box.w
  double bottom = 0;   // box.y + box.h
  Lanes ignored = 0;   // the areas in which it counts for nothing
  Lanes taken = 0;     // where a detection has it; nobody else can, there
  bool crowd = false;  // is never taken: any number of detections can have it
};

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
