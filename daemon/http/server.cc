#include "daemon/http/server.h"

#include <microhttpd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <system_error>
#include <thread>

#include "daemon/http/address.h"
#include "daemon/http/gzip.h"
#include "lib/core/mutex.h"

namespace detwatch::http {
namespace {

constexpr std::size_t kCompressFrom = 1024;  // below, the headers weigh more than the gain
using Clock = Connections::Clock;

struct ResponseDeleter {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponsePtr = std::unique_ptr<MHD_Response, ResponseDeleter>;

// libmicrohttpd keeps the body until it is sent, which can be long after the handler returned.
ResponsePtr MakeResponse(std::shared_ptr<const std::string> body) {
  auto held = std::make_unique<std::shared_ptr<const std::string>>(std::move(body));
  const std::string& text = **held;
  ResponsePtr response(MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), const_cast<char*>(text.data()),
      [](void* cls) { delete static_cast<std::shared_ptr<const std::string>*>(cls); }, held.get()));
  if (response != nullptr) {
    (void)held.release();
  }
  return response;
}

std::string_view Header(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

bool HasBody(MHD_Connection* connection) {
  const std::string_view length = Header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
  return (!length.empty() && length != "0") || !Header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty();
}

}  // namespace

class Server::Impl {
 public:
  Impl(const Options& options, const Routes& routes) : connections_(options.connections) {
    for (const auto& [path, handler] : routes) {
      routes_[path].handler = handler;
    }
  }

  ~Impl() {
    if (daemon_ != nullptr) {
      MHD_stop_daemon(daemon_);
    }
  }

  Result<void> Start(const Options& options);
  [[nodiscard]] const std::string& bound() const { return bound_; }
  [[nodiscard]] Counters counters() const {
    const MutexLock lock(mutex_);
    return {requests_by_code_, connections_.counts()};
  }

 private:
  struct Route {
    Handler handler;
    GzipCache gzip;
  };

  // What libmicrohttpd calls back; `self` is the Impl.
  static void OnConnection(void* self, MHD_Connection* connection, void** entry,
                           MHD_ConnectionNotificationCode code);
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path, const char* method,
                              const char* version, const char* upload, std::size_t* upload_size,
                              void** entry);
  static void OnAnswered(void* self, MHD_Connection* connection, void** entry,
                         MHD_RequestTerminationCode code);

  MHD_Result Answer(MHD_Connection* connection, std::string_view method, std::string_view path);
  // Refuses before any body is read, and closes: what follows must not be taken for a request.
  MHD_Result Refuse(MHD_Connection* connection, int status, std::string text);
  MHD_Result Send(MHD_Connection* connection, const Response& response, GzipCache* gzip, bool close);
  [[nodiscard]] Response NotFound(std::string_view path) const;
  void EndOverdueUntil(const std::stop_token& stop);

  // Constant after Start.
  std::map<std::string, Route, std::less<>> routes_;
  std::string bound_;
  MHD_Daemon* daemon_ = nullptr;

  Connections connections_;
  mutable Mutex mutex_;
  std::map<int, std::uint64_t> requests_by_code_ DETWATCH_GUARDED_BY(mutex_);
  Mutex sleep_mutex_;
  CondVar sleep_;
  std::jthread reaper_;  // last: ends before what it uses
};

Result<void> Server::Impl::Start(const Options& options) {
  Result<Socket> socket = Listen(options.listen_address);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  bound_ = BoundAddress(*socket);
  const unsigned threads = std::clamp(options.threads, 1U, 64U);
  // Connections keeps the limit. The library's, which it divides among its threads and meets by no longer
  // accepting, only bounds what has been told to go and is not yet closed.
  const auto most =
      static_cast<unsigned>(std::min<std::size_t>(options.connections.total + 64, 1'000'000) * threads);
  std::vector<MHD_OptionItem> items = {
      {MHD_OPTION_LISTEN_SOCKET, socket->fd(), nullptr},
      {MHD_OPTION_CONNECTION_LIMIT, static_cast<std::intptr_t>(most), nullptr},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<std::intptr_t>(options.memory_per_connection),
       nullptr},
      {MHD_OPTION_NOTIFY_CONNECTION, reinterpret_cast<std::intptr_t>(&OnConnection), this},
      {MHD_OPTION_NOTIFY_COMPLETED, reinterpret_cast<std::intptr_t>(&OnAnswered), this},
  };
  if (threads > 1) {
    items.push_back({MHD_OPTION_THREAD_POOL_SIZE, static_cast<std::intptr_t>(threads), nullptr});
  }
  items.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, &OnRequest, this,
                             MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return Fail("cannot serve on " + options.listen_address + ": " + std::generic_category().message(errno));
  }
  (void)socket->Release();  // closed by MHD_stop_daemon
  reaper_ = std::jthread([this](const std::stop_token& stop) { EndOverdueUntil(stop); });
  return {};
}

