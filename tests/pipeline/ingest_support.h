#pragma once
// An ingest, a state and a publisher, for tests of what messages do.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/pipeline/feed_support.h"

namespace detwatch::pipeline {

inline constexpr double kNow = 1'700'000'000;

class IngestTest : public ::testing::Test {
 protected:
  void Start(const PipelineConfig& config) {
    ingest_ = std::make_unique<Ingest>(config);
    store_ = std::make_unique<MemoryKeyValue>();
    state_ = std::make_unique<State>(config, *store_);
    feed_ = std::make_unique<test::Feed>(*ingest_);
  }
  void SetUp() override { Start({}); }

  std::shared_ptr<const snapshot::Snapshot> Take(double now = kNow) {
    test::Absorb(*ingest_, *state_, test::At(now));
    return test::Take(*state_, test::At(now));
  }
  std::uint64_t Rejected(const snapshot::Snapshot& snapshot, RejectReason reason) {
    const auto& by_transport = snapshot.counters.rejected[static_cast<std::size_t>(reason)];
    return by_transport[0] + by_transport[1];
  }
  std::uint64_t Frames(const snapshot::Snapshot& snapshot) {
    return snapshot.counters.frames[0] + snapshot.counters.frames[1];
  }
  // One frame with one object that was found.
  test::RandomFrame Frame(const std::string& id, const std::string& model = "yolo") {
    test::RandomFrame frame;
    frame.predictions.frame = frame.labels.frame = {"gate", id};
    frame.predictions.model = {model, "1"};
    frame.predictions.class_list = frame.labels.class_list = test::ThreeClasses().hash;
    frame.predictions.boxes = frame.labels.boxes = {{10, 10, 50, 60}};
    frame.labels.areas = {3000};
    frame.predictions.scores = {0.9F};
    frame.predictions.class_ids = frame.labels.class_ids = {1};
    return frame;
  }

  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<MemoryKeyValue> store_;
  std::unique_ptr<State> state_;
  std::unique_ptr<test::Feed> feed_;
};

}  // namespace detwatch::pipeline
