#include "daemon/tools/tool_publisher.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <ostream>
#include <thread>
#include <utility>
#include <variant>

#include "daemon/tools/terminal.h"

namespace detwatch::tools {
namespace {

constexpr Duration kRoomInterval = std::chrono::milliseconds(5);

std::vector<std::pair<std::uint32_t, std::string>> ToClassNames(
    const std::vector<dataset::ClassEntry>& classes) {
  std::vector<std::pair<std::uint32_t, std::string>> names;
  for (std::uint32_t i = 0; i < classes.size(); ++i) {
    names.emplace_back(i, classes[i].name);
  }
  return names;
}

// No less than a message has when it is encoded: columns of 8-byte values, and every other field.
std::size_t MostBytes(const wire::Message& message) {
  constexpr std::size_t kFields = 256;
  constexpr std::size_t kBox = 64;
  if (const auto* predictions = std::get_if<Predictions>(&message)) {
    return kFields + predictions->frame.stream.size() + predictions->frame.frame_id.size() +
           predictions->model.model.size() + predictions->model.version.size() +
           kBox * predictions->boxes.size();
  }
  if (const auto* labels = std::get_if<Labels>(&message)) {
    return kFields + labels->frame.stream.size() + labels->frame.frame_id.size() +
           kBox * labels->boxes.size() + 8 * labels->examined.size();
  }
  return kFields;  // tools send the two
}

}  // namespace

TimePoint Now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

ToolPublisher::ToolPublisher(const PublishOptions& options, client::Publisher publisher,
                             ClassListHash class_list, std::uint64_t total, std::ostream& err)
    : options_(options),
      publisher_(std::move(publisher)),
      class_list_(class_list),
      total_(total),
      err_(&err),
      terminal_(IsTerminal(err)),
      started_(Now()),
      shown_(started_),
      heard_(started_) {}

Result<ToolPublisher> ToolPublisher::Make(const PublishOptions& options, const std::string& tool,
                                          const std::vector<dataset::ClassEntry>& classes,
                                          std::uint64_t total, std::ostream& err) {
  client::PublisherOptions publisher_options;
  publisher_options.endpoint = options.to;
  publisher_options.reliable = !options.fire_and_forget;
  // Two runs at once are two publishers.
  publisher_options.name =
      options.publisher.empty() ? "detwatch-" + tool + "-" + std::to_string(::getpid()) : options.publisher;
  publisher_options.model = options.model;
  publisher_options.version = options.version;
  publisher_options.stream = options.stream;
  publisher_options.class_names = ToClassNames(classes);
  publisher_options.window_bytes = options.window_bytes;
  publisher_options.on_full = client::OnFull::kBlock;
  auto publisher = client::Publisher::Make(publisher_options);
  if (!publisher) {
    return tl::unexpected(publisher.error());
  }
  return ToolPublisher(options, std::move(*publisher), HashClassList(publisher_options.class_names), total,
                       err);
}

TimePoint ToolPublisher::Turn() const {
  return options_.rate > 0
             ? started_ +
                   Duration(static_cast<std::int64_t>(static_cast<double>(frames_) / options_.rate * 1e9))
             : started_;
}

void ToolPublisher::Wait(TimePoint until) {
  ShowProgress(false);
  std::this_thread::sleep_for(std::clamp<Duration>(until - Now(), Duration{0}, kProgressInterval));
}

// The publisher would wait by itself, but without an end while the daemon is away.
bool ToolPublisher::HasRoom(std::size_t bytes) {
  if (held_.empty() || held_bytes_ + bytes <= options_.window_bytes) {
    return true;
  }
  for (std::uint64_t pending = publisher_.Stats().pending; held_.size() > pending; held_.pop_front()) {
    held_bytes_ -= held_.front();
  }
  return held_.empty() || held_bytes_ + bytes <= options_.window_bytes;
}

Result<void> ToolPublisher::Send(const wire::Message& message) {
  const std::size_t bytes = MostBytes(message);
  if (!HasRoom(bytes)) {
    heard_ = Now();
    while (!HasRoom(bytes)) {
      if (GaveUp()) {
        return Fail(
            "no answer from " + options_.to + " for " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count()) +
            " s; is this the daemon's endpoint?");
      }
      Wait(Now() + kRoomInterval);
    }
  }
  if (const auto sent = publisher_.Send(message); !sent) {
    return tl::unexpected(sent.error());
  }
  held_.push_back(bytes);
  held_bytes_ += bytes;
  return {};
}

void ToolPublisher::FrameSent() {
  ++frames_;
  ShowProgress(false);
}

void ToolPublisher::ShowProgress(bool now) {
  const TimePoint time = Now();
  if (!terminal_ || (!now && time - shown_ < kProgressInterval)) {
    return;
  }
  shown_ = time;
  const client::PublisherStats stats = publisher_.Stats();
  std::array<char, 32> of{};
  if (total_ > 0) {
    std::snprintf(of.data(), of.size(), "/%" PRIu64 " (%3.0f %%)", total_,
                  100.0 * static_cast<double>(frames_) / static_cast<double>(total_));
  }
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(),
                "\r%" PRIu64 "%s frames, %.0f/s, %" PRIu64 " messages waiting%s\x1b[K", frames_, of.data(),
                static_cast<double>(frames_) / std::max(1e-3, ToSeconds(time - started_)), stats.pending,
                stats.connected ? "" : ", not connected");
  *err_ << line.data() << std::flush;
}

bool ToolPublisher::GaveUp() {
  const client::PublisherStats stats = publisher_.Stats();
  if (stats.connected) {
    heard_ = Now();
  }
  return stats.superseded || Now() - heard_ > options_.patience;
}

bool ToolPublisher::Finish() {
  heard_ = Now();
  bool complete = false;
  while (!(complete = publisher_.Flush(std::min(kProgressInterval, options_.patience))) && !GaveUp()) {
    ShowProgress(true);
  }
  ShowProgress(true);
  if (terminal_) {
    *err_ << '\n';
  }
  publisher_.Close(Duration{0});
  return complete;
}

void ToolPublisher::PrintWhyIncomplete() const {
  const client::PublisherStats stats = publisher_.Stats();
  if (stats.superseded) {
    *err_ << "detwatch: another run took over the name " << publisher_.name() << '\n';
  } else {
    *err_ << "detwatch: " << stats.pending << " messages were not acknowledged: no answer from "
          << options_.to << "; is this the daemon's --ingest.reliable endpoint?\n";
  }
}

}  // namespace detwatch::tools
