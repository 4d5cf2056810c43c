#pragma once
// lib/match -- one joined frame in, the outcome of every detection out, by COCO's or Pascal VOC's rules.
//
// Why one pass is enough: matching is greedy in score order, so the outcome of the first k detections does
// not depend on the rest. AR at 1, 10 and 100 and precision at any confidence come from the same records.
//
// Laws (tests of the same name): AgreesWithTheOracle, PrefixesDoNotDependOnTheRest,
//   EqualIouMatchesAndTheLastOfEqualsWins, ACrowdTakesManyDetections.
// Each rule knows its own flag only: `difficult` has no effect under COCO, `crowd` none under VOC. VOC's
// rule with area ranges treats ground truths outside a range like difficult ones, and, as COCO does,
// ignores detections outside it that took nothing.
//
// Cost: O(n log n + pairs of the same class); area ranges and thresholds are decided together, a machine word
// at a time. Allocation-free once warm.
// Threads: none; one Matcher per thread. The result depends on the arguments only.

#include <memory>

#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"

namespace detwatch::match {

class Matcher {
 public:
  // Requires: params.Problems() is empty.
  explicit Matcher(EvaluationParams params);
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  [[nodiscard]] const EvaluationParams& params() const { return params_; }

  // Judges `frame` into `out`, which is cleared first and keeps its capacity. Requires: columns agree in
  // length, scores finite, box sizes not negative.
  void Match(const FrameView& frame, FrameOutcome& out);

 private:
  struct Scratch;
  EvaluationParams params_;
  std::unique_ptr<Scratch> scratch_;
};

// Intersection over union as COCO computes it: no +1; 0 unless both overlaps are positive; against a crowd
// the denominator is the detection's area alone. Source: maskApi.c bbIou of the reference evaluator.
[[nodiscard]] double IntersectionOverUnion(const Box& detection, const Box& ground_truth, bool crowd);

// The Pascal VOC devkit's overlap (VOCevaldet.m); with `inclusive_pixels` every side is one longer.
[[nodiscard]] double VocOverlap(const Box& detection, const Box& ground_truth, bool inclusive_pixels);

}  // namespace detwatch::match
