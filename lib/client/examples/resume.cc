// Publishes frames 1 to N and survives being killed at any moment: a second run goes on after the last frame
// the daemon has acknowledged.
//   resume_example tcp://127.0.0.1:5557 resume.txt 1000
//
// The file holds the number of the last acknowledged frame. It is written after the acknowledgement, so a
// crash in between sends some frames again, and never leaves one out. The daemon knows frames it has counted
// by their ids, within its dedup horizon, and counts them once.

#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <utility>

#include "lib/client/publisher.h"

namespace {

using namespace detwatch;

// 0 when there is no file.
std::uint64_t LastAcknowledged(const std::string& file) {
  std::uint64_t frame = 0;
  std::ifstream(file) >> frame;
  return frame;
}

// Under another name first: a crash never leaves half a number. On a machine that may lose power, fsync too.
bool Remember(const std::string& file, std::uint64_t frame) {
  const std::string fresh = file + ".new";
  {
    std::ofstream out(fresh);
    if (!(out << frame << '\n' << std::flush)) {
      return false;
    }
  }
  return std::rename(fresh.c_str(), file.c_str()) == 0;
}

// What is under way: the number of the message, and the frame it was about.
class Progress {
 public:
  Progress(std::string file, std::uint64_t last) : file_(std::move(file)), last_(last) {}

  void Sent(std::uint64_t number, std::uint64_t frame) { under_way_.emplace_back(number, frame); }
  // False when the file cannot be written.
  bool Acknowledged(std::uint64_t number) {
    const std::uint64_t before = last_;
    for (; !under_way_.empty() && under_way_.front().first <= number; under_way_.pop_front()) {
      last_ = under_way_.front().second;
    }
    return last_ == before || Remember(file_, last_);
  }
  [[nodiscard]] std::uint64_t last() const { return last_; }

 private:
  std::string file_;
  std::uint64_t last_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> under_way_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: resume_example ENDPOINT FILE FRAMES\n");
    return 2;
  }
  const std::string file = argv[2];
  const std::uint64_t frames = std::strtoull(argv[3], nullptr, 10);

  client::PublisherOptions options;
  options.endpoint = argv[1];
  options.name = "resume-example";  // the same in each run, so that this one takes over from the one before
  options.model = "example";
  options.version = "1";
  options.class_names = {{0, "person"}, {2, "car"}};
  options.on_full = client::OnFull::kBlock;  // frames that can be read again need not be given up
  auto publisher = client::Publisher::Make(options);
  if (!publisher) {
    std::fprintf(stderr, "%s\n", publisher.error().message.c_str());
    return 2;
  }

  Progress progress(file, LastAcknowledged(file));
  const std::uint64_t first = progress.last() + 1;
  for (std::uint64_t frame = first; frame <= frames; ++frame) {
    // What a detector found in this frame: the same each time it looks.
    const std::array<Box, 1> boxes = {Box{40.0 + static_cast<double>(frame % 100), 60, 100, 200}};
    const std::array<float, 1> scores = {0.91F};
    const std::array<std::uint32_t, 1> class_ids = {0};
    const auto sent = publisher->Predictions("frame-" + std::to_string(frame), boxes, scores, class_ids);
    if (!sent) {
      std::fprintf(stderr, "frame %" PRIu64 ": %s\n", frame, sent.error().message.c_str());
      return 2;
    }
    progress.Sent(*sent, frame);
    if (!progress.Acknowledged(publisher->Stats().acknowledged_sequence)) {
      std::perror(file.c_str());
      return 2;
    }
  }

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bool delivered = false;
  while (!delivered && std::chrono::steady_clock::now() < deadline) {
    delivered = publisher->Flush(std::chrono::milliseconds(100));
    if (!progress.Acknowledged(publisher->Stats().acknowledged_sequence)) {
      std::perror(file.c_str());
      return 2;
    }
  }
  publisher->Close({});
  std::printf("went on at frame %" PRIu64 ", acknowledged up to frame %" PRIu64 "\n", first, progress.last());
  return delivered ? 0 : 1;
}
