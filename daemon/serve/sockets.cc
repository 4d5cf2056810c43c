#include "daemon/serve/sockets.h"

#include <zmq.h>

#include <array>
#include <cerrno>
#include <unordered_map>
#include <utility>

namespace detwatch::serve {
namespace {

constexpr int kLingerMs = 1000;  // on close: time for the last acknowledgements to leave

// A zmq_msg_t that is always initialised and always closed.
class Part {
 public:
  Part() { zmq_msg_init(&message_); }
  ~Part() { zmq_msg_close(&message_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  // False when nothing is there. EINTR is tried again.
  bool Receive(void* socket) {
    int rc = 0;
    do {
      rc = zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT);
    } while (rc < 0 && errno == EINTR);
    return rc >= 0;
  }
  [[nodiscard]] bool More() const { return zmq_msg_more(&message_) != 0; }
  [[nodiscard]] std::string_view View() {
    return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  zmq_msg_t message_{};
};

void Set(void* socket, int option, int value) {
  zmq_setsockopt(socket, option, &value, sizeof(value));
}

// A wildcard is spelled as ZeroMQ wants it: port 0 is `*`.
std::string ToZmq(std::string endpoint) {
  if (endpoint.starts_with("tcp://") && endpoint.ends_with(":0")) {
    endpoint.back() = '*';
  }
  return endpoint;
}

}  // namespace

struct Sockets::Impl {
  struct Socket {
    void* handle = nullptr;
    Transport transport = Transport::kSubscribe;
  };

  ~Impl() {
    for (const Socket& socket : sockets) {
      zmq_close(socket.handle);
    }
    zmq_ctx_term(context);
  }

  struct Peer {
    std::size_t socket = 0;
    std::string routing_id;
  };

