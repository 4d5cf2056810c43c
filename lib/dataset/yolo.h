#pragma once
// lib/dataset -- YOLO: one text file per frame, a ground truth a line: CLASS CX CY W H, centre and size as
// shares of the image. Frames without labels are empty. dataset.h says what holds for all formats.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

class YoloReader {
 public:
  // `classes`: ascending ids, each once (class_names.h). Of each frame: frame_id, file_name and size.
  YoloReader(std::vector<ClassEntry> classes, std::vector<Frame> frames);

  // In the order of the data set, which is the one to add labels in.
  [[nodiscard]] const std::vector<Frame>& frames() const { return dataset_.frames; }
  // Ground truths of frames()[frame]; `file` stands for them in errors. Requires: frame < frames().size().
  [[nodiscard]] Result<void> AddLabels(std::size_t frame, std::string_view file, std::string_view text);
  [[nodiscard]] Dataset Finish() &&;

 private:
  Dataset dataset_;
  std::unordered_map<std::int64_t, std::uint32_t> class_of_;
};

}  // namespace detwatch::dataset
