#pragma once
// lib/pipeline -- the first half of the pipeline: messages in, cuts out. One thread owns it.
//
//   header, payload -> wire -> sequence -> class lists -> join -> match -> cut
//
// Whatever is wrong with a message is counted under one reason and costs nothing else; a readable header
// always advances its publisher's sequence. No I/O, no clock: `now` is passed in and never falls.
// Laws: EveryMessageIsCountedOnce, GoodFramesAroundBadOnesAreAllCounted. Cost: a few microseconds a frame.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/outcome.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/join/joiner.h"
#include "lib/pipeline/class_registry.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/routes.h"
#include "lib/wire/decode.h"

namespace detwatch::pipeline {

// What the daemon should tell the publisher, on the reliable socket.
struct Reaction {
  bool reply = false;  // now; otherwise the next acknowledgement is enough
  std::string publisher;
  std::uint64_t epoch = 0;
  std::uint64_t expected = 0;
  bool stale_epoch = false;
  std::vector<RejectedItem> rejected;
};

class Ingest {
 public:
  explicit Ingest(const PipelineConfig& config);

  Reaction OnMessage(Transport transport, std::string_view header, std::string_view payload, TimePoint now);
  // Something arrived that does not have two parts.
  void OnMalformed(Transport transport, std::size_t bytes);
  // Expiry of what waits. Call about once a second.
  void Tick(TimePoint now);
  // Everything since the last cut. Its marks become durable when the state says so.
  [[nodiscard]] std::unique_ptr<Cut> TakeCut(TimePoint now);

  // Feedback from the state: a cut is absorbed, and cells now use so many bytes.
  void OnAbsorbed(const std::vector<delivery::Sequences::Mark>& marks, std::size_t cell_bytes);
  [[nodiscard]] const delivery::PublisherState* Publisher(std::string_view name, Transport transport) const {
    return sequences_.Find(name, transport);
  }
  // What may change while running.
  void Reload(const Limits& limits, const join::JoinLimits& join, const LabelFilter& labels);
  void CountClockHolds(std::uint64_t holds) { cut_->counters.clock_holds += holds; }
  // Ordinals continue from here; for a state that was restored.
  void SetNextOrdinal(accumulate::Ordinal next) { next_ordinal_ = next; }

 private:
  struct Parked {  // waits for a class list
    wire::Message message;
    Transport transport = Transport::kSubscribe;
    TimePoint since;
    std::size_t bytes = 0;
  };
  using Outcome = Result<void, Reject>;

  Outcome Process(wire::Message&& message, Transport transport, TimePoint now, std::size_t bytes);
  Outcome OnPredictions(Predictions&& predictions, Transport transport, TimePoint now);
  Outcome OnLabels(Labels&& labels, Transport transport, TimePoint now);
  Outcome OnPair(wire::FramePair&& pair, Transport transport, TimePoint now);
  Outcome OnClassList(const ClassList& list, TimePoint now);
  // What counting accepted predictions will need once the joiner has taken them.
  struct Admit {
    Transport transport = Transport::kSubscribe;
    Model* model = nullptr;
    GroupId group{};  // of the first view
    PredictionStats stats;
  };
  [[nodiscard]] Admit Describe(const Route& route, const Predictions& predictions, Transport transport) const;
  Outcome Settle(join::Admission admission, const Admit& admit, TimePoint now);
  [[nodiscard]] Outcome CheckLabelIds(const Labels& labels) const;
  [[nodiscard]] bool Counts(const Labels& labels) const;  // by source and sampling
  // True when the message went to wait for a list; an error when it cannot.
  Result<bool, Reject> Park(wire::Message& message, Transport transport, TimePoint now, std::size_t bytes);
  void JudgeJoined(TimePoint now);
  void Judge(const join::Joined& joined, TimePoint now);
  void CountExpired();
  void CountReject(Transport transport, const Reject& reject);

  PipelineConfig config_;
  Duration quantum_;
  wire::Decoder decoder_;
  delivery::Sequences sequences_;
  ClassRegistry classes_;
  Routes routes_;
  join::Joiner joiner_;
  std::list<Parked> parked_;  // in order of arrival
  std::size_t parked_bytes_ = 0;
  accumulate::Ordinal next_ordinal_ = 1;
  std::unique_ptr<Cut> cut_;
  std::size_t classes_announced_ = 0;  // to the state, in cuts taken so far
  std::size_t sets_announced_ = 0;
  std::vector<std::uint32_t> prediction_slot_;  // by group: 1 + index into cut_->predictions

  // Kept between frames for their capacity.
  std::vector<wire::Item> items_;
  std::vector<join::Joined> joined_;
  std::vector<join::Expired> expired_;
  FrameOutcome outcome_;
  struct Columns {
    std::vector<Box> boxes;
    std::vector<float> scores;
    std::vector<ClassId> classes;
    std::vector<double> areas;
    std::vector<std::uint8_t> crowd, difficult;
    void Clear();
  } detections_, ground_truths_;
};

}  // namespace detwatch::pipeline
