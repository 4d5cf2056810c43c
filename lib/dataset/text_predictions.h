#pragma once
// lib/dataset -- predictions as text files, one per frame, named by its stem, with one detection a line:
//   CLASS CX CY W H CONFIDENCE          class number, centre and size as shares of the image (YOLO)
//   NAME CONFIDENCE LEFT TOP RIGHT BOTTOM   class name, corners in pixels
// An unknown frame is an error, unknown class names are left out with a warning.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"
#include "lib/dataset/label_lines.h"

namespace detwatch::dataset {

class TextPredictions {
 public:
  // `names`: the class list beside the predictions, matched by name with the classes of the data set; without
  // one, class numbers are those of a YOLO ground truth. `size`: of every image; else as the data set has it.
  // Requires: `dataset` lives as long as this, and nobody else changes it.
  TextPredictions(const std::optional<std::vector<ClassEntry>>& names, std::optional<ImageSize> size,
                  Dataset& dataset);

  // The detections of one frame, after those already there. `file` stands for them in errors.
  [[nodiscard]] Result<void> Add(std::string_view file, const std::string& stem, std::string_view text);
  // Adds the warnings, which name `folder`.
  void Finish(std::string_view folder);

 private:
  [[nodiscard]] Frame* FindFrame(const std::string& stem);
  [[nodiscard]] Result<void> AddLine(const LabelLine& line, Frame& frame);
  [[nodiscard]] Result<void> AddShares(const LabelLine& line, std::int64_t number, Frame& frame);
  [[nodiscard]] Result<void> AddCorners(const LabelLine& line, Frame& frame);
  [[nodiscard]] Result<void> AddBox(const LabelLine& line, Frame& frame, const std::string& name,
                                    const Box& box, double score);

  std::optional<ImageSize> size_;
  Dataset& dataset_;
  std::unordered_map<std::string, std::uint32_t> class_of_name_;
  std::unordered_map<std::string, std::size_t> frame_of_name_;
  std::unordered_map<std::int64_t, std::size_t> frame_of_id_;
  std::unordered_map<std::int64_t, std::string> name_of_number_;
  std::map<std::string, std::size_t> unknown_names_;
};

}  // namespace detwatch::dataset
