#pragma once
// lib/match -- how alike two axis-aligned boxes are: IoU, and for crowds intersection over the detection's
// area.
//
// Laws (tests of the same name): NeverHidesAPairThatTheExactFormulaAccepts.
// Cost: a dozen operations and one branch for a pair that is out of reach, nearly all of them; the exact
// formula for the others. Allocation-free once warm. Threads: one matcher's.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/match/similarity.h"

namespace detwatch::match {

// Intersection over union as COCO computes it: no +1; 0 unless both overlaps are positive; against a crowd
// the denominator is the detection's area alone. Source: maskApi.c bbIou of the reference evaluator.
[[nodiscard]] double IntersectionOverUnion(const Box& detection, const Box& ground_truth, bool crowd);

// The Pascal VOC devkit's overlap (VOCevaldet.m); with `inclusive_pixels` every side is one longer.
[[nodiscard]] double VocOverlap(const Box& detection, const Box& ground_truth, bool inclusive_pixels);

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

// A ground truth made ready to be compared with many detections.
struct TruthBox {
  Box box;
  Extent extent;           // of a crowd: with area 0, as its area is no part of the denominator
  double least_share = 0;  // of the sum of both areas that an intersection must have
  bool crowd = false;
};

// An intersection i reaches threshold t of a union s - i when i >= t / (1 + t) * s; of a crowd's s alone when
// i >= t * s. A little less is asked for, so that rounding never hides a pair from the exact formula.
[[nodiscard]] inline double LeastShare(double threshold, bool crowd) {
  return (1 - 1e-9) * (crowd ? threshold : threshold / (1 + threshold));
}

[[nodiscard]] inline TruthBox MakeTruthBox(const Box& box, double threshold, bool crowd, double plus) {
  TruthBox truth{box, MakeExtent(box, plus), LeastShare(threshold, crowd), crowd};
  if (crowd) {
    truth.extent.area = 0;
  }
  return truth;
}

// False only for pairs that reach no threshold: nearly all of them. One branch that is nearly always the
// same way; a test for disjoint boxes alone would be a coin toss to the branch predictor.
template <bool kInclusivePixels>
[[nodiscard]] bool MayReach(const Extent& detection, const TruthBox& truth) {
  const Extent& other = truth.extent;
  double width = std::min(detection.right, other.right) - std::max(detection.left, other.left);
  double height = std::min(detection.bottom, other.bottom) - std::max(detection.top, other.top);
  if constexpr (kInclusivePixels) {
    width += 1;
    height += 1;
  }
  const double least = truth.least_share * (detection.area + other.area);
  // width x height, but never positive when both are negative; compilers clamp at 0 with a branch.
  return std::min(width, height) * std::abs(std::max(width, height)) >= least;
}

// Of one frame after the other.
class BoxSimilarity {
 public:
  explicit BoxSimilarity(bool inclusive_pixels) : inclusive_pixels_(inclusive_pixels) {}

  // The frame's boxes; they outlive its matching.
  void StartFrame(std::span<const Box> detections, std::span<const Box> ground_truths) {
    detections_ = detections;
    ground_truths_ = ground_truths;
  }

  [[nodiscard]] double area(std::uint32_t index) const { return detections_[index].Area(); }

  void StartClass(double least) {
    least_ = least;
    truths_.clear();
  }

  // Requires: no crowds among inclusive pixels.
  void AddGroundTruth(std::uint32_t index, bool crowd) {
    truths_.push_back(MakeTruthBox(ground_truths_[index], least_, crowd, inclusive_pixels_ ? 1 : 0));
  }

  template <class Visit>
  void ForEachCandidate(std::uint32_t index, Visit&& visit) const {
    if (inclusive_pixels_) {
      ForEach<true>(detections_[index], visit);
    } else {
      ForEach<false>(detections_[index], visit);
    }
  }

 private:
  template <bool kInclusivePixels, class Visit>
  void ForEach(const Box& box, Visit& visit) const {
    const Extent extent = MakeExtent(box, kInclusivePixels ? 1 : 0);
    const std::span<const TruthBox> truths = truths_;  // whatever `visit` writes, its ends stay in registers
    for (const TruthBox& truth : truths) {
      if (MayReach<kInclusivePixels>(extent, truth)) {
        visit(static_cast<std::size_t>(&truth - truths.data()),
              kInclusivePixels ? VocOverlap(box, truth.box, true)
                               : IntersectionOverUnion(box, truth.box, truth.crowd));
      }
    }
  }

  bool inclusive_pixels_;
  double least_ = 0;
  std::span<const Box> detections_;
  std::span<const Box> ground_truths_;
  std::vector<TruthBox> truths_;  // of one class
};
static_assert(Similarity<BoxSimilarity>);

}  // namespace detwatch::match
