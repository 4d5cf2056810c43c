#include "lib/dataset/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <system_error>

namespace detwatch::dataset {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

}  // namespace

std::string NumberText(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string("?");
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kSpace); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kSpace, end);
  }
  return words;
}

void NumberFrames(std::vector<Frame>& frames) {
  std::set<std::int64_t> numbers;
  for (const Frame& frame : frames) {
    if (const auto number = ParseNumber<std::int64_t>(frame.frame_id)) {
      numbers.insert(*number);
    }
  }
  const bool stems_are_numbers = numbers.size() == frames.size();
  std::sort(frames.begin(), frames.end(),
            [](const Frame& a, const Frame& b) { return a.frame_id < b.frame_id; });
  for (std::size_t i = 0; i < frames.size(); ++i) {
    Frame& frame = frames[i];
    frame.image_id =
        stems_are_numbers ? *ParseNumber<std::int64_t>(frame.frame_id) : static_cast<std::int64_t>(i) + 1;
    frame.labels.frame.frame_id = frame.frame_id;
    frame.predictions.frame.frame_id = frame.frame_id;
  }
  std::sort(frames.begin(), frames.end(),
            [](const Frame& a, const Frame& b) { return a.image_id < b.image_id; });
}

void MakeNamesUnique(Dataset& dataset) {
  std::set<std::string> names;
  for (const ClassEntry& entry : dataset.classes) {
    names.insert(entry.name);
  }
  if (names.size() == dataset.classes.size()) {
    return;
  }
  std::set<std::string> seen;
  for (ClassEntry& entry : dataset.classes) {
    if (seen.insert(entry.name).second) {
      continue;
    }
    std::string fresh = entry.name;
    do {
      fresh += " (id " + std::to_string(entry.id) + ")";
    } while (!names.insert(fresh).second);
    dataset.warnings.push_back("class id " + std::to_string(entry.id) + " has the name \"" + entry.name +
                               "\" of another class and is called \"" + fresh + "\"");
    entry.name = fresh;
  }
}

void ReserveGroundTruths(Frame& frame, std::size_t count) {
  frame.labels.boxes.reserve(count);
  frame.labels.areas.reserve(count);
  frame.labels.class_ids.reserve(count);
  frame.labels.crowd.reserve(count);
  frame.labels.difficult.reserve(count);
}

void AddGroundTruth(Frame& frame, const Box& box, double area, std::uint32_t class_index, bool crowd,
                    bool difficult) {
  frame.labels.boxes.push_back(box);
  frame.labels.areas.push_back(area);
  frame.labels.class_ids.push_back(class_index);
  frame.labels.crowd.push_back(crowd ? 1 : 0);
  frame.labels.difficult.push_back(difficult ? 1 : 0);
}

void AddDetection(Frame& frame, const Box& box, float score, std::uint32_t class_index) {
  frame.predictions.boxes.push_back(box);
  frame.predictions.scores.push_back(score);
  frame.predictions.class_ids.push_back(class_index);
}

std::string BoxProblem(const Box& box) {
  if (!std::isfinite(box.x) || !std::isfinite(box.y) || !std::isfinite(box.w) || !std::isfinite(box.h)) {
    return "the box is not finite";
  }
  if (box.w < 0) {
    return "the width " + NumberText(box.w) + " is negative";
  }
  if (box.h < 0) {
    return "the height " + NumberText(box.h) + " is negative";
  }
  return {};
}

std::string ScoreProblem(double score) {
  const auto rounded = static_cast<float>(score);
  if (!(rounded >= 0 && rounded <= 1)) {
    return NumberText(score) + " is not in [0, 1]";
  }
  return {};
}

}  // namespace detwatch::dataset
