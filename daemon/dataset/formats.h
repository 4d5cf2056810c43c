#pragma once
// daemon/dataset -- the readers behind ReadGroundTruth and ReadPredictions, one per format; dataset.h says
// what holds for all of them.

#include <filesystem>

#include "daemon/dataset/dataset.h"
#include "lib/core/result.h"

namespace detwatch::dataset {

// COCO instances: `images` (id, width, height, file_name), `annotations` (image_id, category_id, bbox, area,
// iscrowd, difficult), `categories` (id, name), in any order; everything else is skipped unread.
[[nodiscard]] Result<Dataset> ReadCocoGroundTruth(const std::filesystem::path& file,
                                                  const ReadOptions& options);

// COCO results: a list of {image_id, category_id, bbox, score}. An image_id is the id or the frame's name.
[[nodiscard]] Result<void> ReadCocoResults(const std::filesystem::path& file, const ReadOptions& options,
                                           Dataset& dataset);

// YOLO: `labels` holds one .txt per frame, lines CLASS CX CY W H; frames without a file are empty. Class
// names come from data.yaml or classes.txt in `labels`, its parent or grandparent. Images are in the
// sibling directory `images` (…/labels/val goes with …/images/val); each image is a frame.
[[nodiscard]] Result<Dataset> ReadYoloGroundTruth(const std::filesystem::path& labels,
                                                  const ReadOptions& options);

// The two text forms of dataset.h. Class numbers are those of a data.yaml or classes.txt beside the
// predictions, matched by name, else those of the ground truth.
[[nodiscard]] Result<void> ReadTextPredictions(const std::filesystem::path& directory,
                                               const ReadOptions& options, Dataset& dataset);

// Pascal VOC: one .xml per frame; width = xmax - xmin, whatever the overlap rule later adds.
[[nodiscard]] Result<Dataset> ReadVocGroundTruth(const std::filesystem::path& annotations,
                                                 const ReadOptions& options);

}  // namespace detwatch::dataset
