#pragma once
// One object that a model found, and labels of it, for tests of what becomes of labels.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "tests/pipeline/rig_support.h"

namespace detwatch::pipeline {

using test::At;
using test::OtherClasses;
using test::Rig;

inline constexpr double kStart = 1'700'000'000;

class CorrectionsTest : public ::testing::Test {
 protected:
  void Start(const PipelineConfig& config) {
    rig_ = std::make_unique<Rig>(config);
    rig_->Send(test::ThreeClasses(), At(kStart));
  }
  void SetUp() override { Start({}); }

  // One object of class 1, found; labels of a person, not final.
  Predictions Seen(const std::string& id, const std::string& model = "yolo") {
    Predictions predictions;
    predictions.frame = {"gate", id};
    predictions.model = {model, "1"};
    predictions.class_list = test::ThreeClasses().hash;
    predictions.boxes = {{10, 10, 50, 60}};
    predictions.scores = {0.9F};
    predictions.class_ids = {1};
    return predictions;
  }
  Labels Real(const std::string& id, std::uint32_t revision = 0, std::uint32_t class_id = 1) {
    Labels labels;
    labels.frame = {"gate", id};
    labels.class_list = test::ThreeClasses().hash;
    labels.boxes = {{10, 10, 50, 60}};
    labels.areas = {3000};
    labels.class_ids = {class_id};
    labels.source = LabelSource::kHuman;
    labels.revision = revision;
    return labels;
  }
  std::uint64_t Rejected(RejectReason reason, double now) {
    return rig_->Take(At(now))->counters.rejected[static_cast<std::size_t>(reason)][1];
  }
  LabelTally Tally(const std::string& publisher) {
    for (const State::Tally& tally : rig_->state->TakeTallies()) {
      tallies_[tally.publisher] = tally.labels;
    }
    return tallies_[publisher];
  }
  accumulate::OperatingCounts Counts(double now, const std::string& model = "yolo", std::size_t window = 0) {
    const auto snapshot = rig_->Take(At(now));
    for (const snapshot::Group& group : snapshot->views.at(0).groups) {
      if (group.labels.at(0).second == model) {
        return group.windows.at(window).mean.micro[0][0];
      }
    }
    return {};
  }

  std::unique_ptr<Rig> rig_;
  std::map<std::string, LabelTally> tallies_;
};

}  // namespace detwatch::pipeline
