#include "daemon/tools/frame_sender.h"

#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "lib/wire/decode.h"

namespace detwatch::tools {
namespace {

constexpr Duration kProgressInterval = std::chrono::milliseconds(200);

TimePoint Now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::vector<std::pair<std::uint32_t, std::string>> ToClassNames(
    const std::vector<dataset::ClassEntry>& classes) {
  std::vector<std::pair<std::uint32_t, std::string>> names;
  for (std::uint32_t i = 0; i < classes.size(); ++i) {
    names.emplace_back(i, classes[i].name);
  }
  return names;
}

// Names for this run only: two replays at once are two publishers.
std::string PublisherName(const SendOptions& options) {
  return "detwatch-" + options.model + "-" + std::to_string(::getpid());
}

}  // namespace

FrameSender::FrameSender(const SendOptions& options, client::Publisher publisher, std::uint64_t total,
                         std::ostream& err)
    : options_(options),
      publisher_(std::move(publisher)),
      total_(total),
      err_(&err),
      terminal_(::isatty(STDERR_FILENO) != 0),
      started_(Now()),
      shown_(started_),
      heard_(started_) {}

Result<FrameSender> FrameSender::Make(const SendOptions& options,
                                      const std::vector<dataset::ClassEntry>& classes, std::uint64_t total,
                                      std::ostream& err) {
  client::PublisherOptions publisher_options;
  publisher_options.endpoint = options.to;
  publisher_options.reliable = !options.fire_and_forget;
  publisher_options.name = PublisherName(options);
  publisher_options.model = options.model;
  publisher_options.version = options.version;
  publisher_options.stream = options.stream;
  publisher_options.class_names = ToClassNames(classes);
  publisher_options.on_full = client::OnFull::kBlock;
  auto publisher = client::Publisher::Make(publisher_options);
  if (!publisher) {
    return tl::unexpected(publisher.error());
  }
  FrameSender sender(options, std::move(*publisher), total, err);
  sender.class_list_ = HashClassList(publisher_options.class_names);
  return sender;
}

Result<void> FrameSender::Send(const dataset::Frame& frame, const std::string& suffix) {
  if (options_.rate > 0) {
    const TimePoint turn =
        started_ + Duration(static_cast<std::int64_t>(static_cast<double>(frames_) / options_.rate * 1e9));
    while (Now() < turn) {
      if (auto sent = SendLabels(Now()); !sent) {
        return sent;
      }
      ShowProgress(false);
      const TimePoint wake = std::min(turn, due_.empty() ? turn : due_.front().due);
      std::this_thread::sleep_for(std::clamp<Duration>(wake - Now(), Duration{0}, kProgressInterval));
    }
  }
  const TimePoint now = Now();
  Predictions predictions = frame.predictions;
  predictions.frame = {options_.stream, frame.frame_id + suffix};
  predictions.model = {options_.model, options_.version};
  predictions.class_list = class_list_;
  if (predictions.capture_time == TimePoint{}) {
    predictions.capture_time = now;
  }
  Labels labels = frame.labels;
  labels.frame = predictions.frame;
  labels.class_list = class_list_;
  labels.capture_time = predictions.capture_time;
  labels.source = options_.source;
  labels.sampling = options_.sampling;
  labels.final = true;  // nobody corrects a file
  if (auto sent = publisher_.Send(std::move(predictions)); !sent) {
    return tl::unexpected(sent.error());
  }
  ++frames_;
  due_.push_back({now + options_.label_delay, std::move(labels)});
  ShowProgress(false);
  return SendLabels(now);
}

Result<void> FrameSender::SendLabels(TimePoint until) {
  while (!due_.empty() && due_.front().due <= until) {
    if (auto sent = publisher_.Send(std::move(due_.front().labels)); !sent) {
      return tl::unexpected(sent.error());
    }
    due_.pop_front();
  }
  return {};
}

void FrameSender::ShowProgress(bool now) {
  const TimePoint time = Now();
  if (!terminal_ || (!now && time - shown_ < kProgressInterval)) {
    return;
  }
  shown_ = time;
  const client::PublisherStats stats = publisher_.Stats();
  char line[160];
  const double seconds = std::max(1e-3, ToSeconds(time - started_));
  char of[32] = "";
  if (total_ > 0) {
    std::snprintf(of, sizeof(of), "/%" PRIu64 " (%3.0f %%)", total_,
                  100.0 * static_cast<double>(frames_) / static_cast<double>(total_));
  }
  std::snprintf(line, sizeof(line), "\r%" PRIu64 "%s frames, %.0f/s, %" PRIu64 " messages waiting%s\x1b[K",
                frames_, of, static_cast<double>(frames_) / seconds, stats.pending,
                stats.connected ? "" : ", not connected");
  *err_ << line << std::flush;
}

// True when the daemon has been silent for too long.
bool FrameSender::GaveUp() {
  if (publisher_.Stats().connected) {
    heard_ = Now();
  }
  return Now() - heard_ > options_.patience;
}

int FrameSender::Finish(std::ostream& out) {
  while (!due_.empty()) {
    std::this_thread::sleep_for(
        std::clamp<Duration>(due_.front().due - Now(), Duration{0}, kProgressInterval));
    ShowProgress(false);
    if (const auto sent = SendLabels(Now()); !sent) {
      *err_ << "detwatch: " << sent.error().message << '\n';
      return 1;
    }
  }
  heard_ = Now();
  bool complete = false;
  while (!(complete = publisher_.Flush(kProgressInterval)) && !GaveUp() && !publisher_.Stats().superseded) {
    ShowProgress(true);
  }
  ShowProgress(true);
  if (terminal_) {
    *err_ << '\n';
  }
  return Summarise(complete, out);
}

int FrameSender::Summarise(bool complete, std::ostream& out) {
  publisher_.Close(Duration{0});
  const client::PublisherStats stats = publisher_.Stats();
  const double seconds = ToSeconds(Now() - started_);
  if (options_.json) {
    nlohmann::ordered_json json;
    json["frames"] = frames_;
    json["seconds"] = seconds;
    json["messages"] = stats.sent;
    json["acknowledged"] = stats.acknowledged;
    json["dropped"] = stats.dropped;
    json["resent"] = stats.resent;
    json["rejected"] = stats.rejected;
    json["complete"] = complete;
    out << json.dump(2) << '\n';
  } else {
    char line[200];
    std::snprintf(line, sizeof(line), "%" PRIu64 " frames in %.1f s (%.0f/s): %" PRIu64 " messages sent",
                  frames_, seconds, static_cast<double>(frames_) / std::max(1e-3, seconds), stats.sent);
    out << line;
    if (!options_.fire_and_forget) {
      out << ", " << stats.acknowledged << " acknowledged, " << stats.resent << " sent again";
    }
    out << '\n';
  }
  for (const auto& [reason, count] : stats.rejected) {
    *err_ << "detwatch: rejected by the daemon: " << reason << ": " << count << '\n';
  }
  for (const RejectedItem& rejected : stats.recent_rejects) {
    *err_ << "detwatch:   " << rejected.reason << ": " << rejected.detail << '\n';
  }
  if (!complete) {
    *err_ << "detwatch: " << stats.pending << " messages were not acknowledged: no answer from "
          << options_.to << "; is this the daemon's --ingest.reliable endpoint?\n";
  }
  return complete && stats.rejected.empty() && stats.dropped == 0 ? 0 : 1;
}

}  // namespace detwatch::tools
