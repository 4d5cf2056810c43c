#pragma once
// daemon/serve -- the state thread: absorbs cuts, publishes snapshots, tells ingest what is absorbed.
//
// A snapshot is made at most once a second and never for more than half of the time, so that a state with
// very many classes shows its numbers more rarely instead of falling behind. Threads: Run() by one thread.

#include "daemon/serve/handover.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/state.h"

namespace detwatch::serve {

class StateLoop {
 public:
  StateLoop(const pipeline::PipelineConfig& config, Handover& handover, Published& published);
  // Until the last cut.
  void Run();

 private:
  Handover& handover_;
  Published& published_;
  pipeline::State state_;
};

}  // namespace detwatch::serve
