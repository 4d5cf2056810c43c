// COCO's rule. The reference evaluator walks the ground truths once for every area range and threshold, not
// ignored ones first, and keeps the best free one it has met; of equals the last. That is the same as
// trying them by descending similarity, of equals the last first, in two rounds: the not ignored ones, then
// the ignored ones. Each takes whatever areas and thresholds are still undecided, free there and within
// reach, which is a few operations on Lanes.

#include <algorithm>

#include "lib/match/rules.h"

namespace detwatch::match {

void CocoRule::Offer(const Grid& grid, GroundTruth& truth, double similarity) {
  const Lanes reached = grid.Reached(similarity);
  if (reached == 0) {
    return;
  }
  // Goes before its equals, as the last of equals wins.
  const auto worse = std::find_if(candidates_.begin(), candidates_.end(),
                                  [&](const Candidate& c) { return c.similarity <= similarity; });
  candidates_.insert(worse, Candidate{similarity, reached, &truth});
}

void CocoRule::Decide(const Grid& grid, DetectionOutcome& detection) {
  Lanes undecided = grid.all();
  const auto take = [&](const Candidate& candidate) {
    const GroundTruth& truth = *candidate.ground_truth;
    return candidate.reached & undecided & ~truth.taken;
  };
  const auto mark = [&](const Candidate& candidate, Lanes taken) {
    undecided &= ~taken;
    if (!candidate.ground_truth->crowd) {
      candidate.ground_truth->taken |= taken;
    }
  };
  Lanes true_positive = 0;
  for (const Candidate& candidate : candidates_) {
    const Lanes taken = take(candidate) & ~candidate.ground_truth->ignored;
    mark(candidate, taken);
    true_positive |= taken;
    if ((taken & grid.headline()) != 0) {
      detection.iou = static_cast<float>(candidate.similarity);
    }
  }
  Lanes ignored = 0;
  for (const Candidate& candidate : candidates_) {
    const Lanes taken = take(candidate) & candidate.ground_truth->ignored;
    mark(candidate, taken);
    ignored |= taken;
  }
  detection.true_positive = Unpack(true_positive);
  detection.ignored = Unpack(ignored | (Pack(detection.ignored) & undecided));
}

}  // namespace detwatch::match
