#pragma once
// daemon/http -- listen addresses: "host:port", "[::1]:9977", ":9977" for every address of the machine.
//
// The socket is opened here rather than by the HTTP library, because only this way a failed bind says why.
// Laws: AFailedBindNamesTheAddressAndTheReason, EveryAddressMeansBothIpVersions. Threads: pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::http {

struct Address {
  std::string host;        // without brackets; empty: every address
  std::uint16_t port = 0;  // 0: any free port
};

[[nodiscard]] Result<Address> ParseAddress(std::string_view text);

// A file descriptor that is closed unless taken out.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int Release();

 private:
  int fd_ = -1;
};

// Bound, listening, not blocking. The error names `text` and the system's reason.
[[nodiscard]] Result<Socket> Listen(std::string_view text);
// "127.0.0.1:43121" or "[::1]:43121": where it really listens.
[[nodiscard]] std::string BoundAddress(const Socket& socket);

}  // namespace detwatch::http
