#include "lib/client/socket.h"

#include <zmq.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace detwatch::client {
namespace {

bool Set(void* socket, int option, int value) {
  return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

bool SetAll(void* socket, Socket::Kind kind, const Socket::Options& options) {
  bool good = Set(socket, ZMQ_LINGER, 0) && Set(socket, ZMQ_TCP_KEEPALIVE, 1) &&
              Set(socket, ZMQ_TCP_KEEPALIVE_IDLE, 10) && Set(socket, ZMQ_TCP_KEEPALIVE_INTVL, 5) &&
              Set(socket, ZMQ_TCP_KEEPALIVE_CNT, 3) && Set(socket, ZMQ_RECONNECT_IVL, 100) &&
              Set(socket, ZMQ_RECONNECT_IVL_MAX, 5000) && Set(socket, ZMQ_IPV6, 1) &&
              Set(socket, ZMQ_SNDHWM, options.send_high_water);
  if (kind == Socket::Kind::kXpub) {
    // A full socket says so in place of dropping silently; every subscription is told, also after a
    // reconnect.
    good = good && Set(socket, ZMQ_XPUB_NODROP, 1) && Set(socket, ZMQ_XPUB_VERBOSE, 1);
  }
  return good;
}

void* OpenMonitor(void* context, void* socket) {
  static std::atomic<std::uint64_t> serial{0};
  const std::string endpoint = "inproc://detwatch-monitor-" + std::to_string(serial++);
  if (zmq_socket_monitor(socket, endpoint.c_str(), ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) !=
      0) {
    return nullptr;
  }
  void* monitor = zmq_socket(context, ZMQ_PAIR);
  if (monitor != nullptr && (!Set(monitor, ZMQ_LINGER, 0) || zmq_connect(monitor, endpoint.c_str()) != 0)) {
    zmq_close(monitor);
    monitor = nullptr;
  }
  return monitor;
}

// Calls until it is not interrupted.
template <class Call>
int Retry(Call call) {
  int result = call();
  while (result < 0 && zmq_errno() == EINTR) {
    result = call();
  }
  return result;
}

class Part {
 public:
  Part() { zmq_msg_init(&message_); }
  ~Part() { zmq_msg_close(&message_); }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  bool Receive(void* socket) {
    return Retry([&] { return zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT); }) >= 0;
  }
  bool more() { return zmq_msg_more(&message_) != 0; }
  std::string_view bytes() {
    return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  zmq_msg_t message_{};
};

}  // namespace

Context::Context() : context_(zmq_ctx_new()) {}

void Context::Close() {
  if (void* context = std::exchange(context_, nullptr)) {
    Retry([&] { return zmq_ctx_term(context); });
  }
}

Result<std::unique_ptr<Socket>> Socket::Connect(const Context& context, Kind kind,
                                                const std::string& endpoint, Options options) {
  const auto fail = [&](void* socket) {
    const std::string why = zmq_strerror(zmq_errno());
    if (socket != nullptr) {
      zmq_close(socket);
    }
    return Fail("endpoint: \"" + endpoint + "\": " + why);
  };
  void* socket = zmq_socket(context.get(), kind == Kind::kXpub ? ZMQ_XPUB : ZMQ_DEALER);
  if (socket == nullptr || !SetAll(socket, kind, options)) {
    return fail(socket);
  }
  // Before connect, so that no event is missed.
  void* monitor = options.monitored ? OpenMonitor(context.get(), socket) : nullptr;
  if (options.monitored && monitor == nullptr) {
    return fail(socket);
  }
  std::unique_ptr<Socket> made(new Socket(socket, monitor));
  if (zmq_connect(socket, endpoint.c_str()) != 0) {
    return fail(nullptr);
  }
  return made;
}

Socket::~Socket() {
  if (monitor_ != nullptr) {
    zmq_socket_monitor(socket_, nullptr, 0);
    zmq_close(monitor_);
  }
  zmq_close(socket_);
}

bool Socket::Send(std::string_view first, std::string_view second) {
  if (Retry([&] { return zmq_send(socket_, first.data(), first.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT); }) < 0) {
    assert(zmq_errno() == EAGAIN);
    return false;
  }
  // A message counts once towards the high-water mark, so what took the first part takes the second.
  const int sent = Retry([&] { return zmq_send(socket_, second.data(), second.size(), ZMQ_DONTWAIT); });
  assert(sent >= 0);
  return sent >= 0;
}

bool Socket::Receive(std::string& bytes) {
  Part part;
  if (!part.Receive(socket_)) {
    return false;
  }
  bytes = part.bytes();
  while (part.more() && part.Receive(socket_)) {
  }
  return true;
}

Socket::Event Socket::NextEvent() {
  Part part;
  if (monitor_ == nullptr || !part.Receive(monitor_)) {
    return Event::kNone;
  }
  std::uint16_t event = 0;
  std::memcpy(&event, part.bytes().data(), sizeof event);
  while (part.more() && part.Receive(monitor_)) {
  }
  return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? Event::kConnected : Event::kDisconnected;
}

void Socket::Wait(int wake_fd, bool for_room, int milliseconds) {
  std::array<zmq_pollitem_t, 3> items{};
  int count = 0;
  items[count++] = {socket_, 0, static_cast<short>(ZMQ_POLLIN | (for_room ? ZMQ_POLLOUT : 0)), 0};
  if (monitor_ != nullptr) {
    items[count++] = {monitor_, 0, ZMQ_POLLIN, 0};
  }
  if (wake_fd >= 0) {
    items[count++] = {nullptr, wake_fd, ZMQ_POLLIN, 0};
  }
  // An interrupted wait is a short one; the caller looks again anyway.
  zmq_poll(items.data(), count, milliseconds);
}

void Socket::SetLinger(int milliseconds) {
  Set(socket_, ZMQ_LINGER, milliseconds);
}

}  // namespace detwatch::client
