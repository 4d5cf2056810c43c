#pragma once
// lib/dataset -- the lines of label text files, with what an error needs to point at one.

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

struct LabelLine {
  std::string_view file;
  std::size_t number = 0;  // from 1
  std::vector<std::string_view> words;

  // "val/7.txt: line 3: <what>".
  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view what) const;
};

// Calls `use` for every line of `text` that is not blank, until one answers with an error.
[[nodiscard]] Result<void> ForEachLine(std::string_view file, std::string_view text,
                                       const std::function<Result<void>(const LabelLine&)>& use);

// Words 1 to 4: centre and size as shares of the image, in pixels as a corner box. Values beyond [-1, 2] are
// an error: they are pixels already.
[[nodiscard]] Result<Box> YoloBox(const LabelLine& line, ImageSize size);

// One word as a number, named in the error.
[[nodiscard]] Result<double> NumberAt(const LabelLine& line, std::size_t word, std::string_view name);

}  // namespace detwatch::dataset
