#include "tests/match/oracle_support.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>

namespace detwatch::match {
namespace {

// What one area range and one threshold say about a detection.
struct Verdict {
  int taken = -1;  // index into the class's ground truths
  bool true_positive = false;
  bool ignored = false;
  double iou = 0;
};

double OracleIou(const Box& dt, const Box& gt, bool crowd) {
  const double w = std::fmin(dt.w + dt.x, gt.w + gt.x) - std::fmax(dt.x, gt.x);
  const double h = std::fmin(dt.h + dt.y, gt.h + gt.y) - std::fmax(dt.y, gt.y);
  if (w <= 0 || h <= 0) {
    return 0;
  }
  const double i = w * h;
  const double u = crowd ? dt.w * dt.h : dt.w * dt.h + gt.w * gt.h - i;
  return i / u;
}

double OracleVocOverlap(const Box& dt, const Box& gt, double plus) {
  const double iw = std::fmin(dt.x + dt.w, gt.x + gt.w) - std::fmax(dt.x, gt.x) + plus;
  const double ih = std::fmin(dt.y + dt.h, gt.y + gt.h) - std::fmax(dt.y, gt.y) + plus;
  if (!(iw > 0 && ih > 0)) {
    return 0;
  }
  return iw * ih / ((dt.w + plus) * (dt.h + plus) + (gt.w + plus) * (gt.h + plus) - iw * ih);
}

bool Outside(double area, const AreaRange& range) {
  return area < range.lower || area > range.upper;
}

bool Flag(const std::vector<std::uint8_t>& column, std::size_t i) {
  return !column.empty() && column[i] != 0;
}

// evaluateImg of the reference COCO evaluator, for detections `dt` (in order, cut to max dets) and ground
// truths `gt`.
std::vector<Verdict> EvaluateCoco(const Frame& frame, const std::vector<std::size_t>& dt,
                                  const std::vector<std::size_t>& gt, const AreaRange& range,
                                  double threshold) {
  std::vector<char> gt_ignore(gt.size());
  for (std::size_t g = 0; g < gt.size(); ++g) {
    gt_ignore[g] = Flag(frame.crowd, gt[g]) || Outside(frame.ground_truth_areas[gt[g]], range) ? 1 : 0;
  }
  std::vector<std::size_t> order(gt.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return gt_ignore[a] < gt_ignore[b]; });
  std::vector<char> gt_matched(gt.size(), 0);
  std::vector<Verdict> verdicts(dt.size());
  for (std::size_t d = 0; d < dt.size(); ++d) {
    const Box& box = frame.detection_boxes[dt[d]];
    double best = std::min(threshold, 1 - 1e-10);
    int match = -1;
    for (const std::size_t g : order) {
      const bool crowd = Flag(frame.crowd, gt[g]);
      if (gt_matched[g] && !crowd) {
        continue;
      }
      if (match > -1 && !gt_ignore[static_cast<std::size_t>(match)] && gt_ignore[g]) {
        break;
      }
      const double iou = OracleIou(box, frame.ground_truth_boxes[gt[g]], crowd);
      if (iou < best) {
        continue;
      }
      best = iou;
      match = static_cast<int>(g);
    }
    Verdict& verdict = verdicts[d];
    verdict.taken = match;
    if (match > -1) {
      gt_matched[static_cast<std::size_t>(match)] = 1;
      verdict.ignored = gt_ignore[static_cast<std::size_t>(match)] != 0;
      verdict.true_positive = !verdict.ignored;
      verdict.iou = best;
    } else {
      verdict.ignored = Outside(box.w * box.h, range);
    }
  }
  return verdicts;
}

// VOCevaldet.m; a ground truth outside the area range is like a difficult one.
std::vector<Verdict> EvaluateVoc(const Frame& frame, const std::vector<std::size_t>& dt,
                                 const std::vector<std::size_t>& gt, const AreaRange& range, double threshold,
                                 bool inclusive_pixels) {
  std::vector<char> detected(gt.size(), 0);
  std::vector<Verdict> verdicts(dt.size());
  for (std::size_t d = 0; d < dt.size(); ++d) {
    const Box& box = frame.detection_boxes[dt[d]];
    double ovmax = -std::numeric_limits<double>::infinity();
    std::size_t jmax = 0;
    for (std::size_t g = 0; g < gt.size(); ++g) {
      const double ov = OracleVocOverlap(box, frame.ground_truth_boxes[gt[g]], inclusive_pixels ? 1 : 0);
      if (ov > ovmax) {
        ovmax = ov;
        jmax = g;
      }
    }
    Verdict& verdict = verdicts[d];
    if (ovmax >= threshold) {
      if (Flag(frame.difficult, gt[jmax]) || Outside(frame.ground_truth_areas[gt[jmax]], range)) {
        verdict = {static_cast<int>(jmax), false, true, ovmax};
        continue;
      }
      if (!detected[jmax]) {
        detected[jmax] = 1;
        verdict = {static_cast<int>(jmax), true, false, ovmax};
        continue;
      }
    }
    verdict.ignored = Outside(box.w * box.h, range);
  }
  return verdicts;
}

ClassOutcome JudgeClass(const EvaluationParams& params, const Frame& frame, ClassId class_id,
                        std::vector<DetectionOutcome>& detections) {
  const bool coco = params.matching_rule == MatchingRule::kCoco;
  std::vector<std::size_t> dt;
  std::vector<std::size_t> gt;
  for (std::size_t i = 0; i < frame.scores.size(); ++i) {
    if (frame.detection_classes[i] == class_id) {
      dt.push_back(i);
    }
  }
  for (std::size_t i = 0; i < frame.ground_truth_boxes.size(); ++i) {
    if (frame.ground_truth_classes[i] == class_id) {
      gt.push_back(i);
    }
  }
  std::stable_sort(dt.begin(), dt.end(),
                   [&](std::size_t a, std::size_t b) { return frame.scores[a] > frame.scores[b]; });
  if (dt.size() > params.max_dets.back()) {
    dt.resize(params.max_dets.back());
  }

  ClassOutcome out;
  out.class_id = class_id;
  out.first = static_cast<std::uint32_t>(detections.size());
  out.count = static_cast<std::uint32_t>(dt.size());
  for (std::size_t d = 0; d < dt.size(); ++d) {
    DetectionOutcome detection;
    detection.score = frame.scores[dt[d]];
    detection.index = static_cast<std::uint32_t>(dt[d]);
    detection.rank = static_cast<std::uint32_t>(d);
    detections.push_back(detection);
  }
  for (std::size_t a = 0; a < params.areas(); ++a) {
    const AreaRange& range = params.area_ranges[a];
    for (const std::size_t g : gt) {
      const bool ignored =
          Flag(coco ? frame.crowd : frame.difficult, g) || Outside(frame.ground_truth_areas[g], range);
      out.ground_truths[a] += ignored ? 0 : 1;
      out.ignored_ground_truths += ignored && a == 0 ? 1 : 0;
    }
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      const double threshold = params.iou_thresholds[t];
      const std::vector<Verdict> verdicts =
          coco ? EvaluateCoco(frame, dt, gt, range, threshold)
               : EvaluateVoc(frame, dt, gt, range, threshold, params.inclusive_pixels);
      for (std::size_t d = 0; d < dt.size(); ++d) {
        DetectionOutcome& detection = detections[out.first + d];
        detection.true_positive[a] |= static_cast<IouMask>(verdicts[d].true_positive << t);
        detection.ignored[a] |= static_cast<IouMask>(verdicts[d].ignored << t);
        if (a == 0 && t == params.HeadlineIou() && verdicts[d].true_positive) {
          detection.iou = static_cast<float>(verdicts[d].iou);
        }
      }
    }
  }
  return out;
}

}  // namespace

