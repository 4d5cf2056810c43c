#include "daemon/http/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

namespace detwatch::http {
namespace {

std::string SystemError(int error) {
  return std::generic_category().message(error);
}

struct AddrinfoDeleter {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddrinfoPtr = std::unique_ptr<addrinfo, AddrinfoDeleter>;

// Empty host: [::] for both IP versions at once, and 0.0.0.0 for kernels without IPv6.
Result<AddrinfoPtr> Resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                std::to_string(address.port).c_str(), &hints, &list);
  if (error != 0) {
    return Fail(gai_strerror(error));
  }
  return AddrinfoPtr(list);
}

Result<Socket> ListenOn(const addrinfo& where, bool both_versions) {
  Socket socket(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, where.ai_protocol));
  if (socket.fd() < 0) {
    return Fail(SystemError(errno));
  }
  const int on = 1;
  const int only_v6 = both_versions ? 0 : 1;
  // A restarted daemon must not wait for connections of the one before to time out.
  (void)setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.ai_family == AF_INET6) {
    (void)setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
  }
  if (bind(socket.fd(), where.ai_addr, where.ai_addrlen) != 0 || listen(socket.fd(), SOMAXCONN) != 0) {
    return Fail(SystemError(errno));
  }
  return socket;
}

}  // namespace

Result<Address> ParseAddress(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Fail("\"" + std::string(text) + "\" is not host:port: " + std::string(why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return bad("the port is missing; write for example 127.0.0.1:9977");
  }
  Address address;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return bad("the port must be a number from 0 to 65535");
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 3) {
      return bad("an IPv6 address stands in brackets, [::1]:9977");
    }
    host = host.substr(1, host.size() - 2);
    in6_addr ignored{};
    if (inet_pton(AF_INET6, std::string(host).c_str(), &ignored) != 1) {
      return bad("what stands in brackets is not an IPv6 address");
    }
  } else if (host.find(':') != std::string_view::npos) {
    return bad("an IPv6 address stands in brackets, [::1]:9977");
  }
  if (host.find_first_of(" \t/[]") != std::string_view::npos) {
    return bad("a host has no such characters");
  }
  address.host = host;
  return address;
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

int Socket::Release() {
  return std::exchange(fd_, -1);
}

Result<Socket> Listen(std::string_view text) {
  const auto failed = [&](const std::string& why) {
    return Fail("cannot listen on " + std::string(text) + ": " + why);
  };
  const Result<Address> address = ParseAddress(text);
  if (!address) {
    return tl::unexpected(address.error());
  }
  const Result<AddrinfoPtr> found = Resolve(*address);
  if (!found) {
    return failed(found.error().message);
  }
  const bool every = address->host.empty();
  std::string reason = "no address found";
  // For every address: IPv6 first, whose socket takes IPv4 too. For a name: in the resolver's order.
  for (const int family : {AF_INET6, AF_INET}) {
    for (const addrinfo* where = found->get(); where != nullptr; where = where->ai_next) {
      if (every && where->ai_family != family) {
        continue;
      }
      Result<Socket> socket = ListenOn(*where, every);
      if (socket) {
        return socket;
      }
      reason = socket.error().message;
    }
  }
  return failed(reason);
}

std::string BoundAddress(const Socket& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(socket.fd(), address, &size) != 0 ||
      getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string name = host.data();
  return (storage.ss_family == AF_INET6 ? "[" + name + "]" : name) + ":" + port.data();
}

}  // namespace detwatch::http
