#pragma once
// lib/wire -- messages to bytes, for publishers, tools and the daemon's replies. Inverse of decode.h.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/wire/decode.h"

namespace detwatch::wire {

[[nodiscard]] std::string EncodeHeader(const Header& header);

// Boxes are written as XYWH pixels: float32 when every value survives the round trip, else float64.
[[nodiscard]] std::string EncodePayload(const Message& message);
[[nodiscard]] std::string EncodePayload(const Predictions& predictions);
[[nodiscard]] std::string EncodePayload(const Labels& labels);
[[nodiscard]] std::string EncodeBatch(const std::vector<Message>& messages);

struct Reply {
  std::string publisher;
  std::uint64_t epoch = 0;
  Acknowledgement acknowledgement;
  WireLimits limits;
  std::vector<RejectedItem> rejected;
  bool stale_epoch = false;
};

[[nodiscard]] std::string EncodeReply(const Reply& reply);
[[nodiscard]] Result<Reply> DecodeReply(std::string_view bytes);

}  // namespace detwatch::wire
