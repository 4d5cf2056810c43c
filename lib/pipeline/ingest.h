#pragma once
// lib/pipeline -- the first half of the pipeline: messages in, cuts out. One thread owns it.
//
//   header, payload -> wire -> sequence -> class lists -> seen before? -> join what meets -> match -> cut
//
// Frames whose halves meet within one cut are joined and judged here; every other half travels in the cut and
// is settled by the state, in order. Only first labels join here. Whether they are the first is known from
// dedup keys, which reach back for an hour or so; where the state holds labels that are older than that, what
// was judged here travels as well, and is taken back if the labels turn out not to stand. Whatever is wrong
// with a message is counted under one reason and costs nothing else; a readable header always advances its
// publisher's sequence. No I/O, no clock: `now` is passed in and never falls. Laws (tests of the same name):
// EveryMessageIsCountedOnce,
//   GoodFramesAroundBadOnesAreAllCounted, ItDoesNotMatterWhereACutFalls. Cost: a few microseconds a frame.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/join/seen.h"
#include "lib/judge/class_registry.h"
#include "lib/judge/judge.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/restored.h"
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
  // `restored`: what the state's store held.
  explicit Ingest(const PipelineConfig& config, const Restored& restored = {});

  Reaction OnMessage(Transport transport, std::string_view header, std::string_view payload, TimePoint now);
  // Something arrived that does not have two parts.
  void OnMalformed(Transport transport, std::size_t bytes);
  // Expiry of what waits for a class list, and of what was idle. Call about once a second.
  void Tick(TimePoint now);
  // Everything since the last cut. Its marks become durable when the state says so. Cheap: nothing is copied.
  [[nodiscard]] std::unique_ptr<Cut> TakeCut(TimePoint now);
  // What the next cut holds, about.
  [[nodiscard]] std::size_t cut_bytes() const { return cut_bytes_; }

  // A cut is absorbed and durable.
  void OnAbsorbed(const Absorbed& absorbed);
  [[nodiscard]] const delivery::PublisherState* Publisher(std::string_view name, Transport transport) const {
    return sequences_.Find(name, transport);
  }
  // Takes over what may change while running: limits, the label filter, join, dedup, and what views show.
  // Requires: what a count means is the same (config::RefusedChanges).
  void Reload(const PipelineConfig& next);
  // Times that the wall clock was not followed, since the last call.
  void CountClock(std::uint64_t holds, std::uint64_t set_backs) {
    cut_->counters.clock_holds += holds;
    cut_->counters.clock_set_backs += set_backs;
  }

 private:
  struct Parked {  // waits for a class list
    std::uint64_t number = 0;
    wire::Message message;
    Sender sender;
    TimePoint since;
    std::size_t bytes = 0;
  };
  using Outcome = Result<void, Reject>;

  void OnNotTaken(const Header& header, const delivery::Verdict& verdict, Transport transport,
                  Reaction& reaction);
  Outcome Process(wire::Message&& message, const Sender& sender, TimePoint now, std::size_t bytes);
  Outcome OnPredictions(Predictions&& predictions, const Sender& sender, TimePoint now);
  Outcome OnLabels(Labels&& labels, const Sender& sender, TimePoint now);
  Outcome OnPair(wire::FramePair&& pair, const Sender& sender, TimePoint now);
  Outcome OnClassList(const ClassList& list, TimePoint now);
  // Predictions whose ids and route are in order.
  Outcome AdmitPredictions(Predictions&& predictions, const Route& route, const Sender& sender,
                           TimePoint now);
  // Labels whose ids are in order. `meet`: new predictions came in the same message and follow.
  Outcome AdmitLabels(const std::shared_ptr<const Labels>& labels, bool meet, const Sender& sender,
                      TimePoint now);
  // First labels of the frame: what waits in this cut is judged.
  void JoinRecent(RecentFrame& recent, const std::shared_ptr<const Labels>& labels, std::size_t place,
                  TimePoint now);
  void CountPredictions(const Route& route, const Predictions& predictions, Transport transport,
                        TimePoint now);
  [[nodiscard]] Outcome CheckLabelIds(const Labels& labels) const;
  [[nodiscard]] bool Counts(const Labels& labels) const;  // by source and sampling
  // True when the message went to wait for a list; an error when it cannot.
  Result<bool, Reject> Park(wire::Message& message, const Sender& sender, TimePoint now, std::size_t bytes);
  void Unpark(const Parked& parked);
  void ExpireParked(TimePoint now);
  // Its reply went out long ago: the publisher is told with the cut.
  void RefuseLate(const Sender& sender, bool labels, Reject reject);
  void JudgeNow(settle::PredictionArrival&& half, const Labels& labels, KnownModel& model, TimePoint now);
  // Labels of the frame may be held that dedup keys do not remember.
  [[nodiscard]] bool InDoubt() const { return labels_since_ < seen_labels_.complete_since(); }
  [[nodiscard]] static std::uint64_t DedupKey(const FrameHash& frame, const KnownModel& model) {
    return frame.low ^ model.hash;
  }
  [[nodiscard]] Result<void, Reject> HasRoom(std::size_t bytes) const;
  void CountReject(Transport transport, const Reject& reject);

  PipelineConfig config_;
  Duration quantum_;
  wire::Decoder decoder_;
  delivery::Sequences sequences_;
  judge::ClassRegistry classes_;
  Routes routes_;
  join::Seen seen_predictions_;
  join::Seen seen_labels_;
  std::list<Parked> parked_;  // in order of arrival
  std::size_t parked_bytes_ = 0;
  std::uint64_t next_parked_ = 1;
  accumulate::Ordinal next_ordinal_ = 1;
  std::unique_ptr<Cut> cut_;
  std::size_t cut_bytes_ = 0;
  std::size_t cut_ordinals_ = 0;                // that settling the cut may need
  TimePoint labels_since_;                      // that the state holds, see Absorbed
  std::uint64_t refusals_known_ = 0;            // of cuts up to here
  std::vector<std::uint32_t> prediction_slot_;  // by group: 1 + index into cut_->predictions
  TimePoint next_expiry_;

  // Kept between frames for their capacity.
  std::vector<wire::Item> items_;
  judge::Judge judge_;
  judge::JudgedFrame judged_;
};

}  // namespace detwatch::pipeline
