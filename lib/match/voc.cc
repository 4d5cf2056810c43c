// Pascal VOC's rule, after VOCevaldet.m of the devkit. `difficult` ground truths, and those outside an
// area range, can be matched any number of times and count for nothing.

#include "lib/match/rules.h"

namespace detwatch::match {

void VocRule::Decide(const Grid& grid, DetectionOutcome& detection) {
  GroundTruth& truth = *ground_truth_;
  const Lanes reached = grid.Reached(best_);
  const Lanes ignored = reached & truth.ignored;
  const Lanes true_positive = reached & ~truth.ignored & ~truth.taken;
  truth.taken |= true_positive;
  if ((true_positive & grid.headline()) != 0) {
    detection.iou = static_cast<float>(best_);
  }
  detection.true_positive = Unpack(true_positive);
  detection.ignored = Unpack(ignored | (Pack(detection.ignored) & ~true_positive));
}

}  // namespace detwatch::match
