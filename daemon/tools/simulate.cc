#include "daemon/tools/simulate.h"

#include <optional>
#include <ostream>
#include <vector>

#include "daemon/tools/coco_writer.h"

namespace detwatch::tools {

int RunSimulate(const SimulateOptions& options, std::ostream& out, std::ostream& err) {
  if (options.send.to.empty() && options.out.empty()) {
    err << "detwatch simulate: needs --to ENDPOINT, --out FOLDER or both\n";
    return 2;
  }
  if (options.frames == 0 && !options.out.empty()) {
    err << "detwatch simulate: --out needs --frames: a file has to end\n";
    return 2;
  }
  const std::vector<dataset::ClassEntry> classes = Scene::Classes();
  Scene scene(options.scene);
  std::vector<dataset::Frame> frames;
  if (!options.out.empty()) {
    for (std::uint64_t i = 0; i < options.frames; ++i) {
      frames.push_back(scene.Next());
    }
    if (const auto written = WriteCoco(options.out, classes, frames); !written) {
      err << "detwatch simulate: " << written.error().message << '\n';
      return 1;
    }
    if (options.send.to.empty()) {
      out << frames.size() << " frames written to " << options.out.string() << '\n';
      return 0;
    }
  }
  auto sender = FrameSender::Make(options.send, classes, options.frames, err);
  if (!sender) {
    err << "detwatch simulate: " << sender.error().message << '\n';
    return 2;
  }
  for (std::uint64_t i = 0; options.frames == 0 || i < options.frames; ++i) {
    const auto sent = sender->Send(frames.empty() ? scene.Next() : frames[i], "");
    if (!sent) {
      err << "detwatch simulate: " << sent.error().message << '\n';
      return 1;
    }
  }
  return sender->Finish(out);
}

}  // namespace detwatch::tools
