#pragma once
// daemon/http -- the HTTP server: exact paths, GET and HEAD, nothing else.
//
// It knows nothing of metrics: the daemon registers a handler per path. It is meant to stay answerable for a
// scraper whatever else connects: connections, their number per client, their memory and their time are
// limited (connections.h), and a slow client costs a descriptor, not a thread.
//
// Laws: HundredsOfDrippingClientsDoNotDelayAGet, StopDoesNotWaitForIdleClients,
// HeadHasTheHeadersOfGetAndNoBody,
//   OtherMethodsGet405WithWhatIsAllowed, UnknownPathsGet404WithWhatThereIs.
// Threads: handlers run on the server's pool and must be thread-safe; a handler that waits holds up the
//   clients of its thread. counters() and bound() from anywhere.
// Errors: Start fails with the address and the reason. A handler that throws gives 500.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/http/connections.h"
#include "lib/core/result.h"

namespace detwatch::http {

inline constexpr std::string_view kText = "text/plain; charset=utf-8";
inline constexpr std::string_view kHtml = "text/html; charset=utf-8";
inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kMetrics = "text/plain; version=0.0.4; charset=utf-8";

struct Request {
  std::string_view method;  // "GET" or "HEAD"; a HEAD's body is not sent
  std::string_view path;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in their order

  // The first value of a query parameter.
  [[nodiscard]] std::optional<std::string_view> Query(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type{kText};
  // Never null. A handler that returns the same pointer again has its body compressed once.
  std::shared_ptr<const std::string> body = std::make_shared<const std::string>();

  Response() = default;
  Response(int code, std::string_view type, std::string text)
      : status(code), content_type(type), body(std::make_shared<const std::string>(std::move(text))) {}
  Response(int code, std::string_view type, std::shared_ptr<const std::string> shared)
      : status(code), content_type(type), body(std::move(shared)) {}
};

using Handler = std::function<Response(const Request&)>;
using Routes = std::map<std::string, Handler, std::less<>>;  // by exact path, "/metrics"

struct Options {
  std::string listen_address = "127.0.0.1:9977";
  Connections::Limits connections;
  std::size_t memory_per_connection = 32U << 10;  // a request's line and headers must fit
  unsigned threads = 2;                           // 1 to 64
};

struct Counters {
  std::map<int, std::uint64_t> requests_by_code;  // answered by handlers or by the server itself
  Connections::Counts connections;
};

class Server {
 public:
  // Listens when it returns. `routes` stay as they are.
  [[nodiscard]] static Result<std::unique_ptr<Server>> Start(const Options& options, const Routes& routes);
  // Ends every connection; returns when no handler runs any more.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:43121": the real port where 0 was asked for.
  [[nodiscard]] const std::string& bound() const;
  [[nodiscard]] Counters counters() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace detwatch::http
