// Uses a room of the library by itself: half of a box overlaps the other one.
#include <lib/accumulate/layout.h>
#include <lib/match/box_similarity.h>
#include <lib/match/matcher.h>

#include <cmath>

int main() {
  const detwatch::Box detection{0, 0, 10, 10};
  const detwatch::Box ground_truth{5, 0, 10, 10};
  const double iou = detwatch::match::IntersectionOverUnion(detection, ground_truth, false);
  const detwatch::match::Matcher matcher(detwatch::EvaluationParams::Coco());
  return std::abs(iou - 1.0 / 3) < 1e-12 && matcher.params().thresholds() == 10 ? 0 : 1;
}
