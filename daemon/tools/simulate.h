#pragma once
// daemon/tools -- `detwatch simulate`: a scene, streamed to a daemon, written as a COCO data set, or both.

#include <cstdint>
#include <filesystem>
#include <iosfwd>

#include "daemon/tools/frame_sender.h"
#include "daemon/tools/scene.h"

namespace detwatch::tools {

struct SimulateOptions {
  SceneOptions scene;
  std::uint64_t frames = 0;   // 0: until interrupted; needs `send.to`
  std::filesystem::path out;  // folder for ground_truth.json and predictions.json; empty: none
  SendOptions send;           // empty `to`: only files
};

// Returns the exit code: 0, 1 when a file cannot be written or not everything was acknowledged, 2 when the
// options do not go together.
[[nodiscard]] int RunSimulate(const SimulateOptions& options, std::ostream& out, std::ostream& err);

}  // namespace detwatch::tools
