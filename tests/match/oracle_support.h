#pragma once
// The slow, obvious matcher: the reference evaluators' nested loops, one class, area range and threshold at a
// time, written from their sources and sharing nothing with lib/match. Read it beside pycocotools'
// evaluateImg and the devkit's VOCevaldet.m.

#include <string>
#include <vector>

#include "lib/core/outcome.h"

namespace detwatch::match {

// A frame that owns its columns, and can be built one box at a time.
struct Frame {
  std::vector<Box> detection_boxes;
  std::vector<float> scores;
  std::vector<ClassId> detection_classes;
  std::vector<Box> ground_truth_boxes;
  std::vector<double> ground_truth_areas;
  std::vector<ClassId> ground_truth_classes;
  std::vector<std::uint8_t> crowd;
  std::vector<std::uint8_t> difficult;

  void Detect(const Box& box, float score, std::uint32_t class_id = 0);
  // A negative area stands for width x height.
  void Truth(const Box& box, std::uint32_t class_id = 0, double area = -1);
  void Crowd(const Box& box, std::uint32_t class_id = 0, double area = -1);
  void Difficult(const Box& box, std::uint32_t class_id = 0);
  [[nodiscard]] FrameView view() const;
};

[[nodiscard]] FrameOutcome OracleOutcome(const EvaluationParams& params, const Frame& frame);

// The first difference between two outcomes in words, empty when there is none.
[[nodiscard]] std::string Difference(const FrameOutcome& actual, const FrameOutcome& expected);

// COCO's ten thresholds and four areas under VOC's rule: not usual, but defined.
[[nodiscard]] EvaluationParams VocWithCocoGrid(bool inclusive_pixels);

}  // namespace detwatch::match
