#pragma once
// daemon/serve -- the state thread: settles and absorbs cuts, makes them durable, publishes snapshots, tells
// ingest what to acknowledge.
//
// The order is the promise: nothing is acknowledged, and no counter shown, before the checkpoint that holds
// it is written. A checkpoint that cannot be written is tried again every second; meanwhile cuts are absorbed
// as long as what is unwritten stays within a budget, then they wait with ingest. A snapshot is made at most
// once a second and never for more than half of the time, so that a state with very many classes shows its
// numbers more rarely instead of falling behind. Threads: Run() by one thread.

#include <memory>
#include <vector>

#include "daemon/serve/handover.h"
#include "daemon/serve/storage_health.h"
#include "lib/core/key_value.h"
#include "lib/pipeline/state.h"

namespace detwatch::serve {

class StateLoop {
 public:
  // Bytes of the store that can be asked for, for a metric; 0 without one.
  using DiskBytes = std::function<std::uint64_t()>;
  // Requires: `state` puts into `store`.
  StateLoop(pipeline::State& state, KeyValue& store, StorageHealth& health, DiskBytes disk_bytes,
            Handover& handover, Published& published, Duration try_again = std::chrono::seconds(1));
  // Until the last cut.
  void Run();

 private:
  bool Commit(const pipeline::Cut* cut);
  void Show(bool durable);
  void Tell();

  pipeline::State& state_;
  KeyValue& store_;
  StorageHealth& health_;
  DiskBytes disk_bytes_;
  Handover& handover_;
  Published& published_;
  Duration try_again_;                               // a checkpoint that could not be written
  std::vector<Durable> untold_;                      // absorbed, but not durable or not shown yet
  std::shared_ptr<const snapshot::Snapshot> shown_;  // the last one that is durable
};

}  // namespace detwatch::serve
