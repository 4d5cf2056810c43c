#pragma once
// daemon/tools -- `detwatch label`: publishes finished annotations for frames whose predictions came earlier,
// and tells what became of them.
//
// A frame is found by (stream, frame id). The ids are those of `detwatch replay` for the same data set, or
// the names of the image files, as a detector that reads files would use. Publishing a data set twice does no
// harm: the daemon counts the second time as duplicates, and a higher revision replaces a lower one.

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tools/tool_publisher.h"
#include "lib/core/frame.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

enum class FrameIdRule : std::uint8_t {
  kReplay,    // as replay: COCO the image id, YOLO and VOC the file stem
  kImageId,   // the image id as text
  kFileName,  // the name of the image as the data set has it
  kFileStem,  // the same without folders and the last extension
};

struct LabelOptions {
  std::filesystem::path from;  // COCO JSON, YOLO or VOC folder
  std::optional<dataset::ImageSize> image_size;
  FrameIdRule frame_id = FrameIdRule::kReplay;
  // Names. Only these classes were looked for, and boxes of others are left out. Empty: all of the data set.
  std::vector<std::string> classes;
  LabelSource source = LabelSource::kHuman;
  Sampling sampling = Sampling::kUnknown;
  std::uint32_t revision = 0;
  bool final = false;   // no higher revision will come; always so unless the source is human
  bool strict = false;  // unknown, late and untold frames make the exit code 1
  PublishOptions publish;
};

// Returns the exit code: 0 when everything was acknowledged and nothing refused, 1 otherwise or when the data
// set cannot be read, 2 when the options do not go together or with the data set.
[[nodiscard]] int RunLabel(const LabelOptions& options, std::ostream& out, std::ostream& err);

}  // namespace detwatch::tools
