// COCO's rule. The reference evaluator walks the ground truths once for every area range and threshold, not
// ignored ones first, and keeps the best free one it has met; of equals the last. That is the same as
// trying them by descending IoU, of equals the last first, in two rounds: the not ignored ones, then the
// ignored ones. Each takes whatever areas and thresholds are still undecided, free there and within reach,
// which is a few operations on Lanes.

#include <algorithm>

#include "lib/match/matcher.h"
#include "lib/match/rules.h"

namespace detwatch::match {
namespace {

// Fills `candidates`, in the order in which they are tried.
void FindCandidates(const Grid& grid, const Box& box, std::span<GroundTruth> ground_truths,
                    std::vector<Candidate>& candidates) {
  candidates.clear();
  const Extent extent = MakeExtent(box, 0);
  for (GroundTruth& truth : ground_truths) {
    if (!MayReach(extent, truth, 0)) {
      continue;
    }
    const double iou = IntersectionOverUnion(box, truth.box, truth.crowd);
    const Lanes reached = grid.Reached(iou);
    if (reached == 0) {
      continue;
    }
    // Goes before its equals, as the last of equals wins.
    const auto worse =
        std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.iou <= iou; });
    candidates.insert(worse, Candidate{iou, reached, &truth});
  }
}

}  // namespace

void MatchCoco(const Grid& grid, std::span<const Box> boxes, std::span<GroundTruth> ground_truths,
               std::span<DetectionOutcome> detections, std::vector<Candidate>& candidates) {
  for (DetectionOutcome& detection : detections) {
    FindCandidates(grid, boxes[detection.index], ground_truths, candidates);
    if (candidates.empty()) {
      continue;
    }
    Lanes undecided = grid.all();
    const auto take = [&](const Candidate& candidate) {
      GroundTruth& truth = *candidate.ground_truth;
      return candidate.reached & undecided & ~truth.taken;
    };
    const auto mark = [&](const Candidate& candidate, Lanes taken) {
      undecided &= ~taken;
      if (!candidate.ground_truth->crowd) {
        candidate.ground_truth->taken |= taken;
      }
    };
    Lanes true_positive = 0;
    for (const Candidate& candidate : candidates) {
      const Lanes taken = take(candidate) & ~candidate.ground_truth->ignored;
      mark(candidate, taken);
      true_positive |= taken;
      if ((taken & grid.headline()) != 0) {
        detection.iou = static_cast<float>(candidate.iou);
      }
    }
    Lanes ignored = 0;
    for (const Candidate& candidate : candidates) {
      const Lanes taken = take(candidate) & candidate.ground_truth->ignored;
      mark(candidate, taken);
      ignored |= taken;
    }
    detection.true_positive = Unpack(true_positive);
    detection.ignored = Unpack(ignored | (Pack(detection.ignored) & undecided));
  }
}

}  // namespace detwatch::match
