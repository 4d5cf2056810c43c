#include "lib/client/check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "lib/wire/text.h"

namespace detwatch::client {
namespace {

constexpr double kMaxPixels = 1e9;
constexpr double kMaxArea = 1e18;
constexpr std::size_t kMaxTags = 16;

// The first problem found; each step is skipped once there is one.
class Checks {
 public:
  template <class Check>
  Checks& Then(Check check) {
    if (result_) {
      result_ = check();
    }
    return *this;
  }
  [[nodiscard]] Result<void> result() const { return result_; }

 private:
  Result<void> result_;
};

std::string At(std::string_view argument, std::size_t index) {
  return std::string(argument) + "[" + std::to_string(index) + "]: ";
}

Result<void> CheckLength(std::string_view argument, std::size_t have, std::size_t boxes) {
  if (have != boxes) {
    return Fail(std::string(argument) + ": " + std::to_string(have) + " values for " + std::to_string(boxes) +
                " boxes");
  }
  return {};
}

// An empty column is left out of the message.
Result<void> CheckOptionalLength(std::string_view argument, std::size_t have, std::size_t boxes) {
  return have == 0 ? Result<void>() : CheckLength(argument, have, boxes);
}

template <class T>
Result<void> CheckRange(std::string_view argument, const std::vector<T>& column, T lowest, T highest) {
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!(column[i] >= lowest && column[i] <= highest)) {
      return Fail(At(argument, i) + wire::Show(static_cast<double>(column[i])) + " is not in [" +
                  wire::Show(static_cast<double>(lowest)) + ", " + wire::Show(static_cast<double>(highest)) +
                  "]");
    }
  }
  return {};
}

Result<void> CheckBoxes(const std::vector<Box>& boxes) {
  const auto good = [](double value) { return std::abs(value) <= kMaxPixels; };  // not NaN either
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& box = boxes[i];
    if (!good(box.x) || !good(box.y) || !good(box.w) || !good(box.h)) {
      return Fail(At("boxes", i) + "a value is not finite or beyond 1e9 pixels");
    }
    if (box.w < 0 || box.h < 0) {
      return Fail(At("boxes", i) + "negative width or height");
    }
  }
  return {};
}

Result<void> CheckIds(std::string_view argument, const std::vector<std::uint32_t>& ids,
                      std::span<const std::uint32_t> known) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!std::binary_search(known.begin(), known.end(), ids[i])) {
      return Fail(At(argument, i) + std::to_string(ids[i]) + " is not in class_names");
    }
  }
  return {};
}

Result<void> CheckFrame(const FrameKey& frame, TimePoint capture_time) {
  return Checks()
      .Then([&] { return CheckText("frame_id", frame.frame_id, false); })
      .Then([&] { return CheckText("stream", frame.stream, true); })
      .Then([&] {
        return capture_time < TimePoint{} ? Result<void>(Fail("capture_time: is before 1970"))
                                          : Result<void>();
      })
      .result();
}

Result<void> CheckTags(std::string_view argument, const Tags& tags) {
  if (tags.size() > kMaxTags) {
    return Fail(std::string(argument) + ": " + std::to_string(tags.size()) + " tags, at most 16");
  }
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  for (const auto& [key, value] : tags) {
    const bool name = !key.empty() && letter(key.front()) && std::all_of(key.begin(), key.end(), [&](char c) {
      return letter(c) || (c >= '0' && c <= '9');
    });
    if (!name) {
      return Fail(std::string(argument) + ": " + wire::Printable(key) +
                  " is not a label name ([a-zA-Z_][a-zA-Z0-9_]*)");
    }
    for (const std::string& text : {key, value}) {
      if (auto good = CheckText(argument, text, true); !good) {
        return good;
      }
    }
  }
  return {};
}

Result<void> CheckClassNames(const PublisherOptions& options) {
  std::set<std::uint32_t> ids;
  std::set<std::string> names;
  for (const auto& [id, name] : options.class_names) {
    const std::string argument = "class_names[" + std::to_string(id) + "]";
    if (auto good = CheckText(argument, name, false); !good) {
      return good;
    }
    if (!ids.insert(id).second) {
      return Fail(argument + ": the id is listed twice");
    }
    if (!names.insert(name).second) {
      return Fail(argument + ": another id has the name " + wire::Printable(name));
    }
  }
  return {};
}

