#pragma once
// lib/match -- the door between measuring and assigning: a geometry measures pairs, the rules assign them.
//
// Why: boxes, rotated boxes, masks and keypoints differ in how alike two shapes are, and in nothing else. So
// a geometry is one type that says which pairs are alike and how much; score order, thresholds, area ranges,
// crowds and difficult ones are the business of the rules, which never see a shape.
//
// Laws (tests of the same name): AnyGeometryIsAssignedByTheSameRules, WhatAGeometryLeavesOutChangesNothing.
// Cost: none, calls are inlined; what is measured once for a class is measured in AddGroundTruth. Threads:
// one matcher's. Errors: none.

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace detwatch::match {

// Stands for whatever visitor a rule brings.
struct AnyVisitor {
  void operator()(std::size_t /*ground_truth*/, double /*similarity*/) const {}
};

// A similarity is 1 for shapes that are the same and 0 for those that have nothing in common, like IoU and
// OKS; a distance has to be turned into one. It is compared with EvaluationParams::iou_thresholds, where
// equality reaches.
template <class G>
concept Similarity = requires(G& geometry, const G& measured, std::uint32_t index, double least, bool crowd,
                              AnyVisitor visit) {
  // Of the frame's detection `index`, in the unit of the area ranges. Asked of each detection, in order.
  { measured.area(index) } -> std::same_as<double>;

  // Forgets the ground truths of the class before. Candidates below `least` need not be told of.
  geometry.StartClass(least);

  // The frame's ground truth `index` is of the class, and gets the next number there: 0, 1, 2 ... A `crowd`
  // is a region with any number of objects; similarity to it says how much of the detection lies inside. Only
  // COCO's rule knows crowds, so under VOC's there are none.
  geometry.AddGroundTruth(index, crowd);

  // Calls visit(number, similarity) for ground truths of the class that the frame's detection `index`
  // resembles: each at most once, by ascending number (ties go by it), and none left out that reaches
  // `least`. Those below it change nothing, so to leave nearly all of them out is what makes matching fast.
  measured.ForEachCandidate(index, visit);
};

}  // namespace detwatch::match
