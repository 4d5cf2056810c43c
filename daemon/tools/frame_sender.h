#pragma once
// daemon/tools -- sends frames of a data set or a simulation to a daemon, at a pace, labels now or later.
//
// Each frame is two messages, predictions and labels, as a detector and a label tool would send them. With a
// delay the labels of a frame follow that much later. On a terminal one line shows the progress and is
// written over; in a pipe there is only the summary at the end.
// Threads: one. Reads the clock: this is a tool.

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>
#include <vector>

#include "daemon/tools/tool_publisher.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

struct SendOptions : PublishOptions {
  Duration label_delay{};  // of each frame's labels behind its predictions
  LabelSource source = LabelSource::kUnknown;
  Sampling sampling = Sampling::kUnknown;
};

class FrameSender {
 public:
  // `total` frames will come, 0: not known. `classes`: names by the class ids used in frames.
  [[nodiscard]] static Result<FrameSender> Make(const SendOptions& options,
                                                const std::vector<dataset::ClassEntry>& classes,
                                                std::uint64_t total, std::ostream& err);

  // Waits for the frame's turn, then sends it. `suffix` is added to its frame id.
  [[nodiscard]] Result<void> Send(const dataset::Frame& frame, const std::string& suffix);
  // Sends the labels that are still due, waits for all acknowledgements and prints the summary. The exit
  // code: 0, or 1 when something was rejected, dropped or never acknowledged.
  [[nodiscard]] int Finish(std::ostream& out);

 private:
  FrameSender(const SendOptions& options, ToolPublisher publisher, std::ostream& err)
      : options_(options), publisher_(std::move(publisher)), err_(&err) {}
  [[nodiscard]] Result<void> SendLabels(TimePoint until);
  [[nodiscard]] int Summarise(bool complete, std::ostream& out);

  struct DueLabels {
    TimePoint due;
    Labels labels;
  };

  SendOptions options_;
  ToolPublisher publisher_;
  std::ostream* err_;
  std::deque<DueLabels> due_;
};

}  // namespace detwatch::tools
