#pragma once
// daemon/dataset -- the lines of label text files, with what an error needs to point at one.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/dataset/dataset.h"
#include "lib/core/result.h"

namespace detwatch::dataset {

struct LabelLine {
  const std::filesystem::path& file;
  std::size_t number = 0;  // from 1
  std::vector<std::string_view> words;

  // "val/7.txt: line 3: <what>".
  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view what) const;
};

// Calls `use` for every line that is not blank, until one answers with an error.
[[nodiscard]] Result<void> ForEachLine(const std::filesystem::path& file,
                                       const std::function<Result<void>(const LabelLine&)>& use);

// Words 1 to 4: centre and size as shares of the image, in pixels as a corner box. Values beyond [-1, 2] are
// an error: they are pixels already.
[[nodiscard]] Result<Box> YoloBox(const LabelLine& line, ImageSize size);

// One word as a number, named in the error.
[[nodiscard]] Result<double> NumberAt(const LabelLine& line, std::size_t word, std::string_view name);

}  // namespace detwatch::dataset
