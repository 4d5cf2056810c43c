#include "lib/judge/judge.h"

namespace detwatch::judge {

void Judge::Columns::Clear() {
  boxes.clear();
  scores.clear();
  classes.clear();
  areas.clear();
  crowd.clear();
  difficult.clear();
}

void Judge::Examine(const Labels& labels, const ClassTable& ids, const JudgedClasses& judged,
                    JudgedFrame& out) {
  out.examined.clear();
  if (!labels.partial) {
    return;
  }
  examined_.assign(judged.contains.size(), 0);
  for (const std::uint32_t id : labels.examined) {
    const std::uint32_t class_index = ids.Find(id);
    if (judged.Contains(class_index)) {
      examined_[class_index] = 1;
      out.examined.push_back(static_cast<ClassId>(class_index));
    }
  }
}

void Judge::TakeDetections(const Predictions& predictions, const ClassTable& ids, JudgedFrame& out) {
  detections_.Clear();
  out.unjudged_detections = 0;
  for (std::size_t i = 0; i < predictions.scores.size(); ++i) {
    const std::uint32_t class_index = ids.Find(predictions.class_ids[i]);
    if (!IsJudged(out, class_index)) {
      ++out.unjudged_detections;
      continue;
    }
    detections_.boxes.push_back(predictions.boxes[i]);
    detections_.scores.push_back(predictions.scores[i]);
    detections_.classes.push_back(static_cast<ClassId>(class_index));
  }
}

void Judge::TakeGroundTruths(const Labels& labels, const ClassTable& ids, JudgedFrame& out) {
  ground_truths_.Clear();
  out.unjudged_ground_truths = 0;
  for (std::size_t i = 0; i < labels.class_ids.size(); ++i) {
    const std::uint32_t class_index = ids.Find(labels.class_ids[i]);
    if (!IsJudged(out, class_index)) {
      ++out.unjudged_ground_truths;
      continue;
    }
    ground_truths_.boxes.push_back(labels.boxes[i]);
    ground_truths_.areas.push_back(labels.areas[i]);
    ground_truths_.classes.push_back(static_cast<ClassId>(class_index));
    ground_truths_.crowd.push_back(labels.crowd.empty() ? 0 : labels.crowd[i]);
    ground_truths_.difficult.push_back(labels.difficult.empty() ? 0 : labels.difficult[i]);
  }
}

void Judge::Run(const Predictions& predictions, const Labels& labels, ClassLists& lists,
                match::Matcher& matcher, JudgedFrame& out) {
  const JudgedClasses& judged = lists.Judged(predictions.class_list, labels.class_list);
  const ClassTable& label_ids = *lists.Find(labels.class_list);
  out.known = &judged;
  out.partial = labels.partial;
  Examine(labels, label_ids, judged, out);
  TakeDetections(predictions, *lists.Find(predictions.class_list), out);
  TakeGroundTruths(labels, label_ids, out);

  FrameView view;
  view.detection_boxes = detections_.boxes;
  view.scores = detections_.scores;
  view.detection_classes = detections_.classes;
  view.ground_truth_boxes = ground_truths_.boxes;
  view.ground_truth_areas = ground_truths_.areas;
  view.ground_truth_classes = ground_truths_.classes;
  view.crowd = ground_truths_.crowd;
  view.difficult = ground_truths_.difficult;
  matcher.Match(view, out.outcome);
}

}  // namespace detwatch::judge
