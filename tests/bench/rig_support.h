#pragma once
// Ingest, state and a store in one thread, as the daemon wires them, with what each part costs.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "lib/pipeline/ingest.h"
#include "lib/pipeline/state.h"
#include "lib/store/store.h"

namespace detwatch::bench {

// Seconds of processor time: of this thread, and of the process with RocksDB's threads.
[[nodiscard]] double ThreadSeconds();
[[nodiscard]] double ProcessSeconds();
[[nodiscard]] double WallSeconds();
// Resident memory in MiB, after what the allocator holds free was given back; and the most it ever was.
[[nodiscard]] double ResidentMiB();
[[nodiscard]] double PeakMiB();
void ForgetPeak();

// Seconds, but bytes. Processor time where it does not say wall.
struct Cost {
  double ingest = 0;
  double absorb = 0;
  double commit = 0;
  double commit_wall = 0;
  double take = 0;        // of a snapshot
  double background = 0;  // RocksDB's threads meanwhile
  double bytes = 0;       // given to the store
  [[nodiscard]] double state() const { return absorb + commit; }
  Cost& operator+=(const Cost& other);
};

enum class Durability : std::uint8_t { kMemory, kNoFsync, kFsync };

class Rig {
 public:
  // `folder` is emptied first; unused without a store.
  Rig(const pipeline::PipelineConfig& config, Durability durability, std::string folder,
      const std::string& class_list, TimePoint now);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  // From one reliable publisher. Ends the process when the message is rejected.
  void Send(const std::string& payload, TimePoint now);
  // What was sent since the last one becomes durable. `ingest` is not filled in.
  Cost Cut(TimePoint now, bool take = false);
  // Stops as after a kill, but for the lock, and starts again: seconds of wall-clock time.
  double Restart(TimePoint now);

  [[nodiscard]] const pipeline::State& state() const { return *state_; }
  [[nodiscard]] const store::Store* store() const { return store_.get(); }  // null: in memory
  [[nodiscard]] const snapshot::Snapshot& Snapshot(TimePoint now);

 private:
  void Open();
  [[nodiscard]] KeyValue& values() {
    return store_ == nullptr ? static_cast<KeyValue&>(memory_) : static_cast<KeyValue&>(*store_);
  }

  pipeline::PipelineConfig config_;
  Durability durability_;
  std::string folder_;
  MemoryKeyValue memory_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<pipeline::State> state_;
  std::unique_ptr<pipeline::Ingest> ingest_;
  std::shared_ptr<const snapshot::Snapshot> snapshot_;
  Header header_;
};

[[noreturn]] void Die(const std::string& message);

}  // namespace detwatch::bench
