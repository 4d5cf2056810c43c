#include "lib/dataset/yolo.h"

#include <utility>

#include "lib/dataset/label_lines.h"
#include "lib/dataset/text.h"

namespace detwatch::dataset {

YoloReader::YoloReader(std::vector<ClassEntry> classes, std::vector<Frame> frames) {
  dataset_.format = Format::kYolo;
  dataset_.classes = std::move(classes);
  dataset_.frames = std::move(frames);
  NumberFrames(dataset_.frames);
  MakeNamesUnique(dataset_);
  for (std::size_t i = 0; i < dataset_.classes.size(); ++i) {
    class_of_.emplace(dataset_.classes[i].id, static_cast<std::uint32_t>(i));
  }
}

Result<void> YoloReader::AddLabels(std::size_t frame, std::string_view file, std::string_view text) {
  Frame& into = dataset_.frames[frame];
  return ForEachLine(file, text, [&](const LabelLine& line) -> Result<void> {
    if (line.words.size() != 5) {
      return line.Wrong(std::to_string(line.words.size()) + " values; a ground truth is CLASS CX CY W H");
    }
    const auto number = ParseNumber<std::int64_t>(line.words[0]);
    const auto found = number ? class_of_.find(*number) : class_of_.end();
    if (found == class_of_.end()) {
      return line.Wrong("class \"" + std::string(line.words[0]) + "\" is not among the class names");
    }
    const auto box = YoloBox(line, into.size);
    if (!box) {
      return tl::unexpected(box.error());
    }
    AddGroundTruth(into, *box, box->Area(), found->second, false, false);
    return {};
  });
}

Dataset YoloReader::Finish() && {
  return std::move(dataset_);
}

}  // namespace detwatch::dataset
