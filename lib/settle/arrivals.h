#pragma once
// lib/settle -- halves of frames that ingest could not settle by itself, in the order in which they came.
// Ingest joins what meets within one cut; everything else travels here to be settled against what came
// before.
//
// The fast path of ingest gives what settling one by one would give: it only joins labels of which it knows
// no others. Where labels might be held that it does not know of, what it judged travels with the labels
// until they are settled, so that it can be taken back. Threads: travel with the cut.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/cells/contribution.h"
#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/core/time.h"

namespace detwatch::settle {

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
  std::uint32_t model = 0;             // interned by ingest
  std::vector<cells::GroupId> groups;  // where they count, decided when they came
  TimePoint since;                     // when they came
  bool waits = true;  // false: labels are not expected, only those that are here already count
  Sender sender;
  std::uint64_t dedup_key = 0;
};

struct LabelArrival {
  std::shared_ptr<const Labels> labels;
  FrameHash frame;
  Sender sender;
  // Ingest judged predictions by them, or some came in the same message and follow.
  bool meets = false;
  std::optional<std::uint64_t> remembered;  // by dedup keys, before these came: a join::LabelKey
};

// Ingest judged them, and contributed the outcome, by labels that are settled before them; whether they count
// as judged is decided with the labels.
struct JudgedArrival {
  PredictionArrival half;
  accumulate::Ordinal ordinal = 0;
  TimePoint judged;
  bool final = false;  // the labels
  std::uint64_t unjudged_detections = 0;
  std::uint64_t unjudged_ground_truths = 0;
};

// monostate: met its other half meanwhile.
using Arrival = std::variant<std::monostate, PredictionArrival, LabelArrival, JudgedArrival>;
using Arrivals = std::deque<Arrival>;  // grows without moving what is there

// An answer to a message that is known only once the message is settled.
struct LateReject {
  Sender sender;
  Reject reject;
};

// A dedup key that ingest inserted for what was then refused: it has to be put back to what it was, or to
// what was accepted meanwhile. Nothing happens where ingest has something else than `provisional` by then.
struct RefusedKey {
  bool labels = false;  // else predictions
  std::uint64_t key = 0;
  std::optional<std::uint64_t> provisional;
  std::optional<std::uint64_t> before;
};

// What became of label messages of reliable publishers: of the newest run of each.
class LabelTallies {
 public:
  // Of the sender's run; a place that nobody reads when it is not a reliable publisher's newest.
  [[nodiscard]] LabelTally& Of(const Sender& sender);
  using ByPublisher = std::unordered_map<std::string, std::pair<std::uint64_t, LabelTally>>;  // epoch, tally
  [[nodiscard]] const ByPublisher& all() const { return all_; }

 private:
  ByPublisher all_;
  LabelTally nobody_;
};

// Counts of a model in one cut.
struct ModelCounts {
  std::uint64_t frames = 0;
  std::uint64_t judged = 0;
  std::uint64_t expired = 0;
  TimePoint last_frame;
  TimePoint last_label;
};

}  // namespace detwatch::settle
