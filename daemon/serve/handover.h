#pragma once
// daemon/serve -- where ingest and state meet: one cut at a time one way, acknowledgements the other.
//
// There is room for one cut. While the state is busy with the last one ingest keeps adding to its own, so a
// slow state makes the next cut larger and never makes ingest wait. What ingest has to react to
// (an absorbed cut, a reload, a stop) makes wake_fd() readable.
// Threads: methods say whose they are; all state is under one mutex.

#include <memory>
#include <optional>
#include <vector>

#include "daemon/config/config.h"
#include "lib/core/mutex.h"
#include "lib/delivery/sequence.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/state.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::serve {

// A cut that is durable now.
struct Durable {
  pipeline::Absorbed absorbed;
  std::vector<pipeline::State::Tally> labels;  // of publishers whose labels were settled
};

class Handover {
 public:
  Handover();
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // Ingest.
  [[nodiscard]] bool HasRoom();
  // Requires: HasRoom() was true, or `last`, which waits for room. After the last cut nothing is offered.
  void Offer(std::unique_ptr<pipeline::Cut> cut, bool last);
  [[nodiscard]] std::vector<Durable> TakeDurable();
  [[nodiscard]] std::optional<config::Config> TakeReload();
  [[nodiscard]] bool StopAsked();
  [[nodiscard]] int wake_fd() const { return wake_fd_; }
  void ClearWake() const;
  // After Offer(..., last): returns when the state has absorbed it, or has failed.
  void WaitUntilDrained();

  // State. Blocks for the next cut; null when there will be no more.
  [[nodiscard]] std::unique_ptr<pipeline::Cut> Wait();
  // The next cut when it is there within `timeout`; else null.
  [[nodiscard]] std::unique_ptr<pipeline::Cut> WaitFor(Duration timeout);
  // True when the last cut was handed out, or nobody will hand out more.
  [[nodiscard]] bool Ended();
  void Post(Durable durable);
  // Something that publishers have to be told changed.
  void Nudge() const { Wake(); }

  // Main.
  void AskStop();
  void Reload(config::Config config);
  // A thread has died: nobody waits for it any longer.
  void Abandon();

 private:
  void Wake() const;

  const int wake_fd_;
  Mutex mutex_;
  CondVar changed_;
  std::unique_ptr<pipeline::Cut> cut_ DETWATCH_GUARDED_BY(mutex_);
  bool last_offered_ DETWATCH_GUARDED_BY(mutex_) = false;
  bool busy_ DETWATCH_GUARDED_BY(mutex_) = false;  // the state works on a cut
  bool abandoned_ DETWATCH_GUARDED_BY(mutex_) = false;
  bool stop_ DETWATCH_GUARDED_BY(mutex_) = false;
  std::vector<Durable> durable_ DETWATCH_GUARDED_BY(mutex_);
  std::optional<config::Config> reload_ DETWATCH_GUARDED_BY(mutex_);
};

// The last snapshot, for any thread. Under a mutex: ThreadSanitizer reports std::atomic<shared_ptr>.
class Published {
 public:
  void Set(std::shared_ptr<const snapshot::Snapshot> snapshot);
  [[nodiscard]] std::shared_ptr<const snapshot::Snapshot> Get() const;

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const snapshot::Snapshot> snapshot_ DETWATCH_GUARDED_BY(mutex_);
};

}  // namespace detwatch::serve
