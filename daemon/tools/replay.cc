#include "daemon/tools/replay.h"

#include <ostream>

#include "daemon/files/dataset_files.h"

namespace detwatch::tools {

int RunReplay(const ReplayOptions& options, std::ostream& out, std::ostream& err) {
  files::ReadOptions read;
  read.image_size = options.image_size;
  auto data = files::ReadGroundTruth(options.ground_truth, read);
  if (data) {
    if (const auto predictions = files::ReadPredictions(options.predictions, read, *data); !predictions) {
      data = tl::unexpected(predictions.error());
    }
  }
  if (!data) {
    err << "detwatch replay: " << data.error().message << '\n';
    return 1;
  }
  for (const std::string& warning : data->warnings) {
    err << "detwatch replay: " << warning << '\n';
  }
  auto sender = FrameSender::Make(options.send, data->classes, options.loop ? 0 : data->frames.size(), err);
  if (!sender) {
    err << "detwatch replay: " << sender.error().message << '\n';
    return 2;
  }
  for (std::uint64_t pass = 0; pass == 0 || options.loop; ++pass) {
    // A frame id is unique per stream, so a second pass needs other ones.
    const std::string suffix = pass == 0 ? "" : "#" + std::to_string(pass);
    for (const dataset::Frame& frame : data->frames) {
      if (const auto sent = sender->Send(frame, suffix); !sent) {
        err << "detwatch replay: frame " << frame.frame_id << ": " << sent.error().message << '\n';
        return 1;
      }
    }
    if (data->frames.empty()) {
      break;
    }
  }
  return sender->Finish(out);
}

}  // namespace detwatch::tools