Result<void> CheckAnnounced(const PublisherOptions& options) {
  if (options.score_threshold != -1 && !(options.score_threshold >= 0 && options.score_threshold <= 1)) {
    return Fail("score_threshold: " + wire::Show(options.score_threshold) + " is not in [0, 1]");
  }
  if (options.max_detections != -1 && (options.max_detections < 1 || options.max_detections > UINT32_MAX)) {
    return Fail("max_detections: " + std::to_string(options.max_detections) + " is not in [1, 2^32)");
  }
  if (!options.model.empty() && options.class_names.empty()) {
    return Fail("class_names: a model needs its class list");
  }
  if (options.window_bytes == 0) {
    return Fail("window_bytes: is 0");
  }
  return {};
}

}  // namespace

Result<void> CheckText(std::string_view argument, std::string_view text, bool may_be_empty) {
  if (text.empty() && !may_be_empty) {
    return Fail(std::string(argument) + ": is empty");
  }
  if (auto wrong = wire::CheckString(argument, text)) {
    return Fail(std::move(wrong->detail));
  }
  return {};
}

Result<void> CheckOptions(const PublisherOptions& options) {
  return Checks()
      .Then([&] { return CheckText("name", options.name, true); })
      .Then([&] { return CheckText("model", options.model, true); })
      .Then([&] { return CheckText("version", options.version, true); })
      .Then([&] { return CheckText("stream", options.stream, true); })
      .Then([&] { return CheckTags("tags", options.tags); })
      .Then([&] { return CheckTags("stream_tags", options.stream_tags); })
      .Then([&] { return CheckClassNames(options); })
      .Then([&] { return CheckAnnounced(options); })
      .result();
}

std::vector<std::string> CheckTold(const PublisherOptions& options, std::size_t classes, std::size_t tags) {
  std::vector<std::string> wrong;
  const auto check = [&](std::string_view argument, std::size_t have, std::size_t most) {
    if (most > 0 && have > most) {
      wrong.push_back(std::string(argument) + ": " + std::to_string(have) + ", the daemon takes " +
                      std::to_string(most));
    }
  };
  check("class_names", options.class_names.size(), classes);
  if (!options.model.empty()) {
    check("tags", options.tags.size(), tags);
  }
  check("stream_tags", options.stream_tags.size(), tags);
  return wrong;
}

Result<void> CheckPredictions(const Predictions& predictions, std::span<const std::uint32_t> known) {
  const std::size_t boxes = predictions.boxes.size();
  return Checks()
      .Then([&] { return CheckFrame(predictions.frame, predictions.capture_time); })
      .Then([&] { return CheckBoxes(predictions.boxes); })
      .Then([&] { return CheckLength("scores", predictions.scores.size(), boxes); })
      .Then([&] { return CheckLength("class_ids", predictions.class_ids.size(), boxes); })
      .Then([&] { return CheckRange("scores", predictions.scores, 0.0F, 1.0F); })
      .Then([&] { return CheckIds("class_ids", predictions.class_ids, known); })
      .Then([&] {
        return CheckRange("inference_seconds", std::vector<double>{predictions.inference_seconds}, 0.0, 1e9);
      })
      .result();
}

Result<void> CheckLabels(const Labels& labels, std::span<const std::uint32_t> known) {
  const std::size_t boxes = labels.boxes.size();
  return Checks()
      .Then([&] { return CheckFrame(labels.frame, labels.capture_time); })
      .Then([&] { return CheckBoxes(labels.boxes); })
      .Then([&] { return CheckLength("class_ids", labels.class_ids.size(), boxes); })
      .Then([&] { return CheckIds("class_ids", labels.class_ids, known); })
      .Then([&] { return CheckOptionalLength("areas", labels.areas.size(), boxes); })
      .Then([&] { return CheckRange("areas", labels.areas, 0.0, kMaxArea); })
      .Then([&] { return CheckOptionalLength("crowd", labels.crowd.size(), boxes); })
      .Then([&] { return CheckOptionalLength("difficult", labels.difficult.size(), boxes); })
      .Then([&] { return CheckIds("examined", labels.examined, known); })
      .result();
}

}  // namespace detwatch::client
