#pragma once
// daemon/tools -- what every tool that publishes needs: a publisher that blocks, a pace, one line of
// progress, and an end to its patience.
//
// On a terminal the line is written over; in a pipe there is none. A daemon that stays silent for longer than
// the patience ends the tool, also while there is no room for more.
// Threads: one. Reads the clock: this is a tool.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <iosfwd>
#include <string>
#include <vector>

#include "lib/client/publisher.h"
#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::tools {

struct PublishOptions {
  std::string to;                // endpoint of the daemon
  bool fire_and_forget = false;  // PUB to the daemon's SUB instead of acknowledged delivery
  std::string publisher;         // who sends; empty: a name for this run only
  std::string model = "replay";  // empty: labels only
  std::string version = "1";
  std::string stream;
  double rate = 0;                                   // frames per second, 0: as fast as it goes
  Duration patience = std::chrono::seconds(30);      // without any answer from the daemon, give up
  bool json = false;                                 // the summary
  std::size_t window_bytes = std::size_t{64} << 20;  // held until they are acknowledged, at most
};

[[nodiscard]] TimePoint Now();

class ToolPublisher {
 public:
  static constexpr Duration kProgressInterval = std::chrono::milliseconds(200);

  // `total` frames will come, 0: not known. `classes`: names by the class ids used in frames. `tool`: for the
  // name of the publisher, when none was given.
  [[nodiscard]] static Result<ToolPublisher> Make(const PublishOptions& options, const std::string& tool,
                                                  const std::vector<dataset::ClassEntry>& classes,
                                                  std::uint64_t total, std::ostream& err);

  // When the next frame may go, at the wanted rate; in the past without one.
  [[nodiscard]] TimePoint Turn() const;
  // Sleeps until then, but no longer than the progress line may stand still.
  void Wait(TimePoint until);
  // Waits for room first. An error when the daemon stayed silent for too long.
  [[nodiscard]] Result<void> Send(const wire::Message& message);
  void FrameSent();  // one more of `total`

  // Waits until everything is acknowledged; false when patience ended before, or another run took over.
  [[nodiscard]] bool Finish();
  // On the error stream, after a Finish that was false.
  void PrintWhyIncomplete() const;

  [[nodiscard]] client::PublisherStats Stats() const { return publisher_.Stats(); }
  [[nodiscard]] ClassListHash class_list() const { return class_list_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] double seconds() const { return ToSeconds(Now() - started_); }

 private:
  ToolPublisher(const PublishOptions& options, client::Publisher publisher, ClassListHash class_list,
                std::uint64_t total, std::ostream& err);
  [[nodiscard]] bool HasRoom(std::size_t bytes);
  void ShowProgress(bool now);
  // True when the daemon has been silent for too long.
  [[nodiscard]] bool GaveUp();

  PublishOptions options_;
  client::Publisher publisher_;
  ClassListHash class_list_;
  std::uint64_t total_;
  std::ostream* err_;
  bool terminal_;
  TimePoint started_;
  TimePoint shown_;
  TimePoint heard_;
  std::uint64_t frames_ = 0;
  std::deque<std::size_t> held_;  // sizes of what the publisher holds, at most
  std::size_t held_bytes_ = 0;
};

}  // namespace detwatch::tools
