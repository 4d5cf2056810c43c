#pragma once
// lib/dataset -- the class list that stands beside YOLO files: data.yaml (`names`, a list or a map from
// number to name), data.yml, or classes.txt (one name a line).

#include <span>
#include <string_view>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

// What such files are called; the first that exists counts.
[[nodiscard]] std::span<const std::string_view> ClassNamesFiles();

// Ascending id. `file` stands for it in errors; what it ends with says which form it has.
// Errors: text that is not of that form, has no names, or names a number twice.
[[nodiscard]] Result<std::vector<ClassEntry>> ParseClassNames(std::string_view file, std::string_view text);

}  // namespace detwatch::dataset
