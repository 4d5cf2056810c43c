// Pascal VOC's rule, after VOCevaldet.m of the devkit. `difficult` ground truths, and those outside an
// area range, can be matched any number of times and count for nothing.

#include "lib/match/matcher.h"
#include "lib/match/rules.h"

namespace detwatch::match {

void MatchVoc(const Grid& grid, bool inclusive_pixels, std::span<const Box> boxes,
              std::span<GroundTruth> ground_truths, std::span<DetectionOutcome> detections) {
  const double plus = inclusive_pixels ? 1 : 0;
  for (DetectionOutcome& detection : detections) {
    const Box& box = boxes[detection.index];
    const Extent extent = MakeExtent(box, plus);
    double best = 0;
    GroundTruth* truth = nullptr;
    for (GroundTruth& candidate : ground_truths) {
      if (!MayReach(extent, candidate, plus)) {
        continue;
      }
      const double overlap = VocOverlap(box, candidate.box, inclusive_pixels);
      if (overlap > best) {  // so the first of equals stays
        best = overlap;
        truth = &candidate;
      }
    }
    if (truth == nullptr) {
      continue;
    }
    const Lanes reached = grid.Reached(best);
    const Lanes ignored = reached & truth->ignored;
    const Lanes true_positive = reached & ~truth->ignored & ~truth->taken;
    truth->taken |= true_positive;
    if ((true_positive & grid.headline()) != 0) {
      detection.iou = static_cast<float>(best);
    }
    detection.true_positive = Unpack(true_positive);
    detection.ignored = Unpack(ignored | (Pack(detection.ignored) & ~true_positive));
  }
}

}  // namespace detwatch::match
