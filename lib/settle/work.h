#pragma once
// lib/settle -- what settling one cut has at hand. Only the sources of Settler include this.

#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "lib/settle/held.h"
#include "lib/settle/settler.h"

namespace detwatch::settle {

struct Settler::Work {
  const Moment& moment;
  Settled& settled;
  accumulate::Ordinal next_ordinal = 0;
  // Ingest judged predictions of the frame by these, and they do not stand.
  std::unordered_map<FrameHash, std::shared_ptr<const Labels>, FrameHashHash> refused_labels;
  judge::JudgedFrame judged;
  judge::JudgedFrame judged_before;

  void Reject(const Sender& sender, detwatch::Reject reject) {
    ++settled.counters
          .rejected[static_cast<std::size_t>(reject.reason)][static_cast<std::size_t>(sender.transport)];
    if (!sender.publisher.empty()) {
      settled.rejects.push_back({sender, std::move(reject)});
    }
  }
};

template <class T>
T Settler::Decode(std::string_view payload) {
  decoder_.DecodePayload(payload, items_);
  if (items_.size() != 1 || !items_.front() || !std::holds_alternative<T>(*items_.front())) {
    Damaged();
  }
  return std::move(std::get<T>(*items_.front()));
}

}  // namespace detwatch::settle
