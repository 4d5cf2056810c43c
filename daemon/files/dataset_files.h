#pragma once
// daemon/files -- data sets on disk: which format a path has, and its files as bytes for the readers of
// lib/dataset.
//
// A path says by what it is which format it has:
//   FILE.json            COCO instances, or for predictions a COCO results list
//   directory of .xml    Pascal VOC annotations (or a directory that holds `Annotations/`)
//   directory of .txt    YOLO labels (or a directory that holds `labels/`), or predictions
//
// Errors: those of lib/dataset, with the path as the name of the file; and what cannot be opened, read or
//   listed. Cost: that of lib/dataset; one file of a folder at a time is held. Threads: none.

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::files {

struct ReadOptions {
  std::optional<dataset::ImageSize>
      image_size;  // of every YOLO image; else the headers of the images are read
  // Called now and then while a file or folder is read, with its name and the share done in [0, 1].
  std::function<void(std::string_view file, double done)> progress;
};

// Reads classes, frames and ground truths.
[[nodiscard]] Result<dataset::Dataset> ReadGroundTruth(const std::filesystem::path& path,
                                                       const ReadOptions& options = {});

// Reads predictions into the frames of `data`, after those already there: a COCO results list, or a folder of
// text files (lib/dataset/text_predictions.h).
[[nodiscard]] Result<void> ReadPredictions(const std::filesystem::path& path, const ReadOptions& options,
                                           dataset::Dataset& data);

}  // namespace detwatch::files
