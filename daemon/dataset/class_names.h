#pragma once
// daemon/dataset -- the class list that stands beside YOLO files: data.yaml (`names`, a list or a map from
// number to name), data.yml, or classes.txt (one name a line).

#include <filesystem>
#include <optional>
#include <vector>

#include "daemon/dataset/dataset.h"
#include "lib/core/result.h"

namespace detwatch::dataset {

// Ascending id. Looks in `directory`, its parent and its grandparent; nothing when there is none.
// Errors: a file that cannot be read, has no `names`, or names a number twice.
[[nodiscard]] Result<std::optional<std::vector<ClassEntry>>> FindClassNames(
    const std::filesystem::path& directory);

// True for files that stand among labels without being labels.
[[nodiscard]] bool IsClassNames(const std::filesystem::path& file);

}  // namespace detwatch::dataset
