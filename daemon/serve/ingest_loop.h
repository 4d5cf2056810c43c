#pragma once
// daemon/serve -- the ingest thread: sockets in, cuts out, acknowledgements back.
//
// It never waits for the state: once a second, or when a reliable publisher has used half its credit, it
// offers its cut if there is room and otherwise goes on adding to it. Acknowledgements follow when the state
// has absorbed a cut, one per publisher that advanced. Threads: constructed by main, Run() by one thread.
// Errors: an exception in Run is a bug and ends the process.

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/config/config.h"
#include "daemon/serve/handover.h"
#include "daemon/serve/log.h"
#include "daemon/serve/sockets.h"
#include "lib/pipeline/ingest.h"
#include "lib/window/clock.h"

namespace detwatch::serve {

// Who answers: the state the counts live in, and this run of the daemon.
struct Identity {
  std::string store_id;
  std::string boot_id;
};

class IngestLoop {
 public:
  IngestLoop(std::unique_ptr<Sockets> sockets, const config::Config& config, Identity identity,
             Handover& handover);

  // Until the handover says stop; then drains, hands over the last cut and acknowledges it.
  void Run();

 private:
  void Receive();
  void OnMessage(const Sockets::Message& message);
  void OfferCut(bool last);
  void Acknowledge();
  void Reply(const std::string& publisher, const pipeline::Reaction* reaction);
  void Reload(const config::Config& config);
  TimePoint ReadClock();

  std::unique_ptr<Sockets> sockets_;
  Identity identity_;
  Handover& handover_;
  std::size_t credit_bytes_;
  wire::WireLimits wire_limits_;
  pipeline::Ingest ingest_;
  window::Clock clock_;
  std::uint64_t holds_counted_ = 0;
  TimePoint now_;
  TimePoint next_cut_;
  std::unordered_map<std::string, std::size_t> unacknowledged_bytes_;  // by publisher, since the last cut
  bool cut_early_ = false;
  log::RateLimit reject_log_{10, std::chrono::seconds(10)};
};

}  // namespace detwatch::serve
