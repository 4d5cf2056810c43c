#pragma once
// lib/wire -- messages to bytes, for publishers, tools and the daemon's replies. Inverse of decode.h.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/wire/decode.h"

namespace detwatch::wire {

[[nodiscard]] std::string EncodeHeader(const Header& header);

// Boxes are written as XYWH pixels: float32 when every value survives the round trip, else float64.
[[nodiscard]] std::string EncodePayload(const Message& message);
[[nodiscard]] std::string EncodePayload(const Predictions& predictions);
[[nodiscard]] std::string EncodePayload(const Labels& labels);
[[nodiscard]] std::string EncodeBatch(const std::vector<Message>& messages);

// Limits that are told beside those of a WireLimits: what all publishers share, and what is the same in every
// daemon. 0: not told.
struct ToldLimits {
  std::size_t string_bytes = 0;
  std::size_t header_bytes = 0;
  std::size_t class_names = 0;  // over all lists
  std::size_t class_lists = 0;
  std::size_t class_list_waiting_bytes = 0;
  std::size_t models = 0;
  std::size_t streams = 0;
  std::size_t groups = 0;
  std::size_t publishers = 0;
  std::size_t cell_bytes = 0;
  std::size_t waiting_bytes = 0;
  std::size_t corrections_bytes = 0;
  Duration class_list_wait{};
  Duration retention{};
  Duration corrections{};
  friend bool operator==(const ToldLimits&, const ToldLimits&) = default;
};

struct Reply {
  std::string publisher;
  std::uint64_t epoch = 0;
  Acknowledgement acknowledgement;
  WireLimits limits;  // of a reply that was read: 0 where not told
  ToldLimits told;
  std::vector<RejectedItem> rejected;
  bool stale_epoch = false;
};

[[nodiscard]] std::string EncodeReply(const Reply& reply);
[[nodiscard]] Result<Reply> DecodeReply(std::string_view bytes);

}  // namespace detwatch::wire
