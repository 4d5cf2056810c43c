#include "daemon/serve/web.h"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "daemon/serve/process_info.h"
#include "daemon/version.h"
#include "daemon/web/assets.h"
#include "lib/window/clock.h"

namespace detwatch::serve {
namespace {

// Not a reason to be unready: frames are judged, and everything but the edges of windows is as ever.
std::string ClockNote(Duration wall_ahead) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wall_ahead).count();
  if (std::chrono::abs(wall_ahead) <= window::Clock::kTolerance) {  // being put right by small steps
    return {};
  }
  return "; note: the wall clock is " + std::to_string(std::abs(seconds)) + " s " +
         (seconds < 0 ? "behind" : "ahead of") +
         " the time that windows follow, which goes on at its own pace";
}

}  // namespace

Web::Web(const config::Config& config, const Published& published, const StorageHealth& storage,
         const HandoverTimes& handover, std::vector<std::string> subscribe_endpoints,
         std::vector<std::string> reliable_endpoints)
    : published_(published),
      storage_(storage),
      handover_(handover),
      subscribe_endpoints_(std::move(subscribe_endpoints)),
      reliable_endpoints_(std::move(reliable_endpoints)),
      collector_([this] { return published_.Get(); }, [this] { return DescribeProcess(); },
                 {config.limits.series, config.fleet.bins}) {
  options_.listen_address = config.web.listen_address;
  options_.connections.total = config.web.max_connections;
  options_.connections.per_client = config.web.max_connections_per_ip;
  options_.connections.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.web.timeout);
}

Result<void> Web::Start() {
  auto server = http::Server::Start(options_, MakeRoutes());
  if (!server) {
    return tl::unexpected(server.error());
  }
  server_ = std::move(*server);
  return {};
}

void Web::SetReload(bool successful, double unix_seconds) {
  reload_successful_ = successful;
  if (successful) {
    reload_seconds_ = unix_seconds;
  }
}

void Web::Reload(const config::Config& config) {
  collector_.SetOptions({config.limits.series, config.fleet.bins});
}

expose::Process Web::DescribeProcess() const {
  expose::Process process;
  process.version = kVersion;
  process.revision = kRevision;
  process.subscribe_endpoints = subscribe_endpoints_;
  process.reliable_endpoints = reliable_endpoints_;
  const StorageHealth::Facts storage = storage_.Get();
  process.ready = ready_ && published_.Get() != nullptr && storage.writable;
  process.handover = handover_.Get();
  process.store_id = storage.durable ? storage.store_id : std::string();
  process.storage_writable = storage.writable;
  process.storage_trouble = storage.trouble;
  process.storage_bytes = static_cast<double>(storage.disk_bytes);
  if (storage.durable) {
    process.checkpoints = storage.checkpoints;
    process.checkpoint_failures = storage.failures;
    process.checkpoint_timestamp_seconds = storage.last_unix_seconds;
    process.checkpoint_seconds = storage.last_seconds;
  }
  process.config_reload_successful = reload_successful_;
  process.config_reload_timestamp_seconds = reload_seconds_;
  ReadProcess(process);
  if (server_ != nullptr) {
    const http::Counters counters = server_->counters();
    for (const auto& [code, requests] : counters.requests_by_code) {
      (code < 400 ? process.http_requests_ok : process.http_requests_failed) += requests;
    }
    process.http_connections_refused = counters.connections.refused;
  }
  return process;
}

http::Routes Web::MakeRoutes() {
  http::Routes routes;
  routes["/metrics"] = [this](const http::Request&) {
    return http::Response(200, expose::kTextContentType, collector_.Text());
  };
  routes["/api/v1/summary"] = [this](const http::Request&) {
    const auto snapshot = published_.Get();
    return http::Response(200, http::kJson, expose::SummaryJson(snapshot.get(), DescribeProcess()));
  };
  routes["/-/healthy"] = [](const http::Request&) { return http::Response(200, http::kText, "healthy\n"); };
  routes["/-/ready"] = [this](const http::Request&) {
    const StorageHealth::Facts storage = storage_.Get();
    if (!ready_) {
      return http::Response(503, http::kText, "not ready: starting or stopping\n");
    }
    const auto snapshot = published_.Get();
    if (snapshot == nullptr) {
      return http::Response(503, http::kText, "not ready: the numbers are being read from the store\n");
    }
    if (!storage.writable) {
      return http::Response(
          503, http::kText,
          "not ready: the storage cannot be written, so nothing is acknowledged; counting goes on in "
          "memory: " +
              storage.trouble + "\n");
    }
    return http::Response(200, http::kText, "ready" + ClockNote(snapshot->wall_ahead) + "\n");
  };
  routes["/"] = [](const http::Request&) {
    return http::Response(200, http::kHtml, std::string(web::IndexHtml()));
  };
  return routes;
}

}  // namespace detwatch::serve
