#pragma once
// lib/wire -- bytes to a checked message or a named reason; the only room that sees protobuf in the daemon.
//
// A payload is checked whole before anything is counted. Items of a batch are judged one by one, so the
// result is a list: each item is a message or a Reject. The header is decoded apart, because a readable
// header advances the publisher's sequence whatever the payload turns out to be.
//
// Laws: ARejectedItemCostsNothingElse, EveryReasonHasAnExample, DecodeOfEncodeIsTheSame.
// Cost: about 0.9 us for 100 boxes, 0.4 us of it protobuf (tests/bench/wire_bench.cc); no allocation once
// warm but for the message's own vectors.
// Threads: one Decoder per thread.

#include <cstddef>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"

namespace detwatch::wire {

// A header has five short fields; what is longer is not one.
inline constexpr std::size_t kMaxHeaderBytes = 4096;

struct WireLimits {
  std::size_t message_bytes = 16U << 20;
  std::size_t boxes_per_frame = 10000;  // at most 65535
  std::size_t classes_per_list = 10000;
  std::size_t batch_items = 10000;
  std::size_t tags = 16;
};

// Predictions with the labels of the same frame.
struct FramePair {
  Predictions predictions;
  Labels labels;
};

using Message = std::variant<Predictions, Labels, FramePair, ModelInfo, StreamInfo, ClassList, Tombstone>;
// A reject says whether the item was a message of labels, as far as that can still be seen. A batch that is
// refused as a whole is not.
using Item = Result<Message, Reject>;

class Decoder {
 public:
  explicit Decoder(WireLimits limits);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  [[nodiscard]] const WireLimits& limits() const { return limits_; }
  [[nodiscard]] Result<Header, Reject> DecodeHeader(std::string_view bytes) const;
  // Appends one entry per item to `items`, which is cleared first; never empty afterwards.
  void DecodePayload(std::string_view bytes, std::vector<Item>& items);

 private:
  struct Arena;
  WireLimits limits_;
  std::unique_ptr<Arena> arena_;
};

}  // namespace detwatch::wire
