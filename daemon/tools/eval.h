#pragma once
// daemon/tools -- `detwatch eval`: a data set and predictions from files, judged by the same matcher and
// curves as the live daemon, without its windows. Exact by default; `binned` shows what the daemon's
// histogram would say of the same detections, with its bounds.
//
// Laws (tests of the same name): ExactAgreesWithTheReferenceEvaluator, BoundsHoldTheExactValue.
// Cost: 60 bytes a detection beside the data set in exact mode, none in binned mode. Threads: none.
// Errors: as values; RunEval prints them.

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "lib/accumulate/summary.h"
#include "lib/core/evaluation.h"
#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

enum class Method : std::uint8_t {
  kExact,   // from single detections
  kBinned,  // from the histogram of a total
};

enum class OutputFormat : std::uint8_t { kTable, kJson };

struct EvalOptions {
  std::filesystem::path ground_truth;
  std::filesystem::path predictions;
  Protocol protocol;
  bool voc_inclusive_pixels = false;  // only with a VOC protocol
  Method method = Method::kExact;
  OutputFormat format = OutputFormat::kTable;
  std::optional<dataset::ImageSize> image_size;  // of all YOLO images
};

struct ClassReport {
  dataset::ClassEntry entry;
  std::int64_t detections = 0;  // in the files, whatever became of them
  accumulate::ClassSummary summary;
};

struct EvalReport {
  EvaluationParams params;
  Method method = Method::kExact;
  std::size_t frames = 0;
  std::size_t ground_truths = 0;  // in the files, with crowd and difficult ones
  std::size_t detections = 0;
  accumulate::MeanSummary mean;
  std::vector<ClassReport> classes;  // ascending id, all of the data set
};

// Judges every frame; every class counts as examined in every frame. Errors: options that do not go together.
[[nodiscard]] Result<EvalReport> Evaluate(const dataset::Dataset& data, const EvalOptions& options);

// Reads, judges and prints. Errors and warnings go to `err`, and on a terminal a line of progress when
// reading takes long. Returns the exit code: 0, 1 when a file is wrong, 2 when the options are.
[[nodiscard]] int RunEval(const EvalOptions& options, std::ostream& out, std::ostream& err);

}  // namespace detwatch::tools
