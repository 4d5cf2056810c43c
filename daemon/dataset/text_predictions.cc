#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/dataset/class_names.h"
#include "daemon/dataset/formats.h"
#include "daemon/dataset/label_lines.h"
#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

constexpr std::size_t kWords = 6;

class Reader {
 public:
  Reader(std::filesystem::path directory, const ReadOptions& options, Dataset& dataset)
      : directory_(std::move(directory)), options_(options), dataset_(dataset) {
    for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
      class_of_name_.emplace(dataset.classes[i].name, static_cast<std::uint32_t>(i));
    }
    for (std::size_t i = 0; i < dataset.frames.size(); ++i) {
      frame_of_name_.emplace(dataset.frames[i].frame_id, i);
      frame_of_id_.emplace(dataset.frames[i].image_id, i);
    }
  }

  Result<void> Read() {
    auto files = FilesByStem(directory_, {".txt"});
    if (!files) {
      return tl::unexpected(files.error());
    }
    std::erase_if(*files, [](const auto& entry) { return IsClassNames(entry.second); });
    auto names = FindClassNames(directory_);
    if (!names) {
      return tl::unexpected(names.error());
    }
    if (*names) {
      for (const ClassEntry& entry : **names) {
        name_of_number_.emplace(entry.id, entry.name);
      }
    } else if (dataset_.format == Format::kYolo) {
      for (const ClassEntry& entry : dataset_.classes) {
        name_of_number_.emplace(entry.id, entry.name);
      }
    }
    std::size_t done = 0;
    for (const auto& [stem, file] : *files) {
      Frame* frame = FindFrame(stem);
      if (frame == nullptr) {
        return Fail(file.string() + ": the ground truth has no frame " + stem);
      }
      auto read = ForEachLine(file, [&](const LabelLine& line) { return ReadLine(line, *frame); });
      if (!read) {
        return read;
      }
      if (options_.progress && ++done % 256 == 0) {
        options_.progress(directory_.string(),
                          static_cast<double>(done) / static_cast<double>(files->size()));
      }
    }
    for (const auto& [name, count] : unknown_names_) {
      dataset_.warnings.push_back(directory_.string() + ": " + std::to_string(count) +
                                  " detections of class \"" + name +
                                  "\" are left out: the ground truth has no such class");
    }
    return {};
  }

 private:
  Frame* FindFrame(const std::string& stem) {
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

  Result<void> ReadLine(const LabelLine& line, Frame& frame) {
    if (line.words.size() < kWords) {
      return line.Wrong(
          std::to_string(line.words.size()) +
          " values; a detection is CLASS CX CY W H CONFIDENCE or NAME CONFIDENCE LEFT TOP RIGHT BOTTOM");
    }
    const auto number = ParseNumber<std::int64_t>(line.words[0]);
    return number && line.words.size() == kWords ? ReadYolo(line, *number, frame) : ReadCorners(line, frame);
  }

  Result<void> ReadYolo(const LabelLine& line, std::int64_t number, Frame& frame) {
    const auto name = name_of_number_.find(number);
    if (name == name_of_number_.end()) {
      return line.Wrong(name_of_number_.empty()
                            ? "class numbers need a data.yaml or classes.txt beside the predictions"
                            : "class " + std::to_string(number) + " is not among the class names");
    }
    const ImageSize size = options_.image_size.value_or(frame.size);
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
    return Add(line, frame, name->second, *box, *score);
  }

  // The name may hold spaces: the last five words are numbers.
  Result<void> ReadCorners(const LabelLine& line, Frame& frame) {
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
    return Add(line, frame, name, box, values[0]);
  }

  Result<void> Add(const LabelLine& line, Frame& frame, const std::string& name, const Box& box,
                   double score) {
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

  std::filesystem::path directory_;
  const ReadOptions& options_;
  Dataset& dataset_;
  std::unordered_map<std::string, std::uint32_t> class_of_name_;
  std::unordered_map<std::string, std::size_t> frame_of_name_;
  std::unordered_map<std::int64_t, std::size_t> frame_of_id_;
  std::unordered_map<std::int64_t, std::string> name_of_number_;
  std::map<std::string, std::size_t> unknown_names_;
};

}  // namespace

Result<void> ReadTextPredictions(const std::filesystem::path& directory, const ReadOptions& options,
                                 Dataset& dataset) {
  return Reader(directory, options, dataset).Read();
}

}  // namespace detwatch::dataset
