#pragma once
// lib/dataset -- Pascal VOC: one .xml per frame; width = xmax - xmin, whatever the overlap rule later adds.
// dataset.h says what holds for all formats.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

// Cost: the frames, and one file's text.
class VocReader {
 public:
  // One frame. `file` stands for it in errors, `stem` is its frame id.
  [[nodiscard]] Result<void> Add(std::string_view file, std::string_view stem, std::string_view xml);
  // The classes are those that occurred.
  [[nodiscard]] Dataset Finish() &&;

 private:
  std::vector<Frame> frames_;
  std::map<std::string, std::uint32_t> class_of_name_;  // -> number by first sight
};

}  // namespace detwatch::dataset