  [[nodiscard]] bool Send(std::size_t to, std::string_view routing_id, const std::string& bytes) const {
    void* handle = sockets[to].handle;
    return zmq_send(handle, routing_id.data(), routing_id.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0 &&
           zmq_send(handle, bytes.data(), bytes.size(), ZMQ_DONTWAIT) >= 0;
  }

  void* context = zmq_ctx_new();
  std::vector<Socket> sockets;
  std::unordered_map<std::string, Peer> peers;  // by publisher
  std::size_t current_socket = 0;               // of the message being handled
  std::string_view current_routing_id;
};

Sockets::Sockets() : impl_(std::make_unique<Impl>()) {}
Sockets::~Sockets() = default;

Result<std::unique_ptr<Sockets>> Sockets::Bind(const config::Ingest& config) {
  std::unique_ptr<Sockets> sockets(new Sockets());
  Impl& impl = *sockets->impl_;
  const auto bind = [&](Transport transport, const std::vector<std::string>& endpoints,
                        std::vector<std::string>& bound) -> Result<void> {
    if (endpoints.empty()) {
      return {};
    }
    const bool reliable = transport == Transport::kReliable;
    void* handle = zmq_socket(impl.context, reliable ? ZMQ_ROUTER : ZMQ_SUB);
    if (handle == nullptr) {
      return Fail(std::string("cannot make a socket: ") + zmq_strerror(errno));
    }
    impl.sockets.push_back({handle, transport});
    Set(handle, ZMQ_LINGER, kLingerMs);
    Set(handle, ZMQ_RCVHWM,
        static_cast<int>(reliable ? config.reliable_high_water_mark : config.high_water_mark));
    Set(handle, ZMQ_TCP_KEEPALIVE, 1);
    Set(handle, ZMQ_TCP_KEEPALIVE_IDLE, 30);
    const auto most = static_cast<std::int64_t>(4 * config.message_bytes);
    zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &most, sizeof(most));
    if (reliable) {
      Set(handle, ZMQ_SNDHWM, static_cast<int>(config.reliable_high_water_mark));
      Set(handle, ZMQ_ROUTER_MANDATORY, 1);  // a reply to a peer that is gone fails instead of vanishing
    } else {
      zmq_setsockopt(handle, ZMQ_SUBSCRIBE, "", 0);  // one prefix: more than 1000 are lost on reconnect
    }
    for (const std::string& endpoint : endpoints) {
      // Only where asked for: with it, IPv4 endpoints would be told as [::ffff:127.0.0.1].
      Set(handle, ZMQ_IPV6, endpoint.starts_with("tcp://[") ? 1 : 0);
      if (zmq_bind(handle, ToZmq(endpoint).c_str()) != 0) {
        return Fail("cannot bind " + endpoint + ": " + zmq_strerror(errno));
      }
      std::array<char, 1024> real{};
      std::size_t size = real.size();
      zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, real.data(), &size);
      bound.emplace_back(real.data());
    }
    return {};
  };
  auto done = bind(Transport::kSubscribe, config.subscribe, sockets->subscribe_endpoints_);
  if (done) {
    done = bind(Transport::kReliable, config.reliable, sockets->reliable_endpoints_);
  }
  if (!done) {
    return tl::unexpected(done.error());
  }
  return sockets;
}

bool Sockets::Wait(int wake_fd, int timeout_ms) {
  std::array<zmq_pollitem_t, 3> items{};
  int count = 0;
  items[static_cast<std::size_t>(count++)] = {nullptr, wake_fd, ZMQ_POLLIN, 0};
  for (const Impl::Socket& socket : impl_->sockets) {
    items[static_cast<std::size_t>(count++)] = {socket.handle, 0, ZMQ_POLLIN, 0};
  }
  // EINTR counts as time passed: the caller looks at the clock and waits again.
  return zmq_poll(items.data(), count, timeout_ms) > 0;
}

std::size_t Sockets::Receive(std::size_t most, const std::function<void(const Message&)>& handle) {
  std::size_t total = 0;
  for (std::size_t s = 0; s < impl_->sockets.size(); ++s) {
    const Impl::Socket& socket = impl_->sockets[s];
    const bool reliable = socket.transport == Transport::kReliable;
    for (std::size_t n = 0; n < most; ++n) {
      Part routing_id;
      Part header;
      Part payload;
      if (reliable && !routing_id.Receive(socket.handle)) {
        break;
      }
      const bool has_header = !reliable || routing_id.More();
      if (has_header && !header.Receive(socket.handle)) {
        break;
      }
      Message message;
      message.transport = socket.transport;
      message.header = header.View();
      message.bytes = message.header.size();
      bool more = has_header && header.More();
      if (more && payload.Receive(socket.handle)) {
        message.two_parts = true;
        message.payload = payload.View();
        message.bytes += message.payload.size();
        more = payload.More();
      }
      while (more) {  // parts nobody asked for
        Part extra;
        if (!extra.Receive(socket.handle)) {
          break;
        }
        message.two_parts = false;
        message.bytes += extra.View().size();
        more = extra.More();
      }
      impl_->current_socket = s;
      impl_->current_routing_id = reliable ? routing_id.View() : std::string_view{};
      handle(message);
      ++total;
    }
  }
  impl_->current_routing_id = {};
  return total;
}

void Sockets::Remember(const std::string& publisher) {
  Impl::Peer& peer = impl_->peers[publisher];
  if (peer.routing_id != impl_->current_routing_id) {
    peer.routing_id = impl_->current_routing_id;
  }
  peer.socket = impl_->current_socket;
}

Sockets::Sent Sockets::Reply(const std::string& publisher, const std::string& bytes) {
  const auto peer = impl_->peers.find(publisher);
  if (peer == impl_->peers.end()) {
    return Sent::kGone;
  }
  if (impl_->Send(peer->second.socket, peer->second.routing_id, bytes)) {
    return Sent::kYes;
  }
  return zmq_errno() == EAGAIN ? Sent::kLater : Sent::kGone;
}

void Sockets::Answer(const std::string& bytes) {
  (void)impl_->Send(impl_->current_socket, impl_->current_routing_id, bytes);
}

void Sockets::Forget(const std::string& publisher) {
  impl_->peers.erase(publisher);
}

std::vector<std::string> Sockets::Remembered() const {
  std::vector<std::string> names;
  names.reserve(impl_->peers.size());
  for (const auto& [name, peer] : impl_->peers) {
    names.push_back(name);
  }
  return names;
}

}  // namespace detwatch::serve
