#pragma once
// Judged frames for groups of cells, and a store that a restart finds again.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "lib/cells/group.h"
#include "lib/core/key_value.h"

namespace detwatch::cells {

class LastingKeyValue final : public MemoryKeyValue {
 public:
  [[nodiscard]] bool outlives_process() const override { return true; }
};

inline const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

// A judged frame with what it points to.
struct TestFrame {
  judge::JudgedClasses known;
  judge::JudgedFrame judged;
};

// Outcomes of `classes` of the known ones, at random; all of `known` were judged.
inline std::unique_ptr<TestFrame> MakeFrame(std::mt19937& random, const std::vector<ClassId>& known,
                                            const std::vector<ClassId>& classes) {
  auto frame = std::make_unique<TestFrame>();
  frame->known.classes = known;
  frame->known.set = judge::HashClassSet(known);
  frame->judged.known = &frame->known;
  for (const ClassId class_id : classes) {
    ClassOutcome& outcome = frame->judged.outcome.classes.emplace_back();
    outcome.class_id = class_id;
    outcome.first = static_cast<std::uint32_t>(frame->judged.outcome.detections.size());
    outcome.count = static_cast<std::uint32_t>(random() % 4);
    outcome.ground_truths = {static_cast<std::uint32_t>(1 + random() % 3), 1, 0, 0};
    for (std::uint32_t i = 0; i < outcome.count; ++i) {
      DetectionOutcome& detection = frame->judged.outcome.detections.emplace_back();
      detection.score = static_cast<float>(1000 - 250 * i - random() % 200) / 1000.0F;
      detection.index = i;
      detection.rank = i;
      detection.true_positive[0] = static_cast<IouMask>(i == 0 ? random() % 1024 : 0);
      detection.iou = detection.true_positive[0] != 0 ? 0.5F + detection.score / 2 : 0.0F;
    }
  }
  return frame;
}

// A group on a store, with one window of four panes of a minute.
struct GroupRig {
  GroupRig() { Start(); }
  void Start() {
    group = std::make_unique<Group>(GroupSpec{GroupId{3}, "default", {{"model", "yolo"}}, "yolo", params},
                                    layout, dictionary);
  }
  // One judged frame; `sign` and `correction` as in Contribute.
  void Count(const TestFrame& frame, accumulate::Ordinal ordinal, TimePoint at, int sign = 1,
             bool correction = false) {
    GroupChange change;
    Contribute(frame.judged, sign, {ordinal, at, correction}, {*params, fine, layout.ring_capacity}, change);
    dictionary.sets.try_emplace(static_cast<std::uint64_t>(frame.known.set), frame.known.classes);
    group->Apply(change, QuantumAt(at, layout.quantum), store);
  }
  [[nodiscard]] snapshot::Group Show() const { return group->Show({}, {0.5}); }
  // Reads what was written into a new group.
  void Restart(TimePoint taken) {
    group->Write(store);
    Start();
    const auto row = ParseGroup(store.Get(GroupKey(GroupId{3})).value_or(""));
    ASSERT_TRUE(row) << row.error().message;
    const auto read = group->Read(*row, taken, store);
    ASSERT_TRUE(read) << read.error().message;
  }

  std::shared_ptr<const EvaluationParams> params =
      std::make_shared<const EvaluationParams>(EvaluationParams::Coco());
  accumulate::Shape fine = accumulate::Shape::Fine(*params);
  GroupLayout layout{{{"4m", std::chrono::minutes(1), 4}}, std::chrono::minutes(1), 4096};
  Dictionary dictionary{std::vector<std::string>(6000, "class"), {}};
  LastingKeyValue store;
  std::unique_ptr<Group> group;
};

// Every number of every window and counter that is a count.
inline std::vector<std::int64_t> Numbers(const snapshot::Group& group) {
  std::vector<std::int64_t> numbers;
  const auto add = [&](const auto& operating, const snapshot::FrameOutcomes& frames) {
    for (const auto& at : operating[0]) {
      numbers.insert(numbers.end(), {at.true_positives, at.false_positives, at.false_negatives});
    }
    numbers.insert(numbers.end(), {frames[0].tp, frames[0].fp, frames[0].fn, frames[0].tn});
  };
  static const accumulate::ClassSummary kNone;
  static const snapshot::ClassCounters kNoCounters;
  for (const snapshot::Window& window : group.windows) {
    numbers.push_back(window.frames);
    for (std::size_t c = 0; c < window.classes.size(); ++c) {
      const accumulate::ClassSummary& one = window.classes[c] ? *window.classes[c] : kNone;
      add(one.operating, FramesOfClass(window, c));
      numbers.push_back(one.ground_truths[0]);
    }
  }
  for (std::size_t c = 0; c < group.counters.size(); ++c) {
    const snapshot::ClassCounters& one = group.counters[c] ? *group.counters[c] : kNoCounters;
    add(one.operating, FramesOfClass(group.counters, group.judged_frames, c));
  }
  for (const snapshot::IouQuantiles& quantiles : group.iou_quantiles) {
    for (const double iou : {quantiles.tenth, quantiles.median}) {
      numbers.push_back(std::isnan(iou) ? -1 : std::llround(iou * 1e9));
    }
  }
  for (std::size_t c = 0; c < group.retracted.size(); ++c) {
    const snapshot::ClassCounters& one = group.retracted[c] ? *group.retracted[c] : kNoCounters;
    add(one.operating, FramesOfClass(group.retracted, group.retracted_judged_frames, c));
  }
  return numbers;
}

}  // namespace detwatch::cells
