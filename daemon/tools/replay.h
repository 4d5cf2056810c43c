#pragma once
// daemon/tools -- `detwatch replay`: streams a data set with predictions to a daemon, in ascending image id,
// the order in which the reference evaluator breaks ties, so that the daemon's numbers are its numbers.

#include <filesystem>
#include <iosfwd>
#include <optional>

#include "daemon/tools/frame_sender.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

struct ReplayOptions {
  std::filesystem::path ground_truth;
  std::filesystem::path predictions;
  std::optional<dataset::ImageSize> image_size;
  bool loop = false;  // again and again, with new frame ids, until interrupted
  SendOptions send;
};

// Returns the exit code: 0 when everything was acknowledged, 1 otherwise.
[[nodiscard]] int RunReplay(const ReplayOptions& options, std::ostream& out, std::ostream& err);

}  // namespace detwatch::tools
