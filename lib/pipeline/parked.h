#pragma once
// lib/pipeline -- a message that waits for its class list, as it is stored.

#include <string>
#include <string_view>

#include "lib/core/bytes.h"
#include "lib/core/time.h"
#include "lib/pipeline/arrivals.h"

namespace detwatch::pipeline {

struct ParkedMessage {
  Sender sender;
  TimePoint since;
  std::string payload;  // wire::EncodePayload
};

[[nodiscard]] inline std::string EncodeParked(const ParkedMessage& parked) {
  std::string out;
  out.push_back(static_cast<char>(parked.sender.transport));
  AppendText(out, parked.sender.publisher);
  AppendVarint(out, parked.sender.epoch);
  AppendVarint(out, parked.sender.sequence);
  AppendVarint(out, parked.sender.item);
  AppendSigned(out, ToUnixNanos(parked.since));
  AppendText(out, parked.payload);
  return out;
}

// Bytes that are not ours give an empty payload, which decodes to a reject.
[[nodiscard]] inline ParkedMessage DecodeParked(std::string_view bytes) {
  ByteReader in(bytes);
  ParkedMessage parked;
  parked.sender.transport = in.Byte() == 0 ? Transport::kSubscribe : Transport::kReliable;
  parked.sender.publisher = in.Text();
  parked.sender.epoch = in.Varint();
  parked.sender.sequence = in.Varint();
  parked.sender.item = static_cast<std::uint32_t>(in.Varint());
  parked.since = FromUnixNanos(in.Signed());
  parked.payload = in.Text();
  return parked;
}

}  // namespace detwatch::pipeline
