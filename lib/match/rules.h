#pragma once
// lib/match -- the matching rules: which of the ground truths that a detection resembles it takes. They know
// similarities and flags, no shapes. Internal to this room.
//
// A rule is asked for one detection after the other, by descending score: Offer gives it each candidate by
// ascending number, Decide lets the detection take what the rule says. The detection is already judged as if
// it had taken nothing: never a true positive, ignored in the area ranges that do not contain its own area.
// Most stay so: a detection without candidates is not decided at all.
//
// Laws: see matcher.h. Threads: none; the arguments are all they touch.

#include <cstddef>
#include <span>
#include <vector>

#include "lib/core/outcome.h"
#include "lib/match/grid.h"
#include "lib/match/similarity.h"

namespace detwatch::match {

struct GroundTruth {
  Lanes ignored = 0;   // the areas in which it counts for nothing
  Lanes taken = 0;     // where a detection has it; nobody else can, there
  bool crowd = false;  // is never taken: any number of detections can have it
};

// Each detection takes the best ground truth that is still free, a not ignored one before an ignored one.
class CocoRule {
 public:
  void Start() { candidates_.clear(); }
  void Offer(const Grid& grid, GroundTruth& truth, double similarity);
  [[nodiscard]] bool has_candidates() const { return !candidates_.empty(); }
  void Decide(const Grid& grid, DetectionOutcome& detection);

 private:
  struct Candidate {
    double similarity = 0;
    Lanes reached = 0;
    GroundTruth* ground_truth = nullptr;
  };
  std::vector<Candidate> candidates_;  // in the order in which they are tried
};

// Each detection only asks for its best ground truth, free or not.
class VocRule {
 public:
  void Start() {
    best_ = 0;
    ground_truth_ = nullptr;
  }
  void Offer(const Grid& /*grid*/, GroundTruth& truth, double similarity) {
    if (similarity > best_) {  // so the first of equals stays
      best_ = similarity;
      ground_truth_ = &truth;
    }
  }
  [[nodiscard]] bool has_candidates() const { return ground_truth_ != nullptr; }
  void Decide(const Grid& grid, DetectionOutcome& detection);

 private:
  double best_ = 0;
  GroundTruth* ground_truth_ = nullptr;
};

// `detections` are of one class, by descending score; `ground_truths` are those that `geometry` was given for
// the class, in that order, with nothing taken.
template <class Rule, Similarity G>
void Assign(const Grid& grid, const G& geometry, Rule& rule, std::span<GroundTruth> ground_truths,
            std::span<DetectionOutcome> detections) {
  for (DetectionOutcome& detection : detections) {
    rule.Start();
    geometry.ForEachCandidate(detection.index, [&](std::size_t ground_truth, double similarity) {
      rule.Offer(grid, ground_truths[ground_truth], similarity);
    });
    if (rule.has_candidates()) {
      rule.Decide(grid, detection);
    }
  }
}

}  // namespace detwatch::match
