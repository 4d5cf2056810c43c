#include "lib/match/box_similarity.h"

#include <algorithm>

namespace detwatch::match {

double IntersectionOverUnion(const Box& detection, const Box& ground_truth, bool crowd) {
  const double width = std::min(detection.w + detection.x, ground_truth.w + ground_truth.x) -
                       std::max(detection.x, ground_truth.x);
  if (width <= 0) {
    return 0;
  }
  const double height = std::min(detection.h + detection.y, ground_truth.h + ground_truth.y) -
                        std::max(detection.y, ground_truth.y);
  if (height <= 0) {
    return 0;
  }
  const double intersection = width * height;
  const double denominator = crowd ? detection.Area() : detection.Area() + ground_truth.Area() - intersection;
  return intersection / denominator;
}

double VocOverlap(const Box& detection, const Box& ground_truth, bool inclusive_pixels) {
  if (!inclusive_pixels) {
    return IntersectionOverUnion(detection, ground_truth, false);
  }
  const double width = std::min(detection.x + detection.w, ground_truth.x + ground_truth.w) -
                       std::max(detection.x, ground_truth.x) + 1;
  const double height = std::min(detection.y + detection.h, ground_truth.y + ground_truth.h) -
                        std::max(detection.y, ground_truth.y) + 1;
  if (width <= 0 || height <= 0) {
    return 0;
  }
  const double intersection = width * height;
  return intersection /
         ((detection.w + 1) * (detection.h + 1) + (ground_truth.w + 1) * (ground_truth.h + 1) - intersection);
}

}  // namespace detwatch::match
