#pragma once
// lib/pipeline -- halves of frames that ingest could not settle by itself, in the order in which they came.
// Ingest joins what meets within one cut; everything else travels here to the state, which has what came
// before.
//
// The fast path of ingest gives what settling one by one would give: it only joins labels that are the first
// of their frame. Threads: travel with the cut.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"

namespace detwatch::pipeline {

// A group of a view, interned by ingest; dense from 0, never reused.
enum class GroupId : std::uint32_t {};
[[nodiscard]] constexpr std::uint32_t Index(GroupId id) {
  return static_cast<std::uint32_t>(id);
}

// Which message something is from, to answer its publisher.
struct Sender {
  Transport transport = Transport::kSubscribe;
  std::string publisher;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::uint32_t item = 0;
};

struct PredictionArrival {
  Predictions predictions;
  FrameHash frame;
  std::uint32_t model = 0;      // interned by ingest
  std::vector<GroupId> groups;  // where they count, decided when they came
  TimePoint since;
  bool waits = true;  // false: labels are not expected, only those that are here already count
  std::shared_ptr<const Labels> given;  // came in the same message: judged by when none are held
};

struct LabelArrival {
  std::shared_ptr<const Labels> labels;
  FrameHash frame;
  Sender sender;
  bool used = false;          // ingest judged predictions of the frame by them
  bool known_before = false;  // labels of the frame were accepted before
};

// Judged by ingest, by labels that are not final.
struct KeptArrival {
  Predictions predictions;
  FrameHash frame;
  std::uint32_t model = 0;
  std::vector<GroupId> groups;
  accumulate::Ordinal ordinal = 0;
  TimePoint judged;
};

// monostate: met its other half meanwhile.
using Arrival = std::variant<std::monostate, PredictionArrival, LabelArrival, KeptArrival>;
using Arrivals = std::deque<Arrival>;  // grows without moving what is there

// The frames of one cut that have a half here.
struct RecentFrame {
  std::shared_ptr<const Labels> labels;  // the first ones of the frame, which came in this cut
  bool settled_later = false;            // something of the frame is for the state to decide
  std::size_t label_arrival = 0;         // its place in the arrivals
  std::vector<std::size_t> waiting;      // places of predictions
};
using RecentFrames = std::unordered_map<FrameHash, RecentFrame, FrameHashHash>;

}  // namespace detwatch::pipeline
