// Halves that did not meet at once, one by one and in the order of their arrival: to be judged, to wait, to
// correct.
#include <cassert>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "lib/pipeline/state.h"
#include "lib/pipeline/state_parts.h"
#include "lib/wire/encode.h"

namespace detwatch::pipeline {
namespace {

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

[[noreturn]] void Damaged() {
  throw std::runtime_error("the store is damaged: a frame that waits cannot be read; see --storage.repair");
}

// Predictions as the ledger holds them: ordinal (0 while they wait), groups, payload.
std::string EncodeHeld(accumulate::Ordinal ordinal, const std::vector<GroupId>& groups,
                       const Predictions& predictions) {
  std::string out;
  AppendVarint(out, ordinal);
  AppendVarint(out, groups.size());
  for (const GroupId group : groups) {
    AppendVarint(out, Index(group));
  }
  out += wire::EncodePayload(predictions);
  return out;
}

struct HeldFrame {
  accumulate::Ordinal ordinal = 0;
  std::vector<GroupId> groups;
  std::string_view payload;
};

HeldFrame DecodeHeld(std::string_view bytes) {
  ByteReader in(bytes);
  HeldFrame held;
  held.ordinal = in.Varint();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    held.groups.push_back(static_cast<GroupId>(in.Varint()));
  }
  held.payload = in.Raw(in.left());
  if (!in.ok()) {
    Damaged();
  }
  return held;
}

Reject RejectOf(join::Admission admission) {
  switch (admission) {
    case join::Admission::kStale:
      return {RejectReason::kStaleRevision, "revision: a higher one was seen already"};
    case join::Admission::kTooLate:
      return {RejectReason::kTooLate, "labels: the frame was here, and is no longer held"};
    case join::Admission::kFinal:
      return {RejectReason::kTooLate, "revision: the frame was judged by labels that said they were final"};
    case join::Admission::kMemory:
      return {RejectReason::kMemory, "frame: larger than all that may wait for a join"};
    default:
      return {RejectReason::kConflict, "labels: seen before with other content or source; the first stays"};
  }
}

}  // namespace

// What settling one cut needs at hand.
struct State::Settling {
  Cut& cut;
  accumulate::Ordinal next_ordinal = 0;
  std::unordered_map<std::uint32_t, std::size_t> deltas;  // by model: its place in cut.models
  std::unordered_set<FrameHash, FrameHashHash> refused;   // ingest judged by labels that do not stand
  JudgedFrame judged;
  JudgedFrame judged_before;

  // The model's changes in this cut; null when it was forgotten.
  ModelDelta* Delta(const State& state, std::uint32_t model) {
    const auto found = deltas.find(model);
    if (found != deltas.end()) {
      return &cut.models[found->second];
    }
    if (model >= state.models_.size() || state.models_[model] == nullptr) {
      return nullptr;
    }
    ModelDelta delta;
    delta.model = model;
    delta.model_key = state.models_[model]->values.key;
    delta.tags = state.models_[model]->tags;
    delta.labels_expected = state.models_[model]->labels_expected;
    deltas.emplace(model, cut.models.size());
    cut.models.push_back(std::move(delta));
    return &cut.models.back();
  }
  void CountReject(const Sender& sender, Reject reject) {
    ++cut.counters.rejected[static_cast<std::size_t>(reject.reason)][At(sender.transport)];
    if (!sender.publisher.empty()) {
      cut.late_rejects.push_back({sender, std::move(reject)});
    }
  }
};

template <class T>
T State::Decode(std::string_view payload) {
  decoder_.DecodePayload(payload, items_);
  if (items_.size() != 1 || !items_.front() || !std::holds_alternative<T>(*items_.front())) {
    Damaged();
  }
  return std::move(std::get<T>(*items_.front()));
}

State::Evaluation* State::EvaluationOf(const std::vector<GroupId>& groups) {
  for (const GroupId id : groups) {
    const Group* group = FindGroup(id);
    if (group == nullptr) {
      continue;
    }
    for (const auto& evaluation : evaluations_) {
      if (evaluation->fingerprint == group->fingerprint) {
        return evaluation.get();
      }
    }
    evaluations_.push_back(std::make_unique<Evaluation>(*group->params));
    return evaluations_.back().get();
  }
  return nullptr;
}

