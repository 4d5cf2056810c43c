// Whatever arrives on a socket: a header and a payload of any bytes. The decoder must never crash, always
// say something, and mean what it accepts: an accepted message, encoded and decoded again, is the same.
//
// Fuzz:      cmake --preset fuzz && cmake --build build/fuzz --target decode_fuzz
//            build/fuzz/tests/fuzz/decode_fuzz -max_total_time=60 -max_len=4096 CORPUS
//            tests/fuzz/corpus/decode
// Reproduce: build/fuzz/tests/fuzz/decode_fuzz CRASH_FILE, or in any other build decode_replay CRASH_FILE
// Keep:      decode_fuzz -merge=1 tests/fuzz/corpus/decode CORPUS; seed.py adds the golden messages
//
// An input is the length of the header in one byte, the header, the payload.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "lib/wire/decode.h"
#include "lib/wire/encode.h"

namespace detwatch::wire {
namespace {

void Require(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

void RequirePrintable(const std::string& detail) {
  for (const char c : detail) {
    Require(c >= 0x20 && c < 0x7F, "details are printable");
  }
  Require(!detail.empty() && detail.size() < 500, "details are there and short");
}

bool SameContent(const Message& a, const Message& b) {
  if (a.index() != b.index()) {
    return false;
  }
  return std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        const T& y = std::get<T>(b);
        if constexpr (std::is_same_v<T, Predictions> || std::is_same_v<T, Labels>) {
          return x.content_hash == y.content_hash && x.frame == y.frame && x.capture_time == y.capture_time;
        } else if constexpr (std::is_same_v<T, FramePair>) {
          return x.predictions.content_hash == y.predictions.content_hash &&
                 x.labels.content_hash == y.labels.content_hash && x.labels.frame == y.predictions.frame;
        } else if constexpr (std::is_same_v<T, ModelInfo>) {
          return x.model == y.model && x.tags == y.tags && x.score_threshold == y.score_threshold &&
                 x.max_detections == y.max_detections && x.labels_expected == y.labels_expected;
        } else if constexpr (std::is_same_v<T, StreamInfo>) {
          return x.stream == y.stream && x.tags == y.tags;
        } else if constexpr (std::is_same_v<T, ClassList>) {
          return x.hash == y.hash && x.entries == y.entries;
        } else {
          return x.reason == y.reason && x.frames == y.frames;
        }
      },
      a);
}

void CheckHeader(const Decoder& decoder, std::string_view bytes) {
  const auto header = decoder.DecodeHeader(bytes);
  if (!header) {
    RequirePrintable(header.error().detail);
    return;
  }
  const auto again = decoder.DecodeHeader(EncodeHeader(*header));
  Require(again && again->publisher == header->publisher && again->epoch == header->epoch &&
              again->sequence == header->sequence && again->oldest_held == header->oldest_held &&
              again->store_id == header->store_id,
          "a header survives encoding");
}

void CheckPayload(Decoder& decoder, std::string_view bytes) {
  std::vector<Item> items;
  decoder.DecodePayload(bytes, items);
  Require(!items.empty(), "there is an item");
  std::vector<Item> again;
  for (const Item& item : items) {
    if (!item) {
      RequirePrintable(item.error().detail);
      continue;
    }
    decoder.DecodePayload(EncodePayload(*item), again);
    Require(again.size() == 1 && again.front() && SameContent(*item, *again.front()),
            "an accepted message survives encoding");
  }
}

}  // namespace
}  // namespace detwatch::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static detwatch::wire::Decoder decoder{detwatch::wire::WireLimits{.message_bytes = 1U << 16U,
                                                                    .boxes_per_frame = 100,
                                                                    .classes_per_list = 20,
                                                                    .batch_items = 20,
                                                                    .tags = 4}};
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view header = bytes.substr(0, data[0]);
  detwatch::wire::CheckHeader(decoder, header);
  detwatch::wire::CheckPayload(decoder, bytes.substr(header.size()));
  return 0;
}
