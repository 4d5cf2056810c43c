#pragma once
// lib/client -- the little of libzmq a publisher needs, with its traps closed: EINTR is tried again, linger
// is always set, and there are no ZMTP heartbeats, which abort or lose messages in libzmq 4.3.4 (TCP
// keepalive notices dead peers).
//
// Threads: a Socket belongs to one thread at a time. Errors: Result at the start; later a full socket is a
// value, and anything else (a bug) is an assert.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::client {

class Context {
 public:
  Context();
  ~Context() { Close(); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  // Waits until the sockets, which are closed by then, have lingered. Idempotent.
  void Close();
  [[nodiscard]] void* get() const { return context_; }

 private:
  void* context_;
};

class Socket {
 public:
  enum class Kind : std::uint8_t { kXpub, kDealer };
  struct Options {
    int send_high_water = 1000;  // messages
    bool monitored = false;      // NextEvent() tells of connections
  };

  [[nodiscard]] static Result<std::unique_ptr<Socket>> Connect(const Context& context, Kind kind,
                                                               const std::string& endpoint, Options options);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // False when the socket is full; then nothing was sent.
  [[nodiscard]] bool Send(std::string_view first, std::string_view second);
  // False when nothing is there. The first part of a message; other parts are thrown away.
  [[nodiscard]] bool Receive(std::string& bytes);
  enum class Event : std::uint8_t { kNone, kConnected, kDisconnected };
  [[nodiscard]] Event NextEvent();
  // Waits for a message, an event, a readable `wake_fd` (-1: none) or, if asked, room to send.
  void Wait(int wake_fd, bool for_room, int milliseconds);
  // How long what was sent may still be written after the destructor.
  void SetLinger(int milliseconds);

 private:
  Socket(void* socket, void* monitor) : socket_(socket), monitor_(monitor) {}
  void* socket_;
  void* monitor_;  // null: not monitored
};

}  // namespace detwatch::client