void State::Settle(Cut& cut) {
  Settling now{cut, cut.reserved, {}, {}, {}, {}};
  for (std::size_t i = 0; i < cut.models.size(); ++i) {
    now.deltas.emplace(cut.models[i].model, i);
  }
  for (Arrival& arrival : cut.arrivals) {
    if (auto* predictions = std::get_if<PredictionArrival>(&arrival)) {
      Settle(*predictions, now);
    } else if (auto* labels = std::get_if<LabelArrival>(&arrival)) {
      Settle(*labels, now);
    } else if (auto* kept = std::get_if<KeptArrival>(&arrival)) {
      Settle(*kept, now);
    }
  }
  assert(now.next_ordinal <= std::max(cut.next_ordinal, cut.reserved));
  std::vector<join::Expired> expired;
  ledger_.Expire(cut.taken, expired);
  for (const join::Expired& half : expired) {
    if (!half.labels_missing) {
      ++cut.counters.expired_predictions_missing;
      continue;
    }
    ++cut.counters.expired_labels_missing;
    if (ModelDelta* delta = now.Delta(*this, half.model)) {
      ++delta->expired;
    }
  }
}

void State::Settle(PredictionArrival& arrival, Settling& now) {
  const TimePoint at = now.cut.taken;
  if (const auto held = ledger_.UseLabels(arrival.frame, at)) {
    const auto labels = Decode<Labels>(held->bytes);
    JudgeLate(arrival.predictions, labels, arrival.frame, arrival.model, arrival.groups, at, now);
    return;
  }
  if (arrival.given != nullptr) {
    // The labels of the frame were used and linger no more; the predictions are judged all the same, and
    // corrected with the others where these are the labels that stand.
    Labels labels = *arrival.given;
    labels.final = labels.final || !ledger_.JudgedBy(arrival.frame, labels.revision, labels.content_hash);
    JudgeLate(arrival.predictions, labels, arrival.frame, arrival.model, arrival.groups, at, now);
    return;
  }
  if (!arrival.waits) {
    ++now.cut.counters.never_expected;
    return;
  }
  const std::string bytes = EncodeHeld(0, arrival.groups, arrival.predictions);
  if (ledger_.Wait(arrival.frame, arrival.model, bytes, arrival.since) != join::Admission::kAccepted) {
    now.CountReject({}, RejectOf(join::Admission::kMemory));
  }
}

void State::Settle(LabelArrival& arrival, Settling& now) {
  const Labels& labels = *arrival.labels;
  auto held = std::make_shared<join::HeldLabels>();
  held->revision = labels.revision;
  held->source = labels.source;
  held->final = labels.final;
  held->content_hash = labels.content_hash;
  held->bytes = wire::EncodePayload(labels);
  const join::LabelFate fate =
      ledger_.OnLabels(arrival.frame, std::move(held), arrival.used, arrival.known_before, now.cut.taken);
  IngestCounters& counters = now.cut.counters;
  LabelTally& tally = now.cut.Tally(arrival.sender);
  switch (fate.admission) {
    case join::Admission::kAccepted:
      ++counters.labels[At(arrival.sender.transport)];
      ++(fate.waits ? tally.waiting : tally.joined);
      tally.corrected += fate.corrected.empty() ? 0 : 1;
      break;
    case join::Admission::kDuplicate:
      ++counters.duplicate_labels[At(arrival.sender.transport)];
      ++tally.duplicate;
      return;
    default: {
      Reject reject = RejectOf(fate.admission);
      ++(reject.reason == RejectReason::kTooLate ? tally.late : tally.refused);
      now.CountReject(arrival.sender, std::move(reject));
      if (arrival.used) {
        now.refused.insert(arrival.frame);
      }
      return;
    }
  }
  for (const join::HeldPredictions& half : fate.joined) {
    const HeldFrame frame = DecodeHeld(half.bytes);
    JudgeLate(Decode<Predictions>(frame.payload), labels, arrival.frame, half.model, frame.groups, half.since,
              now);
  }
  if (!fate.corrected.empty()) {
    const auto before = Decode<Labels>(fate.before->bytes);
    for (const join::HeldPredictions& half : fate.corrected) {
      CorrectFrame(half, before, labels, now);
    }
  }
}