void Server::Impl::EndOverdueUntil(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Clock::time_point next = connections_.EndOverdue(Clock::now());
    std::unique_lock lock(sleep_mutex_);
    sleep_.wait_until(lock, stop, next, [] { return false; });
  }
}

void Server::Impl::OnConnection(void* self, MHD_Connection* connection, void** entry,
                                MHD_ConnectionNotificationCode code) {
  Connections& connections = static_cast<Impl*>(self)->connections_;
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    connections.Closed(static_cast<Connections::Entry*>(*entry));
    return;
  }
  const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  const auto* address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
  *entry = connections.Opened(fd, ClientKey(address), Clock::now());
}

void Server::Impl::OnAnswered(void* self, MHD_Connection* /*connection*/, void** entry,
                              MHD_RequestTerminationCode /*code*/) {
  if (*entry != nullptr) {
    static_cast<Impl*>(self)->connections_.Waiting(static_cast<Connections::Entry*>(*entry), Clock::now());
  }
}

MHD_Result Server::Impl::OnRequest(void* self, MHD_Connection* connection, const char* path,
                                   const char* method, const char* /*version*/, const char* /*upload*/,
                                   std::size_t* upload_size, void** entry) {
  Impl& impl = *static_cast<Impl*>(self);
  if (*entry == nullptr) {  // first call: the headers are complete
    auto* context = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    *entry = context;
    impl.connections_.Busy(static_cast<Connections::Entry*>(context), Clock::now());
    const bool known = std::strcmp(method, "GET") == 0 || std::strcmp(method, "HEAD") == 0;
    if (!known) {
      return impl.Refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
    }
    if (HasBody(connection)) {
      return impl.Refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE, "A request must not have a body here.\n");
    }
    return MHD_YES;
  }
  *upload_size = 0;
  return impl.Answer(connection, method, path);
}

MHD_Result Server::Impl::Answer(MHD_Connection* connection, std::string_view method, std::string_view path) {
  const auto route = routes_.find(path);
  if (route == routes_.end()) {
    return Send(connection, NotFound(path), nullptr, false);
  }
  Request request;
  request.method = method;
  request.path = path;
  MHD_get_connection_values(
      connection, MHD_GET_ARGUMENT_KIND,
      [](void* cls, MHD_ValueKind, const char* key, const char* value) {
        static_cast<Request*>(cls)->query.emplace_back(key, value == nullptr ? "" : value);
        return MHD_YES;
      },
      &request);
  Response response;
  try {
    response = route->second.handler(request);
  } catch (const std::exception& e) {  // must not cross C frames; the client and the counter see it
    response =
        Response(MHD_HTTP_INTERNAL_SERVER_ERROR, kText, std::string("internal error: ") + e.what() + "\n");
  }
  return Send(connection, response, &route->second.gzip, false);
}

MHD_Result Server::Impl::Refuse(MHD_Connection* connection, int status, std::string text) {
  return Send(connection, Response(status, kText, std::move(text)), nullptr, true);
}

Response Server::Impl::NotFound(std::string_view path) const {
  std::string text = "404: nothing at " + std::string(path.substr(0, 200)) + "\nThere is:\n";
  for (const auto& [known, route] : routes_) {
    text += "  " + known + "\n";
  }
  return {MHD_HTTP_NOT_FOUND, kText, std::move(text)};
}

MHD_Result Server::Impl::Send(MHD_Connection* connection, const Response& response, GzipCache* gzip,
                              bool close) {
  std::shared_ptr<const std::string> body = response.body;
  const bool large = body->size() > kCompressFrom;
  const bool compress =
      large && gzip != nullptr && AcceptsGzip(Header(connection, MHD_HTTP_HEADER_ACCEPT_ENCODING));
  if (compress) {
    body = gzip->Compressed(body);
  }
  const ResponsePtr answer = MakeResponse(std::move(body));
  if (answer == nullptr) {
    return MHD_NO;
  }
  const auto add = [&](const char* name, const char* value) {
    MHD_add_response_header(answer.get(), name, value);
  };
  add(MHD_HTTP_HEADER_CONTENT_TYPE, response.content_type.c_str());
  add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  add("X-Content-Type-Options", "nosniff");
  if (compress) {
    add(MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
  }
  if (large && gzip != nullptr) {
    add(MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  }
  if (response.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    add(MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  if (close) {
    add(MHD_HTTP_HEADER_CONNECTION, "close");
  }
  {
    const MutexLock lock(mutex_);
    ++requests_by_code_[response.status];
  }
  return MHD_queue_response(connection, static_cast<unsigned>(response.status), answer.get());
}

std::optional<std::string_view> Request::Query(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(), [&](const auto& p) { return p.first == name; });
  return found == query.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const Options& options, const Routes& routes) {
  auto impl = std::make_unique<Impl>(options, routes);
  if (Result<void> started = impl->Start(options); !started) {
    return tl::unexpected(started.error());
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::string& Server::bound() const {
  return impl_->bound();
}
Counters Server::counters() const {
  return impl_->counters();
}

}  // namespace detwatch::http
