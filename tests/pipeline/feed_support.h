#pragma once
// Messages for the pipeline as a publisher would send them, and frames to put in them.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lib/pipeline/ingest.h"
#include "lib/pipeline/state.h"
#include "lib/wire/encode.h"

namespace detwatch::test {

inline TimePoint At(double seconds) {
  return FromUnixNanos(static_cast<std::int64_t>(seconds * 1e9));
}

// One publisher on one transport; keeps its sequence.
class Feed {
 public:
  explicit Feed(pipeline::Ingest& ingest, std::string name = "camera-1",
                Transport transport = Transport::kReliable)
      : ingest_(ingest), transport_(transport) {
    header_.publisher = std::move(name);
    header_.epoch = 1;
    header_.oldest_held = 1;
  }

  pipeline::Reaction Send(const wire::Message& message, TimePoint now) {
    return SendBytes(wire::EncodePayload(message), now);
  }
  pipeline::Reaction SendBytes(const std::string& payload, TimePoint now) {
    ++header_.sequence;
    return ingest_.OnMessage(transport_, wire::EncodeHeader(header_), payload, now);
  }
  Header& header() { return header_; }

 private:
  pipeline::Ingest& ingest_;
  Transport transport_;
  Header header_;
};

ClassList MakeClassList(std::vector<std::pair<std::uint32_t, std::string>> entries);
// {0: "person", 1: "car", 2: "dog"}
ClassList ThreeClasses();

// A frame with `objects` ground truths, most of them detected, and some clutter; ids of ThreeClasses.
struct RandomFrame {
  Predictions predictions;
  Labels labels;
};
RandomFrame MakeFrame(std::mt19937& random, const std::string& frame_id, int objects = 5);

// The numbers of this moment.
std::shared_ptr<const snapshot::Snapshot> Take(pipeline::State& state, TimePoint now);

// Takes a cut and absorbs it.
void Absorb(pipeline::Ingest& ingest, pipeline::State& state, TimePoint now);

// All frames judged from scratch, every detection kept: the mean over classes.
accumulate::MeanSummary FromScratch(const EvaluationParams& params,
                                    const std::vector<const RandomFrame*>& frames);

}  // namespace detwatch::test
