#include "lib/settle/settler.h"

#include <cassert>
#include <utility>

#include "lib/join/label_key.h"
#include "lib/settle/held.h"
#include "lib/settle/work.h"
#include "lib/wire/encode.h"

namespace detwatch::settle {
namespace {

// Frames that were accepted once are read again whatever the limits are now.
wire::WireLimits StoredLimits() {
  wire::WireLimits limits;
  limits.message_bytes = std::size_t{1} << 30;
  limits.boxes_per_frame = 65535;
  limits.classes_per_list = SIZE_MAX;
  return limits;
}

std::uint64_t KeyOf(const Labels& labels) {
  return join::LabelKey(labels.revision, labels.source, labels.content_hash);
}

}  // namespace

LabelTally& LabelTallies::Of(const Sender& sender) {
  if (sender.transport != Transport::kReliable) {
    return nobody_;
  }
  auto& [epoch, tally] = all_[sender.publisher];
  if (epoch < sender.epoch) {
    epoch = sender.epoch;
    tally = {};
  }
  return epoch == sender.epoch ? tally : nobody_;
}

Settler::Settler(const join::JoinLimits& limits, Duration quantum, std::size_t ring_capacity,
                 std::size_t max_sets, KeyValue& store)
    : quantum_(quantum),
      ring_capacity_(ring_capacity),
      ledger_(limits, store),
      lists_(max_sets),
      decoder_(StoredLimits()) {}

void Settler::AddGroup(cells::GroupId id, std::shared_ptr<const EvaluationParams> params,
                       accumulate::Ordinal first_ordinal) {
  auto& evaluation = evaluations_[params->Fingerprint()];
  if (evaluation == nullptr) {
    evaluation = std::make_unique<cells::Evaluation>(std::move(params));
  }
  groups_[Index(id)] = {evaluation.get(), first_ordinal};
}

const Settler::Group* Settler::FindGroup(cells::GroupId id) const {
  const auto found = groups_.find(Index(id));
  return found == groups_.end() ? nullptr : &found->second;
}

cells::Evaluation* Settler::EvaluationOf(const std::vector<cells::GroupId>& groups) {
  for (const cells::GroupId id : groups) {
    if (const Group* group = FindGroup(id)) {
      return group->evaluation;
    }
  }
  return nullptr;
}

Settled Settler::Settle(const Arrivals& arrivals, const Moment& moment) {
  Settled settled;
  Work work{moment, settled, moment.first_ordinal, {}, {}, {}};
  std::erase_if(refusals_, [&](const auto& entry) { return entry.second.cut <= moment.refusals_known; });
  for (const Arrival& arrival : arrivals) {
    if (const auto* predictions = std::get_if<PredictionArrival>(&arrival)) {
      Settle(*predictions, work);
    } else if (const auto* labels = std::get_if<LabelArrival>(&arrival)) {
      Settle(*labels, work);
    } else if (const auto* judged = std::get_if<JudgedArrival>(&arrival)) {
      Settle(*judged, work);
    }
  }
  assert(work.next_ordinal <= moment.end_ordinal);
  Expire(work);
  // Also of the cuts before: what ingest puts back for those must not be the last that the store hears.
  for (auto& [key, refusal] : refusals_) {
    settled.refused_keys.push_back({true, key, refusal.ingest, refusal.stands});
    refusal.ingest = refusal.stands;
  }
  settled.new_sets = lists_.TakeNewSets();
  return settled;
}

void Settler::Expire(Work& work) {
  std::vector<join::Expired> expired;
  ledger_.Expire(work.moment.taken, expired);
  for (const join::Expired& half : expired) {
    if (half.labels_missing) {
      ++work.settled.counters.expired_labels_missing;
      ++work.settled.models[half.model].expired;
    } else {
      ++work.settled.counters.expired_predictions_missing;
    }
  }
}

void Settler::Settle(const PredictionArrival& arrival, Work& work) {
  const TimePoint at = work.moment.taken;
  if (const auto held = ledger_.UseLabels(arrival.frame, at)) {
    JudgeLate(arrival.predictions, Decode<Labels>(held->bytes), arrival.frame, arrival.model, arrival.groups,
              at, work);
    return;
  }
  if (!arrival.waits) {
    ++work.settled.counters.never_expected;
    return;
  }
  const std::string bytes = EncodeHeld(0, arrival.groups, arrival.predictions);
  if (!ledger_.Wait(arrival.frame, arrival.model, bytes, arrival.since)) {
    work.Reject(arrival.sender, RejectOf(join::Verdict::kTooLarge));
    work.settled.refused_keys.push_back(
        {false, arrival.dedup_key, arrival.predictions.content_hash, std::nullopt});
  }
}

std::optional<std::uint64_t> Settler::Remembered(const LabelArrival& arrival) const {
  const auto refused = refusals_.find(arrival.frame.low);
  return refused == refusals_.end() ? arrival.remembered : refused->second.stands;
}

void Settler::Settle(const LabelArrival& arrival, Work& work) {
  const Labels& labels = *arrival.labels;
  auto held = std::make_shared<join::HeldLabels>();
  held->revision = labels.revision;
  held->source = labels.source;
  held->final = labels.final;
  held->content_hash = labels.content_hash;
  held->accepted = work.moment.taken;
  held->bytes = wire::EncodePayload(labels);
  const std::optional<std::uint64_t> remembered = Remembered(arrival);
  const join::LabelFate fate =
      ledger_.OnLabels(arrival.frame, held, {arrival.meets, remembered}, work.moment.taken);
  CountVerdict(arrival, fate, work);
  NoteRefusal(arrival, Accepted(fate.verdict), work);
  if (!Accepted(fate.verdict)) {
    if (arrival.meets) {
      work.refused_labels[arrival.frame] = arrival.labels;
    }
    return;
  }
  for (const join::HeldPredictions& half : fate.joined) {
    const HeldFrame frame = DecodeHeld(half.bytes);
    JudgeLate(Decode<Predictions>(frame.payload), labels, arrival.frame, half.model, frame.groups, half.since,
              work);
  }
  if (!fate.corrected.empty()) {
    const auto before = Decode<Labels>(fate.before->bytes);
    for (const join::HeldPredictions& half : fate.corrected) {
      Correct(half, before, labels, work);
    }
  }
}

void Settler::CountVerdict(const LabelArrival& arrival, const join::LabelFate& fate, Work& work) {
  IngestCounters& counters = work.settled.counters;
  LabelTally& tally = work.settled.tallies.Of(arrival.sender);
  const auto transport = static_cast<std::size_t>(arrival.sender.transport);
  switch (fate.verdict) {
    case join::Verdict::kJudge:
    case join::Verdict::kCorrect:
      ++counters.labels[transport];
      ++tally.joined;
      tally.corrected += fate.corrected.empty() ? 0 : 1;
      return;
    case join::Verdict::kWait:
    case join::Verdict::kReplace:
      ++counters.labels[transport];
      ++tally.waiting;
      return;
    case join::Verdict::kDuplicate:
      ++counters.duplicate_labels[transport];
      ++tally.duplicate;
      return;
    default:
      break;
  }
  Reject reject = RejectOf(fate.verdict);
  ++(reject.reason == RejectReason::kTooLate ? tally.late : tally.refused);
  work.Reject(arrival.sender, std::move(reject));
}

// Ingest has remembered them if it knew none, or none of as high a revision.
void Settler::NoteRefusal(const LabelArrival& arrival, bool accepted, const Work& work) {
  const std::uint64_t key = KeyOf(*arrival.labels);
  const bool inserted =
      !arrival.remembered || join::Compare(key, *arrival.remembered) == join::Against::kHigher;
  auto found = refusals_.find(arrival.frame.low);
  if (found == refusals_.end()) {
    if (accepted || !inserted) {
      return;  // ingest remembers what stands
    }
    found = refusals_.emplace(arrival.frame.low, Refusal{0, {}, arrival.remembered}).first;
  }
  Refusal& refusal = found->second;
  refusal.cut = work.moment.cut;
  if (inserted) {
    refusal.ingest = key;
  }
  if (accepted) {
    refusal.stands = key;
  }
}

void Settler::CountJudged(std::uint32_t model, TimePoint at, Duration delay,
                          std::uint64_t unjudged_detections, std::uint64_t unjudged_ground_truths,
                          Work& work) {
  IngestCounters& counters = work.settled.counters;
  ++counters.judged_frames;
  counters.label_delay.Observe(kLabelDelayEdges, ToSeconds(delay));
  counters.unjudged_detections += unjudged_detections;
  counters.unjudged_ground_truths += unjudged_ground_truths;
  ModelCounts& counts = work.settled.models[model];
  ++counts.judged;
  counts.last_label = std::max(counts.last_label, at);
}

void Settler::Settle(const JudgedArrival& arrival, Work& work) {
  const PredictionArrival& half = arrival.half;
  const auto refused = work.refused_labels.find(half.frame);
  if (refused != work.refused_labels.end()) {
    TakeBack(arrival, *refused->second, work);
    Settle(half, work);
    return;
  }
  CountJudged(half.model, arrival.judged, arrival.judged - half.since, arrival.unjudged_detections,
              arrival.unjudged_ground_truths, work);
  // Where they repeat labels that dedup keys had forgotten, the held ones stay in their place.
  const auto standing = ledger_.UseLabels(half.frame, work.moment.taken);
  if (ledger_.Keeps(standing == nullptr ? arrival.final : standing->final)) {
    Keep(half.predictions, half.frame, half.model, half.groups, arrival.ordinal, arrival.judged, work);
  }
}

void Settler::Keep(const Predictions& predictions, const FrameHash& frame, std::uint32_t model,
                   const std::vector<cells::GroupId>& groups, accumulate::Ordinal ordinal, TimePoint judged,
                   Work& work) {
  ledger_.Keep(frame, model, EncodeHeld(ordinal, groups, predictions), judged);
  work.settled.correctable.insert(work.settled.correctable.end(), groups.begin(), groups.end());
}

}  // namespace detwatch::settle
