#include "lib/dataset/text_predictions.h"

#include "lib/dataset/text.h"

namespace detwatch::dataset {
namespace {

constexpr std::size_t kWords = 6;

}  // namespace

TextPredictions::TextPredictions(const std::optional<std::vector<ClassEntry>>& names,
                                 std::optional<ImageSize> size, Dataset& dataset)
    : size_(size), dataset_(dataset) {
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
    class_of_name_.emplace(dataset.classes[i].name, static_cast<std::uint32_t>(i));
  }
  for (std::size_t i = 0; i < dataset.frames.size(); ++i) {
    frame_of_name_.emplace(dataset.frames[i].frame_id, i);
    frame_of_id_.emplace(dataset.frames[i].image_id, i);
  }
  if (names || dataset.format == Format::kYolo) {
    for (const ClassEntry& entry : names ? *names : dataset.classes) {
      name_of_number_.emplace(entry.id, entry.name);
    }
  }
}

Result<void> TextPredictions::Add(std::string_view file, const std::string& stem, std::string_view text) {
  Frame* frame = FindFrame(stem);
  if (frame == nullptr) {
    return Fail(std::string(file) + ": the ground truth has no frame " + stem);
  }
  return ForEachLine(file, text, [&](const LabelLine& line) { return AddLine(line, *frame); });
}

void TextPredictions::Finish(std::string_view folder) {
  for (const auto& [name, count] : unknown_names_) {
    dataset_.warnings.push_back(std::string(folder) + ": " + std::to_string(count) +
                                " detections of class \"" + name +
                                "\" are left out: the ground truth has no such class");
  }
}

Frame* TextPredictions::FindFrame(const std::string& stem) {
  if (const auto found = frame_of_name_.find(stem); found != frame_of_name_.end()) {
    return &dataset_.frames[found->second];
  }
  // COCO: the file of image 42 is 000000000042.
  if (const auto number = ParseNumber<std::int64_t>(stem); number && dataset_.format == Format::kCoco) {
    if (const auto found = frame_of_id_.find(*number); found != frame_of_id_.end()) {
      return &dataset_.frames[found->second];
    }
  }
  return nullptr;
}

Result<void> TextPredictions::AddLine(const LabelLine& line, Frame& frame) {
  if (line.words.size() < kWords) {
    return line.Wrong(
        std::to_string(line.words.size()) +
        " values; a detection is CLASS CX CY W H CONFIDENCE or NAME CONFIDENCE LEFT TOP RIGHT BOTTOM");
  }
  const auto number = ParseNumber<std::int64_t>(line.words[0]);
  return number && line.words.size() == kWords ? AddShares(line, *number, frame) : AddCorners(line, frame);
}

Result<void> TextPredictions::AddShares(const LabelLine& line, std::int64_t number, Frame& frame) {
  const auto name = name_of_number_.find(number);
  if (name == name_of_number_.end()) {
    return line.Wrong(name_of_number_.empty()
                          ? "class numbers need a data.yaml or classes.txt beside the predictions"
                          : "class " + std::to_string(number) + " is not among the class names");
  }
  const ImageSize size = size_.value_or(frame.size);
  if (size.width == 0 || size.height == 0) {
    return line.Wrong("the size of frame " + frame.frame_id + " is unknown; give --image-size");
  }
  const auto box = YoloBox(line, size);
  if (!box) {
    return tl::unexpected(box.error());
  }
  const auto score = NumberAt(line, 5, "confidence");
  if (!score) {
    return tl::unexpected(score.error());
  }
  return AddBox(line, frame, name->second, *box, *score);
}

// The name may hold spaces: the last five words are numbers.
Result<void> TextPredictions::AddCorners(const LabelLine& line, Frame& frame) {
  const std::size_t first = line.words.size() - 5;
  std::string name(line.words[0]);
  for (std::size_t i = 1; i < first; ++i) {
    name.append(" ").append(line.words[i]);
  }
  double values[5] = {};
  constexpr std::string_view kNames[] = {"confidence", "left", "top", "right", "bottom"};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto number = NumberAt(line, first + i, kNames[i]);
    if (!number) {
      return tl::unexpected(number.error());
    }
    values[i] = *number;
  }
  const Box box{values[1], values[2], values[3] - values[1], values[4] - values[2]};
  return AddBox(line, frame, name, box, values[0]);
}

Result<void> TextPredictions::AddBox(const LabelLine& line, Frame& frame, const std::string& name,
                                     const Box& box, double score) {
  if (const std::string problem = BoxProblem(box); !problem.empty()) {
    return line.Wrong(problem);
  }
  if (const std::string problem = ScoreProblem(score); !problem.empty()) {
    return line.Wrong("confidence " + problem);
  }
  const auto found = class_of_name_.find(name);
  if (found == class_of_name_.end()) {
    ++unknown_names_[name];
    return {};
  }
  AddDetection(frame, box, static_cast<float>(score), found->second);
  return {};
}

}  // namespace detwatch::dataset
