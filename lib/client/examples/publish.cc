// Publishes predictions and labels of a few frames to a detwatch daemon:
//   publish_example tcp://127.0.0.1:5557

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "lib/client/publisher.h"

int main(int argc, char** argv) {
  using namespace detwatch;

  client::PublisherOptions options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  options.model = "example";
  options.version = "1";
  options.stream = "gate-3";
  options.class_names = {{0, "person"}, {2, "car"}};
  auto publisher = client::Publisher::Make(options);
  if (!publisher) {
    std::fprintf(stderr, "%s\n", publisher.error().message.c_str());
    return 2;
  }

  for (int frame = 0; frame < 5; ++frame) {
    const std::string frame_id = "frame-" + std::to_string(frame);
    // What a detector found: left, top, width, height in pixels.
    const std::array<Box, 2> boxes = {Box{40.0 + frame, 60, 100, 200}, Box{300, 80, 120, 90}};
    const std::array<float, 2> scores = {0.91F, 0.78F};
    const std::array<std::uint32_t, 2> class_ids = {0, 2};
    // What was really there may come now, or days later from another program.
    const std::array<Box, 1> truth = {Box{42.0 + frame, 58, 99, 204}};
    const std::array<std::uint32_t, 1> truth_ids = {0};

    auto sent = publisher->Predictions(frame_id, boxes, scores, class_ids,
                                       {.capture_time = std::chrono::system_clock::now()});
    if (sent) {
      sent = publisher->Labels(frame_id, truth, truth_ids, {.source = LabelSource::kHuman, .final = true});
    }
    if (!sent) {
      std::fprintf(stderr, "%s: %s\n", frame_id.c_str(), sent.error().message.c_str());
      return 2;
    }
  }

  const bool delivered = publisher->Close(std::chrono::seconds(10));
  const client::PublisherStats stats = publisher->Stats();
  std::printf("sent %ju, acknowledged %ju, rejected %zu reasons\n", static_cast<std::uintmax_t>(stats.sent),
              static_cast<std::uintmax_t>(stats.acknowledged), stats.rejected.size());
  return delivered ? 0 : 1;
}
