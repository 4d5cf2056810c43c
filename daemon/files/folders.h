#pragma once
// daemon/files -- the folders behind ReadGroundTruth and ReadPredictions; dataset_files.h says what holds for
// all of them.

#include <filesystem>

#include "daemon/files/dataset_files.h"
#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::files {

// Pascal VOC: each .xml is a frame.
[[nodiscard]] Result<dataset::Dataset> ReadVocFolder(const std::filesystem::path& annotations,
                                                     const ReadOptions& options);

// YOLO: `labels` holds one .txt per frame; frames without a file are empty. Class names come from data.yaml
// or classes.txt in `labels`, its parent or grandparent. Images are in the sibling directory `images`
// (…/labels/val goes with …/images/val); each image is a frame.
[[nodiscard]] Result<dataset::Dataset> ReadYoloFolder(const std::filesystem::path& labels,
                                                      const ReadOptions& options);

// Text predictions; a class list is looked for as beside labels.
[[nodiscard]] Result<void> ReadTextFolder(const std::filesystem::path& directory, const ReadOptions& options,
                                          dataset::Dataset& data);

}  // namespace detwatch::files
