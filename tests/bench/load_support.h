#pragma once
// Frames for benchmarks: a deterministic COCO-like load, or a dump of a real data set.
//
// The made-up load has the size and the awkward parts of COCO val2017 with a detector that publishes a
// hundred boxes a frame: long-tailed classes of which a frame has few, mostly small objects, true positives,
// duplicates and clutter that mostly names the frame's own classes. Scores descend, as
// detectors send them.
//
// DETWATCH_BENCH_DUMP names a file written by dump.py: four int64 (images, classes, ground truths,
// detections), then a row of eight doubles per ground truth and per detection: image index, class index, x,
// y, w, h, area or score, crowd flag; native byte order.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/outcome.h"

namespace detwatch::bench {

// A frame that owns its columns.
struct Frame {
  std::vector<Box> detection_boxes;
  std::vector<float> scores;
  std::vector<ClassId> detection_classes;
  std::vector<Box> ground_truth_boxes;
  std::vector<double> ground_truth_areas;
  std::vector<ClassId> ground_truth_classes;
  std::vector<std::uint8_t> crowd;

  [[nodiscard]] FrameView view() const;
};

struct Load {
  std::uint32_t classes = 0;
  std::vector<Frame> frames;
  std::int64_t detections = 0;
};

// The same for the same arguments, on every machine with IEEE doubles and one libm.
[[nodiscard]] Load MakeLoad(std::uint32_t frames, std::uint32_t classes, std::uint64_t seed);

// Ends the process with a message when the file cannot be read.
[[nodiscard]] Load ReadDump(const std::string& path);

// The dump when DETWATCH_BENCH_DUMP is set, else 5 000 frames of 80 classes; made once.
[[nodiscard]] const Load& ReferenceLoad();

}  // namespace detwatch::bench
