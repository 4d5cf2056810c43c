#pragma once
// lib/client -- publishes predictions and labels to one detwatch daemon; what a detector or a label tool
// links. The Python package `detwatch` has the same words.
//
// A call checks and encodes in the caller's thread, hands the bytes over under a mutex and returns; a
// background thread owns the socket. With `reliable` a message is kept until a checkpoint of the daemon
// holds it and is counted once through crashes and reconnects on that side; without, nothing is kept and
// the daemon counts the gaps. A daemon that is away never stalls a detector unless it asked for that: by
// default the oldest messages are given up, and a caller waits at most for the publisher's own thread, when
// it is 1 MB ahead of it.
//
// What was not acknowledged when a process dies is lost with it. To lose nothing: keep the frames, remember
// which number each call returned, write down the frame that belongs to `Stats().acknowledged_sequence`, and
// publish again what comes after it (examples/resume.cc). A frame published twice is counted once within the
// daemon's dedup horizon.
//
// Announcements (class lists, models, streams) are remembered and sent ahead of the first message of every
// connection, after a restart of the daemon and every 10 s.
//
// Laws (tests of the same name): EveryFrameArrivesOnceAndInOrder, ANewBootGetsEverythingBeyondDurable,
//   TheDaemonIsToldWhatWasDropped, BlockWaitsForRoomAndLosesNothing, AFrameWaitsForTheSubscription.
// Cost: 1.5 us of the caller for 100 boxes (checks 0.5, encoding 0.8; g++ -O2). Threads: any thread may call
// anything but the destructor. A fork: the child has a connection and counters of its own and holds nothing
// of its parent's; a given name is then the child's too and supersedes the parent. Nobody may be inside a
// call while the process forks. Errors: a Result that names the argument, before anything is sent.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/client/options.h"
#include "lib/core/frame.h"
#include "lib/core/geometry.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/wire/decode.h"

namespace detwatch::client {

struct PredictionDetails {
  TimePoint capture_time{};             // unknown when default
  double inference_seconds = 0;         // 0: unknown
  std::optional<std::string> stream{};  // in place of the publisher's
};

struct LabelDetails {
  std::span<const double> areas{};            // m square pixels, or none: width x height
  std::span<const std::uint8_t> crowd{};      // m, or none: no crowds
  std::span<const std::uint8_t> difficult{};  // m, or none: nothing difficult
  LabelSource source = LabelSource::kUnknown;
  Sampling sampling = Sampling::kUnknown;
  std::uint32_t revision = 0;  // a higher one replaces a lower one
  // No higher revision will come. When not said: true unless the source is human.
  std::optional<bool> final{};
  // The classes that were looked for. When not said: all of the list.
  std::optional<std::span<const std::uint32_t>> examined{};
  TimePoint capture_time{};
  std::optional<std::string> stream{};
};

class Publisher {
 public:
  // Starts to connect; does not wait for the daemon.
  [[nodiscard]] static Result<Publisher> Make(PublisherOptions options);
  // Closes without waiting.
  ~Publisher();
  Publisher(Publisher&&) noexcept;
  Publisher& operator=(Publisher&&) noexcept;

  // Each of the four calls below returns the number of its message: 1, 2, ... in the order of the calls. It
  // is not the sequence on the wire, where the publisher's announcements are numbered too.

  // Everything the model predicted on one frame: n boxes in pixels (finite, at most 1e9), n scores in
  // [0, 1], n ids of class_names. No boxes is a statement, and must be published too. frame_id: 1 to 128
  // bytes of UTF-8, unique per stream over the daemon's retention.
  [[nodiscard]] Result<std::uint64_t> Predictions(std::string_view frame_id, std::span<const Box> boxes,
                                                  std::span<const float> scores,
                                                  std::span<const std::uint32_t> class_ids,
                                                  const PredictionDetails& details = {});
  // What was really in one frame: m boxes and ids; judged against every model that predicted it.
  [[nodiscard]] Result<std::uint64_t> Labels(std::string_view frame_id, std::span<const Box> boxes,
                                             std::span<const std::uint32_t> class_ids,
                                             const LabelDetails& details = {});

  // For tools: a message as it is, unchecked; several models and streams may share a publisher. A ModelInfo,
  // StreamInfo or ClassList replaces the one of the same name, and is on the wire before what is sent after
  // it; it has no number, and 0 is returned.
  [[nodiscard]] Result<std::uint64_t> Send(const wire::Message& message);
  // The same for bytes of wire::EncodePayload or wire::EncodeBatch.
  [[nodiscard]] Result<std::uint64_t> SendPayload(std::string payload);

  // Waits until everything sent so far was acknowledged, or dropped (see Stats); without `reliable`, until
  // it was handed to the socket. False when `timeout` was not enough or the publisher was superseded.
  bool Flush(Duration timeout);
  // Flushes for up to `timeout` and ends the connection; the result is Flush's. Calls that wait for room then
  // fail. Idempotent.
  bool Close(Duration timeout);

  [[nodiscard]] PublisherStats Stats() const;
  // As in PublisherOptions, or the one that was made up.
  [[nodiscard]] std::string name() const;

 private:
  class Impl;
  explicit Publisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace detwatch::client
