#include "daemon/serve/state_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace detwatch::serve {
namespace {

// A store whose disk is full while it is told so.
class FillableStore final : public KeyValue {
 public:
  [[nodiscard]] std::optional<std::string> Get(std::string_view key) const override {
    return values_.Get(key);
  }
  void Scan(std::string_view from, std::string_view to, const Visit& visit) const override {
    values_.Scan(from, to, visit);
  }
  void Put(std::string_view key, std::string_view value) override {
    values_.Put(key, value);
    pending_ += key.size() + value.size();
  }
  void Delete(std::string_view key) override { values_.Delete(key); }
  [[nodiscard]] Result<void> Commit() override {
    if (full) {
      ++refused;
      return Fail("no space left");
    }
    pending_ = 0;
    return {};
  }
  [[nodiscard]] bool outlives_process() const override { return true; }
  [[nodiscard]] std::size_t pending_bytes() const override { return pending_; }

  std::atomic<bool> full{false};
  std::atomic<int> refused{0};

 private:
  MemoryKeyValue values_;
  std::size_t pending_ = 0;
};

class StateLoopTest : public ::testing::Test {
 protected:
  std::unique_ptr<pipeline::Cut> MakeCut(bool last = false) {
    auto cut = std::make_unique<pipeline::Cut>();
    cut->number = ++number_;
    cut->last = last;
    cut->early = true;  // acknowledged at once
    cut->counters.judged_frames = 1;
    cut->gauges.publishers = number_;
    cut->marks.push_back({"camera", Transport::kReliable, 1, number_});
    return cut;
  }
  void Start() {
    worker_ = std::thread([this] { loop_.Run(); });
  }
  void Stop() {
    handover_.Offer(MakeCut(true), true);
    handover_.WaitUntilDrained();
    worker_.join();
  }
  // How far the publisher was acknowledged by now.
  std::uint64_t Acknowledged() {
    for (const Durable& durable : handover_.TakeDurable()) {
      acknowledged_ = durable.absorbed.marks.at(0).received;
    }
    return acknowledged_;
  }
  template <class Condition>
  void WaitFor(Condition condition) {
    while (!condition()) {
      std::this_thread::yield();
    }
  }

  FillableStore store_;
  pipeline::State state_{{}, store_};
  StorageHealth health_{true, "store"};
  Handover handover_;
  Published published_;
  StateLoop loop_{state_,
                  store_,
                  health_,
                  [] { return std::uint64_t{7}; },
                  handover_,
                  published_,
                  std::chrono::milliseconds(1)};
  std::thread worker_;
  std::uint64_t number_ = 0;
  std::uint64_t acknowledged_ = 0;
};

TEST_F(StateLoopTest, EveryCutIsAbsorbedAndShownBeforeItIsAcknowledged) {
  Start();
  for (int i = 0; i < 200; ++i) {
    auto cut = MakeCut();
    cut->early = false;
    handover_.Offer(std::move(cut), false);  // waits for room
    for (const Durable& durable : handover_.TakeDurable()) {
      acknowledged_ = durable.absorbed.marks.at(0).received;
      EXPECT_GE(published_.Get()->counters.judged_frames, acknowledged_);
    }
  }
  Stop();
  EXPECT_EQ(Acknowledged(), 201U);
  EXPECT_EQ(published_.Get()->counters.judged_frames, 201U);
}

TEST_F(StateLoopTest, WhatIsNotWrittenIsNeitherAcknowledgedNorCounted) {
  Start();
  handover_.Offer(MakeCut(), false);
  WaitFor([&] { return Acknowledged() == 1; });
  store_.full = true;
  handover_.Offer(MakeCut(), false);
  WaitFor([&] { return store_.refused > 0 && !health_.Writable(); });
  EXPECT_EQ(health_.Get().trouble, "no space left");
  handover_.Offer(MakeCut(), false);  // is absorbed all the same
  WaitFor([&] { return handover_.HasRoom(); });
  WaitFor([&] { return published_.Get()->gauges.publishers == 3; });
  EXPECT_EQ(Acknowledged(), 1U);
  EXPECT_EQ(published_.Get()->counters.judged_frames, 1U);
  store_.full = false;  // room: everything is made up for, without a further cut
  WaitFor([&] { return Acknowledged() == 3; });
  EXPECT_TRUE(health_.Writable());
  EXPECT_EQ(health_.Get().trouble, "");
  Stop();
  EXPECT_EQ(published_.Get()->counters.judged_frames, 4U);
}

TEST_F(StateLoopTest, AStopDoesNotWaitForADiskThatStaysFull) {
  Start();
  store_.full = true;
  Stop();
  EXPECT_EQ(Acknowledged(), 0U);
  EXPECT_GE(store_.refused, 1);
}

TEST_F(StateLoopTest, ACheckpointIsToldToWhoAsks) {
  Start();
  handover_.Offer(MakeCut(), false);
  WaitFor([&] { return Acknowledged() == 1; });
  const StorageHealth::Facts facts = health_.Get();
  EXPECT_EQ(facts.checkpoints, 1U);
  EXPECT_EQ(facts.failures, 0U);
  EXPECT_EQ(facts.disk_bytes, 7U);
  EXPECT_GT(facts.last_unix_seconds, 0);
  Stop();
}

}  // namespace
}  // namespace detwatch::serve
