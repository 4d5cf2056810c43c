#pragma once
// daemon/tools -- an EvalReport as text. Numbers are printed without the process locale; undefined is -1, as
// COCO has it (in VOC JSON null).

#include <array>
#include <string>
#include <string_view>

#include "daemon/tools/eval.h"

namespace detwatch::tools {

// The twelve COCO numbers, NaN where undefined, in COCO's order. Requires: a COCO report.
struct Stat {
  std::string_view name;  // "AP", "AP50", ..., "ARl"
  accumulate::ApValue value;
};
[[nodiscard]] std::array<Stat, 12> CocoStats(const EvalReport& report);

// Aligned columns for people: a head line, a line per class and the means. `colour` adds ANSI sequences.
[[nodiscard]] std::string FormatTable(const EvalReport& report, bool colour);

// COCO: {"stats", "per_class"} by category id; VOC: {"iou", "plus1", "mAP", "classes", "per_class"} by class
// name. A binned report adds "bounds" with lower and upper ends. Ends with a line feed.
[[nodiscard]] std::string FormatJson(const EvalReport& report);

}  // namespace detwatch::tools
