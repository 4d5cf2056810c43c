#pragma once
// lib/match -- one joined frame of boxes in, the outcome of every detection out, by COCO's or Pascal VOC's
// rule. Boxes are measured by box_similarity.h and assigned by frame_matcher.h, which does the same for any
// geometry.
//
// Laws (tests of the same name): AgreesWithTheOracle, PrefixesDoNotDependOnTheRest,
//   EqualIouMatchesAndTheLastOfEqualsWins, ACrowdTakesManyDetections.
// Each rule knows its own flag only: `difficult` has no effect under COCO, `crowd` none under VOC. VOC's
// rule with area ranges treats ground truths outside a range like difficult ones, and, as COCO does,
// ignores detections outside it that took nothing.
//
// Cost: O(n log n + pairs of the same class). Allocation-free once warm.
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

}  // namespace detwatch::match
