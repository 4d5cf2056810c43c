#include "daemon/tools/frame_sender.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

namespace detwatch::tools {

Result<FrameSender> FrameSender::Make(const SendOptions& options,
                                      const std::vector<dataset::ClassEntry>& classes, std::uint64_t total,
                                      std::ostream& err) {
  auto publisher = ToolPublisher::Make(options, options.model, classes, total, err);
  if (!publisher) {
    return tl::unexpected(publisher.error());
  }
  return FrameSender(options, std::move(*publisher), err);
}

Result<void> FrameSender::Send(const dataset::Frame& frame, const std::string& suffix) {
  for (const TimePoint turn = publisher_.Turn(); Now() < turn;) {
    if (auto sent = SendLabels(Now()); !sent) {
      return sent;
    }
    publisher_.Wait(due_.empty() ? turn : std::min(turn, due_.front().due));
  }
  const TimePoint now = Now();
  Predictions predictions = frame.predictions;
  predictions.frame = {options_.stream, frame.frame_id + suffix};
  predictions.model = {options_.model, options_.version};
  predictions.class_list = publisher_.class_list();
  if (predictions.capture_time == TimePoint{}) {
    predictions.capture_time = now;
  }
  Labels labels = frame.labels;
  labels.frame = predictions.frame;
  labels.class_list = publisher_.class_list();
  labels.capture_time = predictions.capture_time;
  labels.source = options_.source;
  labels.sampling = options_.sampling;
  labels.final = true;  // nobody corrects a file
  if (auto sent = publisher_.Send(std::move(predictions)); !sent) {
    return sent;
  }
  due_.push_back({now + options_.label_delay, std::move(labels)});
  publisher_.FrameSent();
  return SendLabels(now);
}

Result<void> FrameSender::SendLabels(TimePoint until) {
  while (!due_.empty() && due_.front().due <= until) {
    if (auto sent = publisher_.Send(std::move(due_.front().labels)); !sent) {
      return sent;
    }
    due_.pop_front();
  }
  return {};
}

int FrameSender::Finish(std::ostream& out) {
  while (!due_.empty()) {
    publisher_.Wait(due_.front().due);
    if (const auto sent = SendLabels(Now()); !sent) {
      *err_ << "detwatch: " << sent.error().message << '\n';
      return 1;
    }
  }
  return Summarise(publisher_.Finish(), out);
}

int FrameSender::Summarise(bool complete, std::ostream& out) {
  const client::PublisherStats stats = publisher_.Stats();
  const std::uint64_t frames = publisher_.frames();
  const double seconds = publisher_.seconds();
  if (options_.json) {
    nlohmann::ordered_json json;
    json["frames"] = frames;
    json["seconds"] = seconds;
    json["messages"] = stats.sent;
    json["acknowledged"] = stats.acknowledged;
    json["dropped"] = stats.dropped;
    json["resent"] = stats.resent;
    json["rejected"] = stats.rejected;
    json["complete"] = complete;
    out << json.dump(2) << '\n';
  } else {
    std::array<char, 200> line{};
    std::snprintf(line.data(), line.size(),
                  "%" PRIu64 " frames in %.1f s (%.0f/s): %" PRIu64 " messages sent", frames, seconds,
                  static_cast<double>(frames) / std::max(1e-3, seconds), stats.sent);
    out << line.data();
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
    publisher_.PrintWhyIncomplete();
  }
  return complete && stats.rejected.empty() && stats.dropped == 0 ? 0 : 1;
}

}  // namespace detwatch::tools