void Frame::Detect(const Box& box, float score, std::uint32_t class_id) {
  detection_boxes.push_back(box);
  scores.push_back(score);
  detection_classes.push_back(static_cast<ClassId>(class_id));
}

void Frame::Truth(const Box& box, std::uint32_t class_id, double area) {
  ground_truth_boxes.push_back(box);
  ground_truth_areas.push_back(area < 0 ? box.w * box.h : area);
  ground_truth_classes.push_back(static_cast<ClassId>(class_id));
  crowd.push_back(0);
  difficult.push_back(0);
}

void Frame::Crowd(const Box& box, std::uint32_t class_id, double area) {
  Truth(box, class_id, area);
  crowd.back() = 1;
}

void Frame::Difficult(const Box& box, std::uint32_t class_id) {
  Truth(box, class_id);
  difficult.back() = 1;
}

FrameView Frame::view() const {
  return {{scores, detection_classes, ground_truth_areas, ground_truth_classes, crowd, difficult},
          detection_boxes,
          ground_truth_boxes};
}

FrameOutcome OracleOutcome(const EvaluationParams& params, const Frame& frame) {
  std::set<ClassId> classes(frame.detection_classes.begin(), frame.detection_classes.end());
  classes.insert(frame.ground_truth_classes.begin(), frame.ground_truth_classes.end());
  FrameOutcome out;
  for (const ClassId class_id : classes) {
    out.classes.push_back(JudgeClass(params, frame, class_id, out.detections));
  }
  return out;
}

std::string Difference(const FrameOutcome& actual, const FrameOutcome& expected) {
  std::ostringstream text;
  if (actual.classes.size() != expected.classes.size() ||
      actual.detections.size() != expected.detections.size()) {
    text << actual.classes.size() << " classes and " << actual.detections.size() << " detections instead of "
         << expected.classes.size() << " and " << expected.detections.size();
    return text.str();
  }
  for (std::size_t i = 0; i < actual.classes.size(); ++i) {
    const ClassOutcome& a = actual.classes[i];
    const ClassOutcome& e = expected.classes[i];
    if (a.class_id != e.class_id || a.first != e.first || a.count != e.count ||
        a.ground_truths != e.ground_truths || a.ignored_ground_truths != e.ignored_ground_truths) {
      text << "class " << Index(e.class_id) << " (got " << Index(a.class_id) << "): its summary differs";
      return text.str();
    }
  }
  for (std::size_t i = 0; i < actual.detections.size(); ++i) {
    const DetectionOutcome& a = actual.detections[i];
    const DetectionOutcome& e = expected.detections[i];
    if (a.index != e.index || a.rank != e.rank || a.score != e.score || a.iou != e.iou) {
      text << "detection " << i << ": index " << a.index << ", rank " << a.rank << ", score " << a.score
           << ", IoU " << a.iou << " instead of " << e.index << ", " << e.rank << ", " << e.score << ", "
           << e.iou;
      return text.str();
    }
    for (std::size_t area = 0; area < kMaxAreaRanges; ++area) {
      if (a.true_positive[area] != e.true_positive[area] || a.ignored[area] != e.ignored[area]) {
        text << "detection " << i << ", area " << area << std::hex << ": true positive "
             << a.true_positive[area] << ", ignored " << a.ignored[area] << " instead of "
             << e.true_positive[area] << ", " << e.ignored[area];
        return text.str();
      }
    }
  }
  return {};
}

EvaluationParams VocWithCocoGrid(bool inclusive_pixels) {
  EvaluationParams params = EvaluationParams::Coco();
  params.matching_rule = MatchingRule::kVoc;
  params.inclusive_pixels = inclusive_pixels;
  return params;
}

}  // namespace detwatch::match
