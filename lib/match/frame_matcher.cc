#include "lib/match/frame_matcher.h"

#include <algorithm>
#include <cassert>

namespace detwatch::match {
namespace {

[[maybe_unused]] bool ColumnsAgree(const FrameColumns& frame) {
  const std::size_t m = frame.ground_truth_classes.size();
  return frame.scores.size() == frame.detection_classes.size() && frame.ground_truth_areas.size() == m &&
         (frame.crowd.empty() || frame.crowd.size() == m) &&
         (frame.difficult.empty() || frame.difficult.size() == m);
}

}  // namespace

FrameMatcher::FrameMatcher(const EvaluationParams& params)
    : grid_(params), rule_(params.matching_rule), max_dets_(params.max_dets.back()) {}

void FrameMatcher::Group(const FrameColumns& frame, FrameOutcome& out) {
  assert(ColumnsAgree(frame));
  out.Clear();
  grouping_.Build(frame);
}

ClassOutcome& FrameMatcher::Append(const FrameColumns& frame, const ClassGroup& group,
                                   FrameOutcome& out) const {
  ClassOutcome& judged = out.classes.emplace_back();
  judged.class_id = group.class_id;
  judged.first = static_cast<std::uint32_t>(out.detections.size());
  judged.count = static_cast<std::uint32_t>(std::min<std::size_t>(group.detections.size(), max_dets_));
  for (std::uint32_t rank = 0; rank < judged.count; ++rank) {
    const std::uint32_t index = IndexOf(group.detections[rank]);
    DetectionOutcome& detection = out.detections.emplace_back();
    detection.score = frame.scores[index];
    detection.index = index;
    detection.rank = rank;
    detection.ignored = Unpack(outside_[index]);
  }
  return judged;
}

void FrameMatcher::Gather(const FrameColumns& frame, std::uint32_t i, bool flagged, ClassOutcome& out) {
  const Lanes ignored = flagged ? grid_.all() : grid_.Outside(frame.ground_truth_areas[i]);
  ground_truths_.push_back({ignored, 0, coco() && flagged});
  for (std::size_t a = 0; a < kMaxAreaRanges; ++a) {
    out.ground_truths[a] += (grid_.lane(a) & ~ignored) != 0 ? 1 : 0;
  }
  out.ignored_ground_truths += (grid_.lane(0) & ignored) != 0 ? 1 : 0;
}

}  // namespace detwatch::match
