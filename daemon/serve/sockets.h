#pragma once
// daemon/serve -- the two ways in: SUB sockets for fire and forget, ROUTER sockets for acknowledged delivery.
//
// libzmq's I/O thread and high-water marks are the bounded queue; there is none of our own. A message that is
// larger than the limit but not absurd reaches the decoder and is counted there; beyond four times the limit
// libzmq cuts the connection, so that memory stays bounded. Threads: one owner, the ingest thread;
// constructed by main before it starts. Errors: a failed bind is an Error that names the endpoint.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "lib/core/envelope.h"
#include "lib/core/result.h"

namespace detwatch::serve {

class Sockets {
 public:
  // One message: the parts after the routing id. Parts live for the call only.
  struct Message {
    Transport transport = Transport::kSubscribe;
    std::string_view header;
    std::string_view payload;
    bool two_parts = false;
    std::size_t bytes = 0;
  };

  [[nodiscard]] static Result<std::unique_ptr<Sockets>> Bind(const config::Ingest& config);
  ~Sockets();
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  // The endpoints as bound, with real ports: "tcp://127.0.0.1:40123".
  [[nodiscard]] const std::vector<std::string>& subscribe_endpoints() const { return subscribe_endpoints_; }
  [[nodiscard]] const std::vector<std::string>& reliable_endpoints() const { return reliable_endpoints_; }

  // Waits until a socket or `wake_fd` is readable, or for `timeout_ms`. False when only the time passed.
  bool Wait(int wake_fd, int timeout_ms);
  // Hands at most `most` messages of each socket to `handle`, without waiting. Returns how many there were.
  std::size_t Receive(std::size_t most, const std::function<void(const Message&)>& handle);
  // During `handle` of a reliable message only: remembers its connection under the publisher's name.
  void Remember(const std::string& publisher);
  // During `handle` of a reliable message only: sends to where it came from, remembered or not. A peer that
  // is gone or whose queue is full does not get it.
  void Answer(const std::string& bytes);
  // Sends to the publisher's last connection.
  enum class Sent : std::uint8_t {
    kYes,
    kLater,  // its queue is full; what is cumulative comes with the next reply
    kGone,
  };
  Sent Reply(const std::string& publisher, const std::string& bytes);
  void Forget(const std::string& publisher);
  [[nodiscard]] std::vector<std::string> Remembered() const;

 private:
  struct Impl;
  Sockets();
  std::unique_ptr<Impl> impl_;
  std::vector<std::string> subscribe_endpoints_;
  std::vector<std::string> reliable_endpoints_;
};

}  // namespace detwatch::serve
