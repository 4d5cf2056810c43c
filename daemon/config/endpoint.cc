#include "daemon/config/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>

#include "daemon/http/address.h"

namespace detwatch::config {

bool IsLoopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
  }
  return text == "localhost";
}

Result<Endpoint> ParseEndpoint(std::string_view text) {
  constexpr std::string_view kTcp = "tcp://";
  constexpr std::string_view kIpc = "ipc://";
  const auto bad = [&](const std::string& why) { return Fail("\"" + std::string(text) + "\" " + why); };
  Endpoint endpoint;
  if (text.starts_with(kIpc)) {
    endpoint.kind = Endpoint::Kind::kIpc;
    endpoint.host = text.substr(kIpc.size());
    endpoint.open = false;
    if (endpoint.host.empty()) {
      return bad("has no path");
    }
    return endpoint;
  }
  if (!text.starts_with(kTcp)) {
    return bad("is not an endpoint; write tcp://127.0.0.1:5556 or ipc:///run/detwatch.sock");
  }
  // A "*" as port is libzmq's word for a free one.
  std::string rest(text.substr(kTcp.size()));
  if (rest.ends_with(":*")) {
    rest.back() = '0';
  }
  const Result<http::Address> address = http::ParseAddress(rest);
  if (!address || address->host.empty()) {
    return bad(
        "is not tcp://host:port; the host is an address, [IPv6 address] or *, the port 0 to 65535 or *");
  }
  endpoint.host = address->host;
  endpoint.port = address->port;
  endpoint.open = !IsLoopback(endpoint.host);
  return endpoint;
}

}  // namespace detwatch::config
