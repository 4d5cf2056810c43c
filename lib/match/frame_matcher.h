#pragma once
// lib/match -- one joined frame of any geometry in, the outcome of every detection out. Matcher is this with
// boxes; another geometry is this with another Similarity (similarity.h).
//
// Why one pass is enough: matching is greedy in score order, so the outcome of the first k detections does
// not depend on the rest. AR at 1, 10 and 100 and precision at any confidence come from the same records.
//
// Laws: see matcher.h. What holds for any geometry stands in similarity.h.
// Cost: O(n log n + what the geometry needs for pairs of the same class); area ranges and thresholds are
// decided together, a machine word at a time. Allocation-free once warm. Threads: none; one per thread. The
// result depends on the arguments only.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"
#include "lib/match/grid.h"
#include "lib/match/grouping.h"
#include "lib/match/rules.h"
#include "lib/match/similarity.h"

namespace detwatch::match {

class FrameMatcher {
 public:
  // Requires: params.Problems() is empty.
  explicit FrameMatcher(const EvaluationParams& params);

  // Judges `frame` into `out`, which is cleared first and keeps its capacity. `geometry` speaks of the same
  // detections and ground truths, by their place in the columns. Requires: columns agree in length, scores
  // finite.
  template <Similarity G>
  void Match(const FrameColumns& frame, G& geometry, FrameOutcome& out);

 private:
  // Sorts `frame` into classes.
  void Group(const FrameColumns& frame, FrameOutcome& out);
  // Judges the detections of `group` as having taken nothing.
  ClassOutcome& Append(const FrameColumns& frame, const ClassGroup& group, FrameOutcome& out) const;
  // Whether `flags`, which may be empty, mark ground truth i as one that counts for nothing.
  [[nodiscard]] bool Flagged(const FrameColumns& frame, std::uint32_t i) const {
    // Each rule has its own flag, and does not know the other's.
    const std::span<const std::uint8_t> flags = coco() ? frame.crowd : frame.difficult;
    return !flags.empty() && flags[i] != 0;
  }
  // Remembers ground truth i for the rules and counts it.
  void Gather(const FrameColumns& frame, std::uint32_t i, bool flagged, ClassOutcome& out);
  [[nodiscard]] bool coco() const { return rule_ == MatchingRule::kCoco; }

  Grid grid_;
  MatchingRule rule_;
  std::uint32_t max_dets_;
  Grouping grouping_;
  std::vector<Lanes> outside_;              // by detection: where its own area is out of range
  std::vector<GroundTruth> ground_truths_;  // of one class
  CocoRule coco_rule_;
  VocRule voc_rule_;
};

template <Similarity G>
void FrameMatcher::Match(const FrameColumns& frame, G& geometry, FrameOutcome& out) {
  Group(frame, out);
  // In the frame's order and all at once: by class the shapes would come in no order, each one a cache miss.
  outside_.resize(frame.scores.size());
  for (std::uint32_t i = 0; i < outside_.size(); ++i) {
    outside_[i] = grid_.Outside(geometry.area(i));
  }
  for (const ClassGroup& group : grouping_.groups()) {
    ClassOutcome& judged = Append(frame, group, out);
    if (group.ground_truths.empty()) {
      continue;
    }
    ground_truths_.clear();
    geometry.StartClass(grid_.lowest());
    for (const std::uint32_t i : group.ground_truths) {
      const bool flagged = Flagged(frame, i);
      geometry.AddGroundTruth(i, coco() && flagged);
      Gather(frame, i, flagged, judged);
    }
    const std::span<DetectionOutcome> detections(out.detections.data() + judged.first, judged.count);
    const auto& measured = geometry;
    if (coco()) {
      Assign(grid_, measured, coco_rule_, std::span(ground_truths_), detections);
    } else {
      Assign(grid_, measured, voc_rule_, std::span(ground_truths_), detections);
    }
  }
}

}  // namespace detwatch::match
