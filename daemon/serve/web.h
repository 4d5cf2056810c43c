#pragma once
// daemon/serve -- what the HTTP server answers: /metrics, /api/v1/summary, /-/healthy, /-/ready and /.
//
// Handlers read the last published snapshot and nothing else, so a scrape never touches ingest. Text and JSON
// are made once per snapshot and shared by all who ask for it.
// Threads: handlers run on the server's pool.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/http/server.h"
#include "daemon/serve/handover.h"
#include "daemon/serve/ingest_loop.h"
#include "daemon/serve/storage_health.h"
#include "lib/expose/expose.h"

namespace detwatch::serve {

class Web {
 public:
  // The endpoints are shown to whoever wants to publish.
  Web(const config::Config& config, const Published& published, const StorageHealth& storage,
      const HandoverTimes& handover, std::vector<std::string> subscribe_endpoints,
      std::vector<std::string> reliable_endpoints);

  // Listens when it returns.
  [[nodiscard]] Result<void> Start();
  [[nodiscard]] const std::string& bound() const { return server_->bound(); }
  void SetReady(bool ready) { ready_ = ready; }
  void SetReload(bool successful, double unix_seconds);
  // Takes over what a reload may change of the exposition.
  void Reload(const config::Config& config);

 private:
  [[nodiscard]] http::Routes MakeRoutes();
  [[nodiscard]] expose::Process DescribeProcess() const;

  http::Options options_;
  const Published& published_;
  const StorageHealth& storage_;
  const HandoverTimes& handover_;
  std::vector<std::string> subscribe_endpoints_;
  std::vector<std::string> reliable_endpoints_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> reload_successful_{true};
  std::atomic<double> reload_seconds_{0};
  expose::Collector collector_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace detwatch::serve
