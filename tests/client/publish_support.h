#pragma once
// Publishers with short waits, and frames to publish.

#include <chrono>
#include <string>
#include <vector>

#include "lib/client/publisher.h"

namespace detwatch::client::test {

inline constexpr Duration kPatience = std::chrono::seconds(10);
inline constexpr const char* kNowhere = "tcp://127.0.0.1:9";

// A model "m" of classes person and car; the waits of the protocol are short enough for tests.
[[nodiscard]] PublisherOptions Quick(const std::string& endpoint);
[[nodiscard]] Publisher Made(PublisherOptions options);
// "f<start>", "f<start + 1>", ...
[[nodiscard]] std::vector<std::string> Names(int count, int start = 0);
void Publish(Publisher& publisher, const std::vector<std::string>& names, std::size_t boxes = 1);

}  // namespace detwatch::client::test
