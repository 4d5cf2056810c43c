#include "lib/match/matcher.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "lib/match/grid.h"
#include "lib/match/grouping.h"
#include "lib/match/rules.h"

namespace detwatch::match {
namespace {

[[maybe_unused]] bool ColumnsAgree(const FrameView& frame) {
  const std::size_t n = frame.detection_boxes.size();
  const std::size_t m = frame.ground_truth_boxes.size();
  return frame.scores.size() == n && frame.detection_classes.size() == n &&
         frame.ground_truth_areas.size() == m && frame.ground_truth_classes.size() == m &&
         (frame.crowd.empty() || frame.crowd.size() == m) &&
         (frame.difficult.empty() || frame.difficult.size() == m);
}

}  // namespace

struct Matcher::Scratch {
  explicit Scratch(const EvaluationParams& params)
      : grid(params),
        coco(params.matching_rule == MatchingRule::kCoco),
        inclusive_pixels(params.inclusive_pixels) {}

  // Fills `outside`.
  void Measure(std::span<const Box> boxes);
  // Fills ground_truths with those of `group` and counts them.
  void Gather(const FrameView& frame, const ClassGroup& group, ClassOutcome& out);
  // The first `count` detections of `group`, as having taken nothing.
  void Append(const FrameView& frame, const ClassGroup& group, std::uint32_t count,
              std::vector<DetectionOutcome>& out) const;

  Grid grid;
  bool coco;
  bool inclusive_pixels;
  Grouping grouping;
  std::vector<Lanes> outside;              // by detection: where its own area is out of range
  std::vector<GroundTruth> ground_truths;  // of one class
  std::vector<Candidate> candidates;
};

void Matcher::Scratch::Measure(std::span<const Box> boxes) {
  // In the frame's order and all at once: by class the boxes would come in no order, each one a cache miss.
  outside.resize(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    outside[i] = grid.Outside(boxes[i].Area());
  }
}

void Matcher::Scratch::Gather(const FrameView& frame, const ClassGroup& group, ClassOutcome& out) {
  // Each rule has its own flag for a ground truth that counts for nothing, and does not know the other's.
  const std::span<const std::uint8_t> flags = coco ? frame.crowd : frame.difficult;
  ground_truths.clear();
  for (const std::uint32_t i : group.ground_truths) {
    const Box& box = frame.ground_truth_boxes[i];
    const bool flagged = !flags.empty() && flags[i] != 0;
    const Lanes ignored = flagged ? grid.all() : grid.Outside(frame.ground_truth_areas[i]);
    const bool is_crowd = coco && flagged;
    Extent extent = MakeExtent(box, inclusive_pixels ? 1 : 0);
    if (is_crowd) {
      extent.area = 0;
    }
    ground_truths.push_back({box, extent, LeastShare(grid.lowest(), is_crowd), ignored, 0, is_crowd});
    for (std::size_t a = 0; a < kMaxAreaRanges; ++a) {
      out.ground_truths[a] += (grid.lane(a) & ~ignored) != 0 ? 1 : 0;
    }
    out.ignored_ground_truths += (grid.lane(0) & ignored) != 0 ? 1 : 0;
  }
}

void Matcher::Scratch::Append(const FrameView& frame, const ClassGroup& group, std::uint32_t count,
                              std::vector<DetectionOutcome>& out) const {
  for (std::uint32_t rank = 0; rank < count; ++rank) {
    const std::uint32_t index = IndexOf(group.detections[rank]);
    DetectionOutcome& detection = out.emplace_back();
    detection.score = frame.scores[index];
    detection.index = index;
    detection.rank = rank;
    detection.ignored = Unpack(outside[index]);
  }
}

Matcher::Matcher(EvaluationParams params)
    : params_(std::move(params)), scratch_(std::make_unique<Scratch>(params_)) {}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

void Matcher::Match(const FrameView& frame, FrameOutcome& out) {
  assert(ColumnsAgree(frame));
  out.Clear();
  Scratch& scratch = *scratch_;
  scratch.Measure(frame.detection_boxes);
  scratch.grouping.Build(frame);
  for (const ClassGroup& group : scratch.grouping.groups()) {
    ClassOutcome& judged = out.classes.emplace_back();
    judged.class_id = group.class_id;
    judged.first = static_cast<std::uint32_t>(out.detections.size());
    judged.count =
        static_cast<std::uint32_t>(std::min<std::size_t>(group.detections.size(), params_.max_dets.back()));
    scratch.Append(frame, group, judged.count, out.detections);
    if (group.ground_truths.empty()) {
      continue;
    }
    scratch.Gather(frame, group, judged);
    const std::span<DetectionOutcome> detections(out.detections.data() + judged.first, judged.count);
    if (scratch.coco) {
      MatchCoco(scratch.grid, frame.detection_boxes, scratch.ground_truths, detections, scratch.candidates);
    } else {
      MatchVoc(scratch.grid, scratch.inclusive_pixels, frame.detection_boxes, scratch.ground_truths,
               detections);
    }
  }
}

}  // namespace detwatch::match
