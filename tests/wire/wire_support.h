#pragma once
// Messages to start from: each is in order, and a test spoils one thing. Built with the relaxed schema,
// because the strict one cannot hold a string that is not UTF-8.

#include <detwatch/v1/relaxed.pb.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lib/wire/decode.h"

namespace detwatch::wire {

namespace pb = ::detwatch::v1::relaxed;

[[nodiscard]] pb::Header GoodHeader();
[[nodiscard]] pb::Payload GoodPredictions();  // 2 boxes
[[nodiscard]] pb::Payload GoodLabels();       // 2 boxes
[[nodiscard]] pb::Payload GoodFrame();        // GoodPredictions and GoodLabels, which name the same frame
[[nodiscard]] pb::Payload GoodModelInfo();
[[nodiscard]] pb::Payload GoodClassList();

void SetClasses(const std::vector<std::pair<std::uint32_t, std::string>>& entries, pb::ClassList& list);

template <class M>
[[nodiscard]] M With(M message, const std::function<void(M&)>& change) {
  change(message);
  return message;
}

[[nodiscard]] std::vector<Item> DecodeAll(const std::string& payload, WireLimits limits = {});
// Of a payload with one item, which must be in order.
[[nodiscard]] Message DecodeGood(const std::string& payload);
// Of a payload with one item, which must be rejected.
[[nodiscard]] Reject DecodeBad(const std::string& payload, WireLimits limits = {});

}  // namespace detwatch::wire
