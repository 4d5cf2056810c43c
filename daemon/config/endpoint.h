#pragma once
// daemon/config -- ZeroMQ endpoints the daemon binds: what they are, and whether strangers can reach them.
//
// Without keys, whoever reaches a port can publish: they could invent frames, move mAP and use up the
// limits. So only loopback and ipc:// are bound unless the owner says `insecure: true`.
// Law: OnlyLoopbackAndIpcAreClosed. Threads: pure functions. Errors name the endpoint.

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::config {

struct Endpoint {
  enum class Kind : std::uint8_t { kTcp, kIpc };
  Kind kind = Kind::kTcp;
  std::string host;        // tcp: address, name, interface or "*"; ipc: the path
  std::uint16_t port = 0;  // 0: any free one, also written "*"
  bool open = true;        // others than this machine can reach it
};

[[nodiscard]] Result<Endpoint> ParseEndpoint(std::string_view text);

// 127.0.0.0/8, ::1, their mapped forms and "localhost". Any other name counts as open, for what it
// resolves to can change.
[[nodiscard]] bool IsLoopback(std::string_view host);

}  // namespace detwatch::config
