#include "lib/match/matcher.h"

#include <cassert>
#include <utility>

#include "lib/match/box_similarity.h"
#include "lib/match/frame_matcher.h"

namespace detwatch::match {

struct Matcher::Scratch {
  explicit Scratch(const EvaluationParams& params) : rules(params), boxes(params.inclusive_pixels) {}

  FrameMatcher rules;
  BoxSimilarity boxes;
};

Matcher::Matcher(EvaluationParams params)
    : params_(std::move(params)), scratch_(std::make_unique<Scratch>(params_)) {}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

void Matcher::Match(const FrameView& frame, FrameOutcome& out) {
  assert(frame.detection_boxes.size() == frame.scores.size());
  assert(frame.ground_truth_boxes.size() == frame.ground_truth_classes.size());
  scratch_->boxes.StartFrame(frame.detection_boxes, frame.ground_truth_boxes);
  scratch_->rules.Match(frame, scratch_->boxes, out);
}

}  // namespace detwatch::match
