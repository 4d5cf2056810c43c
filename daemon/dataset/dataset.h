#pragma once
// daemon/dataset -- a labelled data set and, if read, the predictions for it, in memory, frame by frame. What
// `eval` judges and `replay` sends; neither knows which of the file formats it came from.
//
// A path says by what it is which format it has:
//   FILE.json            COCO instances, or for predictions a COCO results list
//   directory of .xml    Pascal VOC annotations (or a directory that holds `Annotations/`)
//   directory of .txt    YOLO labels (or a directory that holds `labels/`)
//
// Laws (tests of the same name): FramesAscendByImageId, ClassesAscendByIdAndHaveUniqueNames,
//   DetectionsKeepTheOrderOfTheFile.
// Errors: nothing wrong is skipped. An error names the file, the record or line, the field and the value.
// What the reference evaluator ignores on purpose becomes a line in `warnings`.
// Cost: one pass over each file; 40 bytes a detection. Threads: none.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/result.h"

namespace detwatch::dataset {

enum class Format : std::uint8_t { kCoco, kVoc, kYolo };

struct ClassEntry {
  std::int64_t id = 0;  // COCO category id; YOLO class number; VOC: 1, 2, ... in ascending name order
  std::string name;     // unique in its data set
};

struct ImageSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  friend bool operator==(const ImageSize&, const ImageSize&) = default;
};

struct Frame {
  // COCO: the image id. YOLO and VOC: the file stem as a number where every stem is one, else 1, 2, ... in
  // ascending order of the stems.
  std::int64_t image_id = 0;
  std::string frame_id;  // COCO: the image id as text. YOLO and VOC: the file stem.
  // Of the image, as the data set has it: COCO `file_name`, with folders if it has any; VOC `filename`; YOLO:
  // the image found. Empty: not known.
  std::string file_name;
  ImageSize size;  // zeros: unknown
  // In both, class_ids are indices into Dataset::classes, frame.frame_id is the one above and the stream is
  // empty. Crowd and difficult always have one entry per box.
  Labels labels;
  Predictions predictions;
};

struct Dataset {
  Format format = Format::kCoco;    // of the ground truth
  std::vector<ClassEntry> classes;  // ascending id
  std::vector<Frame> frames;        // ascending image id
  std::vector<std::string> warnings;

  [[nodiscard]] std::size_t GroundTruths() const;
  [[nodiscard]] std::size_t Detections() const;
};

struct ReadOptions {
  std::optional<ImageSize> image_size;  // of every YOLO image; else the headers of the images are read
  // Called now and then while a file is read, with the share done in [0, 1].
  std::function<void(std::string_view file, double done)> progress;
};

// Reads classes, frames and ground truths.
[[nodiscard]] Result<Dataset> ReadGroundTruth(const std::filesystem::path& path,
                                              const ReadOptions& options = {});

// Reads predictions into the frames of `dataset`, after those already there. A COCO results list, or a
// directory of .txt files, one per frame, named by its stem, with one detection a line:
//   CLASS CX CY W H CONFIDENCE          class number, centre and size as shares of the image (YOLO)
//   NAME CONFIDENCE LEFT TOP RIGHT BOTTOM   class name, corners in pixels
// An unknown image is an error; unknown categories of a results list are left out with a warning.
[[nodiscard]] Result<void> ReadPredictions(const std::filesystem::path& path, const ReadOptions& options,
                                           Dataset& dataset);

// "640x480"; both sides 1 to 1000000.
[[nodiscard]] Result<ImageSize> ParseImageSize(std::string_view text);

}  // namespace detwatch::dataset
