#pragma once
// daemon/tools -- frames as COCO files: instances and a results list. Inverse of the readers, for simulate.

#include <filesystem>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

// Writes ground_truth.json and predictions.json into `folder`, which is made if it is missing. Class ids
// of frames are indices into `classes`.
[[nodiscard]] Result<void> WriteCoco(const std::filesystem::path& folder,
                                     const std::vector<dataset::ClassEntry>& classes,
                                     const std::vector<dataset::Frame>& frames);

}  // namespace detwatch::tools
