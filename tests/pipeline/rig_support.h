#pragma once
// A pipeline on a store that can lose what was not committed, a script of messages and cuts to play to it,
// and a comparison of what comes out.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/pipeline/feed_support.h"

namespace detwatch::test {

// In memory. Crash() shows what the last commit left, as a disk would after the process has died.
class CrashingKeyValue final : public KeyValue {
 public:
  [[nodiscard]] std::optional<std::string> Get(std::string_view key) const override { return now_.Get(key); }
  void Scan(std::string_view from, std::string_view to, const Visit& visit) const override {
    now_.Scan(from, to, visit);
  }
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  [[nodiscard]] Result<void> Commit() override;
  [[nodiscard]] bool outlives_process() const override { return true; }
  [[nodiscard]] std::size_t pending_bytes() const override { return before_.size(); }
  void Crash();
  [[nodiscard]] std::size_t Count(std::string_view prefix) const;

 private:
  void Remember(std::string_view key);
  MemoryKeyValue now_;
  std::map<std::string, std::optional<std::string>, std::less<>> before_;  // of what changed since the commit
};

// One thing that happens.
struct Event {
  enum class Kind : std::uint8_t { kMessage, kCut, kTake };
  Kind kind = Kind::kMessage;
  TimePoint at;
  Transport transport = Transport::kReliable;
  std::string header;
  std::string payload;
  bool commit = true;  // after the cut
};

// Numbers messages of any number of publishers.
class Script {
 public:
  void Send(const std::string& publisher, const wire::Message& message, TimePoint at,
            Transport transport = Transport::kReliable);
  void Cut(TimePoint at, bool commit = true) {
    events.push_back({Event::Kind::kCut, at, Transport::kReliable, {}, {}, commit});
  }
  void Take(TimePoint at) { events.push_back({Event::Kind::kTake, at, Transport::kReliable, {}, {}, true}); }
  std::vector<Event> events;

 private:
  std::map<std::pair<std::string, Transport>, std::uint64_t> sequences_;
};

struct Rig {
  explicit Rig(pipeline::PipelineConfig with) : config(std::move(with)) { Start({}); }
  // A new process on what is durable.
  void Start(TimePoint now);
  void Crash(TimePoint now) {
    store.Crash();
    Start(now);
  }
  void Do(const Event& event);
  // The cut is kept for a look.
  pipeline::Cut& Cut(TimePoint now, bool commit = true);
  std::shared_ptr<const snapshot::Snapshot> Take(TimePoint now) { return test::Take(*state, now); }
  // Sends one message of a publisher, in order.
  pipeline::Reaction Send(const wire::Message& message, TimePoint now,
                          const std::string& publisher = "camera");

  pipeline::PipelineConfig config;
  CrashingKeyValue store;
  std::unique_ptr<pipeline::State> state;
  std::unique_ptr<pipeline::Ingest> ingest;
  std::unique_ptr<pipeline::Cut> cut;  // the last one
  pipeline::Absorbed absorbed;         // of it
  pipeline::Restored restored;
  std::vector<std::shared_ptr<const snapshot::Snapshot>> taken;  // by kTake events
  std::vector<pipeline::LateReject> late;                        // of all cuts since the start
  std::map<std::string, std::uint64_t> sequences;                // of Send()
};

// Plays the script; with `random`, the process dies after some events and goes on at the last commit, as if
// it had died then: what came later comes again at the same times. Returns how often it died.
int Play(const Script& script, Rig& rig, std::mt19937* random = nullptr);

// With the frames that are counted for all classes of a list added to each class.
[[nodiscard]] snapshot::Snapshot Whole(const snapshot::Snapshot& snapshot);

// All values of all windows, counters, models and gauges; sums of integers to the bit. Classes that only one
// knows, with nothing in them, are no difference.
struct Comparison {
  bool ap = true;       // also what comes from single detections
  bool totals = false;  // only windows named "total"
  bool net = false;     // counters less what was retracted, and none of the ingest counters
  bool gauges = true;
};
void ExpectSame(const snapshot::Snapshot& a, const snapshot::Snapshot& b, const Comparison& how = {});
// No exported counter of `later` is below that of `earlier`.
void ExpectNothingFell(const snapshot::Snapshot& earlier, const snapshot::Snapshot& later);
// No count is negative.
void ExpectSound(const snapshot::Snapshot& snapshot);

// As a label tool has them: other ids, and not quite the model's classes.
[[nodiscard]] ClassList OtherClasses();

}  // namespace detwatch::test
