// The last steps of a frame in ingest: from two halves to columns of judged classes, to outcomes, to the cut.
#include "lib/pipeline/ingest.h"

namespace detwatch::pipeline {
namespace {

// Pane arithmetic rounds down, also before 1970.
std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

}  // namespace

void Ingest::Columns::Clear() {
  boxes.clear();
  scores.clear();
  classes.clear();
  areas.clear();
  crowd.clear();
  difficult.clear();
}

void Ingest::JudgeJoined(TimePoint now) {
  for (const join::Joined& joined : joined_) {
    Judge(joined, now);
  }
  joined_.clear();
}

void Ingest::Judge(const join::Joined& joined, TimePoint now) {
  const Predictions& predictions = joined.predictions;
  const Labels& labels = *joined.labels;
  const auto found = routes_.Find(predictions.model, predictions.frame.stream, now, *cut_);
  if (!found) {
    // The model was forgotten while its frame waited, and its place was taken.
    CountReject(Transport::kReliable, found.error());
    return;
  }
  Route& route = **found;
  const JudgedClasses& judged = classes_.Judged(predictions.class_list, labels.class_list);
  const ClassTable& prediction_ids = *classes_.Find(predictions.class_list);
  const ClassTable& label_ids = *classes_.Find(labels.class_list);

  // Partial labels: only what was examined.
  std::vector<std::uint8_t> examined;
  std::vector<ClassId> examined_classes;
  if (labels.partial) {
    examined.assign(judged.contains.size(), 0);
    for (const std::uint32_t id : labels.examined) {
      const std::uint32_t class_index = label_ids.Find(id);
      if (judged.Contains(class_index)) {
        examined[class_index] = 1;
        examined_classes.push_back(static_cast<ClassId>(class_index));
      }
    }
  }
  const auto is_judged = [&](std::uint32_t class_index) {
    return judged.Contains(class_index) && (!labels.partial || examined[class_index] != 0);
  };

  detections_.Clear();
  for (std::size_t i = 0; i < predictions.scores.size(); ++i) {
    const std::uint32_t class_index = prediction_ids.Find(predictions.class_ids[i]);
    if (!is_judged(class_index)) {
      ++cut_->counters.unjudged_detections;
      continue;
    }
    detections_.boxes.push_back(predictions.boxes[i]);
    detections_.scores.push_back(predictions.scores[i]);
    detections_.classes.push_back(static_cast<ClassId>(class_index));
  }
  ground_truths_.Clear();
  for (std::size_t i = 0; i < labels.class_ids.size(); ++i) {
    const std::uint32_t class_index = label_ids.Find(labels.class_ids[i]);
    if (!is_judged(class_index)) {
      ++cut_->counters.unjudged_ground_truths;
      continue;
    }
    ground_truths_.boxes.push_back(labels.boxes[i]);
    ground_truths_.areas.push_back(labels.areas[i]);
    ground_truths_.classes.push_back(static_cast<ClassId>(class_index));
    ground_truths_.crowd.push_back(labels.crowd.empty() ? 0 : labels.crowd[i]);
    ground_truths_.difficult.push_back(labels.difficult.empty() ? 0 : labels.difficult[i]);
  }

  FrameView view;
  view.detection_boxes = detections_.boxes;
  view.scores = detections_.scores;
  view.detection_classes = detections_.classes;
  view.ground_truth_boxes = ground_truths_.boxes;
  view.ground_truth_areas = ground_truths_.areas;
  view.ground_truth_classes = ground_truths_.classes;
  view.crowd = ground_truths_.crowd;
  view.difficult = ground_truths_.difficult;
  Evaluation& evaluation = *route.model->evaluation;
  evaluation.matcher.Match(view, outcome_);

  const accumulate::Ordinal ordinal = next_ordinal_++;
  const TimePoint capture =
      predictions.capture_time == TimePoint{} ? labels.capture_time : predictions.capture_time;
  Segment& segment = cut_->SegmentAt(FloorDivide(ToUnixNanos(now), quantum_.count()));
  for (const GroupId group : route.groups) {
    AddFrame(segment, group, *evaluation.params, evaluation.shape, outcome_, ordinal, capture,
             config_.ring_capacity);
    GroupDelta& delta = segment.Group(group);
    if (labels.partial) {
      for (const ClassId class_id : examined_classes) {
        delta.Cell(class_id, evaluation.shape).counts.AddTally(evaluation.shape.Frames(), 1);
      }
    } else {
      delta.CountFrame(judged.set);
    }
  }
  ModelDelta& delta = routes_.Delta(*route.model, *cut_);
  ++delta.judged;
  delta.last_label = now;
  ++cut_->counters.judged_frames;
  cut_->counters.label_delay.Observe(kLabelDelayEdges, ToSeconds(joined.label_delay));
}

}  // namespace detwatch::pipeline
