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

void Judge::Run(const Predictions& predictions, const Labels& labels, ClassLists& lists,
                match::Matcher& matcher, JudgedFrame& out) {
  const JudgedClasses& judged = lists.Judged(predictions.class_list, labels.class_list);
  const ClassTable& prediction_ids = *lists.Find(predictions.class_list);
  const ClassTable& label_ids = *lists.Find(labels.class_list);
  out.known = &judged;
  out.partial = labels.partial;
  out.unjudged_detections = 0;
  out.unjudged_ground_truths = 0;

  // Partial labels: only what was examined.
  out.examined.clear();
  if (labels.partial) {
    examined_.assign(judged.contains.size(), 0);
    for (const std::uint32_t id : labels.examined) {
      const std::uint32_t class_index = label_ids.Find(id);
      if (judged.Contains(class_index)) {
        examined_[class_index] = 1;
        out.examined.push_back(static_cast<ClassId>(class_index));
      }
    }
  }
  const auto is_judged = [&](std::uint32_t class_index) {
    return judged.Contains(class_index) && (!labels.partial || examined_[class_index] != 0);
  };

  detections_.Clear();
  for (std::size_t i = 0; i < predictions.scores.size(); ++i) {
    const std::uint32_t class_index = prediction_ids.Find(predictions.class_ids[i]);
    if (!is_judged(class_index)) {
      ++out.unjudged_detections;
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
      ++out.unjudged_ground_truths;
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
  matcher.Match(view, out.outcome);
}

}  // namespace detwatch::judge
