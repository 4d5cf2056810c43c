#pragma once
// daemon/serve -- the ingest thread: sockets in, cuts out, acknowledgements back.
//
// It never waits for the state: once a checkpoint interval, or when a reliable publisher has used half its
// credit, it offers its cut if there is room and otherwise goes on adding to it. Acknowledgements follow when
// the state has absorbed a cut, one per publisher that advanced. Threads: constructed by main, Run() by one
// thread. Errors: an exception in Run is a bug and ends the process.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/config/config.h"
#include "daemon/serve/handover.h"
#include "daemon/serve/log.h"
#include "daemon/serve/sockets.h"
#include "daemon/serve/storage_health.h"
#include "lib/core/counters.h"
#include "lib/core/mutex.h"
#include "lib/pipeline/ingest.h"
#include "lib/window/clock.h"
#include "lib/wire/encode.h"

namespace detwatch::serve {

// Who answers: the state the counts live in, and this run of the daemon.
struct Identity {
  std::string store_id;
  std::string boot_id;
};

// How long ingest was held up by handing over a cut. Written by ingest, read by the web side.
class HandoverTimes {
 public:
  void Observe(Duration took) {
    const MutexLock lock(mutex_);
    counts_.Observe(kHandoverEdges, ToSeconds(took));
  }
  [[nodiscard]] HandoverCounts Get() const {
    const MutexLock lock(mutex_);
    return counts_;
  }

 private:
  mutable Mutex mutex_;
  HandoverCounts counts_ DETWATCH_GUARDED_BY(mutex_);
};

class IngestLoop {
 public:
  IngestLoop(std::unique_ptr<Sockets> sockets, const config::Config& config, Identity identity,
             const pipeline::Restored& restored, const StorageHealth& health, HandoverTimes& times,
             Handover& handover);

  // Until the handover says stop; then drains, hands over the last cut and acknowledges it.
  void Run();

 private:
  using Steady = std::chrono::steady_clock;
  void Receive();
  void OnMessage(const Sockets::Message& message);
  void OfferCut(bool last);
  void Acknowledge();
  void LogReject(const std::string& publisher, const std::string& reason, const std::string& detail);
  // The credit has changed: all publishers are told.
  void TellCredit();
  // Remembers what was refused until a reply has taken it along. One reply for each would fill the queue of a
  // publisher that sends much of it, and then acknowledgements would not get through either.
  void Refuse(const std::string& publisher, std::uint64_t epoch, RejectedItem item);
  void TellRefused();
  // An answer that settling found out.
  void TellLate(const pipeline::LateReject& late);
  // An answer to a message, or, without `reaction`, an acknowledgement; with what was refused since the last.
  void Reply(const std::string& publisher, const pipeline::Reaction* reaction);
  void Reload(const config::Config& config);
  // What every reply from now on says of limits.
  void Tell(const pipeline::PipelineConfig& config);
  // Brings now_ and steady_ up to date.
  void ReadClock();

  std::unique_ptr<Sockets> sockets_;
  Identity identity_;
  const StorageHealth& health_;
  HandoverTimes& times_;
  Handover& handover_;
  Duration checkpoint_;
  bool writable_ = true;  // as publishers were told
  std::size_t credit_bytes_;
  // As publishers are told.
  wire::WireLimits wire_limits_;
  wire::ToldLimits told_limits_;
  pipeline::Ingest ingest_;
  window::Clock clock_;
  std::uint64_t holds_counted_ = 0;
  std::uint64_t set_backs_counted_ = 0;
  TimePoint now_;              // what windows follow
  Steady::time_point steady_;  // what intervals follow, for the wall may be set
  Steady::time_point next_cut_;
  std::unordered_map<std::string, std::size_t> unacknowledged_bytes_;  // by publisher, since the last cut
  // By reliable publisher: what became of the labels of its run, as of the last checkpoint.
  std::unordered_map<std::string, std::pair<std::uint64_t, LabelTally>> labels_;
  // By reliable publisher and of its run: refused, and not told yet.
  std::unordered_map<std::string, std::pair<std::uint64_t, std::vector<RejectedItem>>> refused_;
  bool cut_early_ = false;
  log::RateLimit reject_log_{10, std::chrono::seconds(10)};
};

}  // namespace detwatch::serve
