#pragma once
// lib/client -- class lists, models and streams: what a daemon must know before it can judge a frame.
//
// They ride in one batch with a message, before it and under its sequence number. So they come first also
// where old messages are sent again to a daemon that has forgotten, and need no numbers of their own.
// Threads: none.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/wire/decode.h"

namespace detwatch::client {

class Announcements {
 public:
  // More are not remembered but sent once, as any message: a batch may hold only so many items.
  static constexpr std::size_t kMost = 1000;

  // False when `message` is not an announcement, or there are kMost others.
  bool Set(const wire::Message& message);
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  // All of them as items of a batch, class lists first: for Batched().
  [[nodiscard]] std::string Items() const;

 private:
  std::map<std::string, std::string> items_;  // kind and name -> item of a batch
};

// How many items a payload is judged as: those of a batch, else 1.
[[nodiscard]] std::size_t CountItems(std::string_view payload);
// One payload: a batch of `items`, then `payload` (which may be a batch itself, or empty).
[[nodiscard]] std::string Batched(std::string_view items, std::string_view payload);

}  // namespace detwatch::client
