// Publishes one frame to nobody and closes: the installed client links and runs.
#include <lib/client/publisher.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

int main() {
  detwatch::client::PublisherOptions options;
  options.endpoint = "tcp://127.0.0.1:9";  // the discard port: nobody listens
  options.model = "installed";
  options.class_names = {{1, "car"}};
  auto publisher = detwatch::client::Publisher::Make(options);
  if (!publisher) {
    std::fprintf(stderr, "%s\n", publisher.error().message.c_str());
    return 1;
  }
  const std::array<detwatch::Box, 1> boxes{{{10, 20, 30, 40}}};
  const std::array<float, 1> scores{0.5F};
  const std::array<std::uint32_t, 1> class_ids{1};
  if (const auto sent = publisher->Predictions("frame-1", boxes, scores, class_ids); !sent) {
    std::fprintf(stderr, "%s\n", sent.error().message.c_str());
    return 1;
  }
  // Nobody is there, so the frame stays pending.
  const bool delivered = publisher->Close(std::chrono::milliseconds(10));
  return !delivered && publisher->Stats().pending == 1 ? 0 : 1;
}
