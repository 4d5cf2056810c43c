#pragma once
// lib/core -- views and windows: how judged frames are grouped and over which times they are summed.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/time.h"

namespace detwatch {

// What a view shows. The first view usually shows everything; further ones a few headline families.
struct Families {
  bool mean_average_precision = true;  // with binning bounds
  bool average_precision = true;       // per class
  bool average_recall = true;
  bool precision = true;
  bool recall = true;
  bool f1_score = true;
  bool micro_macro = true;
  bool frame_outcomes = true;  // accuracy and specificity of frames
  bool localization = true;    // mean IoU of true positives
  bool calibration = true;     // best-F1 confidence, expected calibration error
  friend bool operator==(const Families&, const Families&) = default;
};

// A sliding window of `panes` panes of `pane` each; a frame leaves when its pane does.
struct WindowSpec {
  std::string name;  // the `window` label, "5m"
  Duration pane{};
  std::int64_t panes = 0;
  friend bool operator==(const WindowSpec&, const WindowSpec&) = default;
};

struct ViewSpec {
  std::string name = "default";                              // the `view` label
  std::vector<std::string> group_by = {"model", "version"};  // model, version, stream, or a tag's key
  bool classes = true;                                       // per-class values too
  bool counters = true;  // cumulative counters; true for the first view only, so that sums stay sums
  Families families;
  std::vector<std::string> windows;  // names of WindowSpecs, "total" always being there
};

}  // namespace detwatch
