#include "lib/client/announcements.h"

#include <cstdint>
#include <variant>

#include "lib/wire/encode.h"

namespace detwatch::client {
namespace {

// Keys of detwatch.v1: field number << 3 | 2, length-delimited.
constexpr char kPayloadBatch = 4 << 3 | 2;
constexpr char kBatchItem = 1 << 3 | 2;

void AppendField(char key, std::string_view bytes, std::string& out) {
  out.push_back(key);
  std::size_t length = bytes.size();
  for (; length >= 0x80; length >>= 7) {
    out.push_back(static_cast<char>(length | 0x80));
  }
  out.push_back(static_cast<char>(length));
  out.append(bytes);
}

// The items of a payload that is a batch.
std::optional<std::string_view> ItemsOf(std::string_view payload) {
  if (payload.empty() || payload.front() != kPayloadBatch) {
    return std::nullopt;
  }
  std::size_t at = 1;
  while (at < payload.size() && (static_cast<unsigned char>(payload[at]) & 0x80U) != 0) {
    ++at;
  }
  return payload.substr(std::min(at + 1, payload.size()));
}

// The length that stands at `at`, which moves behind it; what is cut short is 0 long.
std::size_t ReadLength(std::string_view bytes, std::size_t& at) {
  std::size_t length = 0;
  for (unsigned shift = 0; at < bytes.size() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    length |= static_cast<std::size_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) {
      break;
    }
  }
  return length;
}

struct Key {
  std::string operator()(const ClassList& list) const {
    return "1" + std::to_string(static_cast<std::uint64_t>(list.hash));
  }
  std::string operator()(const ModelInfo& info) const {
    return "2" + std::to_string(info.model.model.size()) + ":" + info.model.model + info.model.version;
  }
  std::string operator()(const StreamInfo& info) const { return "3" + info.stream; }
  template <class Other>
  std::string operator()(const Other& /*message*/) const {
    return {};
  }
};

}  // namespace

bool Announcements::Set(const wire::Message& message) {
  const std::string key = std::visit(Key{}, message);
  if (key.empty() || (items_.size() >= kMost && !items_.contains(key))) {
    return false;
  }
  std::string item;
  AppendField(kBatchItem, wire::EncodePayload(message), item);
  items_[key] = std::move(item);
  return true;
}

std::string Announcements::Items() const {
  std::string items;
  for (const auto& [key, item] : items_) {
    items += item;
  }
  return items;
}

std::size_t CountItems(std::string_view payload) {
  const auto items = ItemsOf(payload);
  if (!items) {
    return payload.empty() ? 0 : 1;
  }
  std::size_t count = 0;
  for (std::size_t at = 0; at < items->size() && (*items)[at] == kBatchItem; ++count) {
    const std::size_t length = ReadLength(*items, ++at);
    if (length > items->size() - at) {
      break;
    }
    at += length;
  }
  return count;
}

std::string Batched(std::string_view items, std::string_view payload) {
  std::string body(items);
  if (const auto own = ItemsOf(payload)) {
    body += *own;
  } else if (!payload.empty()) {
    AppendField(kBatchItem, payload, body);
  }
  std::string out;
  out.reserve(body.size() + 8);
  AppendField(kPayloadBatch, body, out);
  return out;
}

}  // namespace detwatch::client
