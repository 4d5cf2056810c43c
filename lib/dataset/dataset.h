#pragma once
// lib/dataset -- a labelled data set and, if read, the predictions for it, in memory, frame by frame; and the
// readers that make it from the bytes of COCO, Pascal VOC, YOLO and text files. What `eval` judges, `replay`
// sends and `label` publishes; none of them knows which of the formats it came from.
//
// Why a room: what a file means is a function of its bytes. So nothing here opens a file, lists a folder or
// prints; whoever calls hands over the bytes and the name that errors shall give the file. daemon/files does
// it for paths. Each format has a header: coco.h, voc.h, yolo.h, text_predictions.h, and beside them
// class_names.h and image_size.h.
//
// Laws (tests of the same name): FramesAscendByImageId, ClassesAscendByIdAndHaveUniqueNames,
//   DetectionsKeepTheOrderOfTheFile, BadBytesAreAnErrorThatNamesTheFileAndNeverAnException,
//   TheSameBytesGiveTheSameDataSet.
// Errors: nothing wrong is skipped. An error names the file, the record or line, the field and the value; it
//   is a value, whatever the bytes. What the reference evaluator ignores on purpose becomes a line in
//   `warnings`. After an error a data set that predictions were read into holds a part of them.
// Cost: one pass over each file; 40 bytes a detection. Threads: none; a reader belongs to one.

#include <cstddef>
#include <cstdint>
#include <functional>
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
  friend bool operator==(const ClassEntry&, const ClassEntry&) = default;
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

// Called now and then while a long text is read, with the share done in [0, 1]. May be empty.
using Progress = std::function<void(double done)>;

// "640x480"; both sides 1 to 1000000.
[[nodiscard]] Result<ImageSize> ParseImageSize(std::string_view text);

}  // namespace detwatch::dataset
