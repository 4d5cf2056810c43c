#pragma once
// lib/judge -- two halves of a frame to outcomes: which classes are judged, and what matching says about
// them. Ingest and state each have one. Cost: matching, see lib/match. Threads: one owner.

#include <cstdint>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/outcome.h"
#include "lib/judge/class_lists.h"
#include "lib/match/matcher.h"

namespace detwatch::judge {

struct JudgedFrame {
  FrameOutcome outcome;
  const JudgedClasses* known = nullptr;  // classes that both lists have
  bool partial = false;
  std::vector<ClassId> examined;  // of `known`, when partial
  std::uint64_t unjudged_detections = 0;
  std::uint64_t unjudged_ground_truths = 0;

  // Classes of which the frame says something, true negatives included.
  [[nodiscard]] const std::vector<ClassId>& classes() const { return partial ? examined : known->classes; }
};

class Judge {
 public:
  // Requires: both class lists are announced in `classes`, and have all ids that are used.
  void Run(const Predictions& predictions, const Labels& labels, ClassLists& lists, match::Matcher& matcher,
           JudgedFrame& out);

 private:
  // Partial labels: only what was examined.
  void Examine(const Labels& labels, const ClassTable& ids, const JudgedClasses& judged, JudgedFrame& out);
  void TakeDetections(const Predictions& predictions, const ClassTable& ids, JudgedFrame& out);
  void TakeGroundTruths(const Labels& labels, const ClassTable& ids, JudgedFrame& out);
  [[nodiscard]] bool IsJudged(const JudgedFrame& frame, std::uint32_t class_index) const {
    return frame.known->Contains(class_index) && (!frame.partial || examined_[class_index] != 0);
  }

  struct Columns {
    std::vector<Box> boxes;
    std::vector<float> scores;
    std::vector<ClassId> classes;
    std::vector<double> areas;
    std::vector<std::uint8_t> crowd, difficult;
    void Clear();
  };
  Columns detections_;  // kept between frames for their capacity
  Columns ground_truths_;
  std::vector<std::uint8_t> examined_;  // by class index
};

}  // namespace detwatch::judge