void State::Settle(KeptArrival& arrival, Settling& now) {
  if (now.refused.contains(arrival.frame)) {
    return;  // a correction would take out the outcome by labels that it was not judged by
  }
  ledger_.Keep(arrival.frame, arrival.model, EncodeHeld(arrival.ordinal, arrival.groups, arrival.predictions),
               arrival.judged);
  for (const GroupId id : arrival.groups) {
    if (Group* group = FindGroup(id)) {
      group->correctable = true;
    }
  }
}

// Predictions whose labels are here now: they enter the windows at this moment.
void State::JudgeLate(const Predictions& predictions, const Labels& labels, const FrameHash& frame,
                      std::uint32_t model, const std::vector<GroupId>& groups, TimePoint since,
                      Settling& now) {
  Cut& cut = now.cut;
  const accumulate::Ordinal ordinal = now.next_ordinal++;
  if (Evaluation* evaluation = EvaluationOf(groups)) {
    judge_.Run(predictions, labels, classes_, evaluation->matcher, now.judged);
    cut.counters.unjudged_detections += now.judged.unjudged_detections;
    cut.counters.unjudged_ground_truths += now.judged.unjudged_ground_truths;
    const TimePoint capture =
        predictions.capture_time == TimePoint{} ? labels.capture_time : predictions.capture_time;
    Segment& segment = cut.SegmentAt(FloorDivide(ToUnixNanos(cut.taken), quantum_.count()));
    const Counting how{evaluation->params, evaluation->shape};
    for (const GroupId group : groups) {
      const Group* counts = FindGroup(group);
      if (counts == nullptr) {
        continue;
      }
      if (counts->fingerprint != evaluation->fingerprint) {
        ++cut.counters.groups_refused;  // since it came, other models of the group got other rules
        continue;
      }
      AddFrame(segment, group, how, now.judged.outcome, ordinal, capture, config_.ring_capacity);
      GroupDelta& delta = segment.Group(group);
      for (const ClassId class_id : now.judged.classes()) {
        delta.Cell(class_id, evaluation->shape).counts.AddTally(evaluation->shape.Frames(), 1);
      }
    }
  }
  if (ModelDelta* delta = now.Delta(*this, model)) {
    ++delta->judged;
    delta->last_label = cut.taken;
  }
  ++cut.counters.judged_frames;
  cut.counters.label_delay.Observe(kLabelDelayEdges, ToSeconds(cut.taken - since));
  if (ledger_.Keeps(labels.final)) {
    KeptArrival kept{predictions, frame, model, groups, ordinal, cut.taken};
    Settle(kept, now);
  }
}

// Takes the outcome by the old labels out of everything that still holds it, and puts the new one in.
void State::CorrectFrame(const join::HeldPredictions& held, const Labels& before, const Labels& after,
                         Settling& now) {
  const HeldFrame frame = DecodeHeld(held.bytes);
  Evaluation* evaluation = EvaluationOf(frame.groups);
  if (evaluation == nullptr) {
    return;  // the model was forgotten: nothing holds the frame any more
  }
  Cut& cut = now.cut;
  const auto predictions = Decode<Predictions>(frame.payload);
  judge_.Run(predictions, before, classes_, evaluation->matcher, now.judged_before);
  judge_.Run(predictions, after, classes_, evaluation->matcher, now.judged);
  ++cut.counters.corrected_frames;
  cut.counters.unjudged_detections += now.judged.unjudged_detections;
  cut.counters.unjudged_ground_truths += now.judged.unjudged_ground_truths;
  cut.counters.retracted_unjudged_detections += now.judged_before.unjudged_detections;
  cut.counters.retracted_unjudged_ground_truths += now.judged_before.unjudged_ground_truths;
  const std::int64_t quantum = FloorDivide(ToUnixNanos(held.since), quantum_.count());
  Segment& segment = cut.corrections[quantum];
  segment.quantum = quantum;
  const Counting how{evaluation->params, evaluation->shape};
  for (const GroupId id : frame.groups) {
    const Group* group = FindGroup(id);
    if (group != nullptr && frame.ordinal >= group->first_ordinal &&
        group->fingerprint == evaluation->fingerprint) {
      ReplaceFrame(segment, id, how, now.judged_before, now.judged, frame.ordinal);
    }
  }
}

}  // namespace detwatch::pipeline
