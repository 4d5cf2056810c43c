#include "lib/pipeline/ingest.h"

#include <algorithm>
#include <utility>

namespace detwatch::pipeline {
namespace {

using delivery::Verdict;

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
}

template <class T>
bool Contains(const std::vector<T>& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Both lists of a pair, one of anything else.
std::pair<ClassListHash, ClassListHash> ListsOf(const wire::Message& message) {
  if (const auto* predictions = std::get_if<Predictions>(&message)) {
    return {predictions->class_list, predictions->class_list};
  }
  if (const auto* labels = std::get_if<Labels>(&message)) {
    return {labels->class_list, labels->class_list};
  }
  const auto& pair = std::get<wire::FramePair>(message);
  return {pair.predictions.class_list, pair.labels.class_list};
}

Result<void, Reject> CheckIds(const ClassTable& table, const std::vector<std::uint32_t>& ids,
                              const char* field) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (table.Find(ids[i]) == ClassTable::kUnknown) {
      return tl::unexpected(Reject{RejectReason::kClassUnknown, std::string(field) + "[" + std::to_string(i) +
                                                                    "]: " + std::to_string(ids[i]) +
                                                                    " is not in the announced class list"});
    }
  }
  return {};
}

// Counts what the joiner said; a refusal becomes a reject with the reason of that name.
Result<void, Reject> CountAdmission(join::Admission admission, std::uint64_t& accepted,
                                    std::uint64_t& duplicates) {
  switch (admission) {
    case join::Admission::kAccepted:
      ++accepted;
      return {};
    case join::Admission::kDuplicate:
      ++duplicates;
      return {};
    case join::Admission::kConflict:
      return tl::unexpected(
          Reject{RejectReason::kConflict, "frame: seen before with other content; the first stays"});
    case join::Admission::kStale:
      return tl::unexpected(Reject{RejectReason::kStaleRevision, "revision: a higher one was seen already"});
    case join::Admission::kTooLate:
      return tl::unexpected(
          Reject{RejectReason::kTooLate, "revision: the frame was judged on an earlier one already"});
    case join::Admission::kMemory:
      break;
  }
  return tl::unexpected(Reject{RejectReason::kMemory, "frame: larger than all that may wait for a join"});
}

}  // namespace

Ingest::Ingest(const PipelineConfig& config)
    : config_(config),
      quantum_(config.Quantum()),
      decoder_(config.wire),
      sequences_(config.limits.publishers, config.store_id, config.limits.idle),
      classes_(config.limits.classes, config.limits.class_lists),
      routes_(config),
      joiner_(config.join),
      cut_(std::make_unique<Cut>()) {
  cut_->number = 1;
}

void Ingest::CountReject(Transport transport, const Reject& reject) {
  ++cut_->counters.rejected[static_cast<std::size_t>(reject.reason)][At(transport)];
}

void Ingest::OnMalformed(Transport transport, std::size_t bytes) {
  ++cut_->counters.messages[At(transport)];
  cut_->counters.bytes[At(transport)] += bytes;
  CountReject(transport, {RejectReason::kHeaderUnreadable, {}});
}

Reaction Ingest::OnMessage(Transport transport, std::string_view header_bytes, std::string_view payload,
                           TimePoint now) {
  IngestCounters& counters = cut_->counters;
  ++counters.messages[At(transport)];
  counters.bytes[At(transport)] += header_bytes.size() + payload.size();
  Reaction reaction;
  const auto header = decoder_.DecodeHeader(header_bytes);
  if (!header) {
    CountReject(transport, header.error());
    return reaction;
  }
  reaction.publisher = header->publisher;
  reaction.epoch = header->epoch;
  const Verdict verdict = sequences_.OnHeader(*header, transport, now);
  counters.lost_messages[At(transport)] += verdict.lost;
  switch (verdict.kind) {
    case Verdict::Kind::kHello:
      reaction.reply = true;
      return reaction;
    case Verdict::Kind::kDuplicate:
      ++counters.duplicate_messages[At(transport)];
      return reaction;
    case Verdict::Kind::kGap:
      reaction.expected = verdict.expected;
      reaction.reply = verdict.expected != 0;
      return reaction;
    case Verdict::Kind::kStaleEpoch:
      ++counters.stale_epochs[At(transport)];
      reaction.stale_epoch = true;
      reaction.reply = true;
      return reaction;
    case Verdict::Kind::kRefused:
      CountReject(transport, {RejectReason::kTooManyPublishers, {}});
      return reaction;
    case Verdict::Kind::kTake:
      break;
  }
  decoder_.DecodePayload(payload, items_);
  const std::size_t bytes = payload.size() / items_.size();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Outcome outcome;
    if (items_[i]) {
      outcome = Process(std::move(*items_[i]), transport, now, bytes);
    } else {
      outcome = tl::unexpected(std::move(items_[i].error()));
    }
    if (!outcome) {
      CountReject(transport, outcome.error());
      reaction.reply = true;
      reaction.rejected.push_back({header->sequence, static_cast<std::uint32_t>(i),
                                   std::string(Name(outcome.error().reason)),
                                   std::move(outcome.error().detail)});
    }
  }
  return reaction;
}

Ingest::Outcome Ingest::Process(wire::Message&& message, Transport transport, TimePoint now,
                                std::size_t bytes) {
  if (const auto* list = std::get_if<ClassList>(&message)) {
    return OnClassList(*list, now);
  }
  if (const auto* model = std::get_if<ModelInfo>(&message)) {
    return routes_.Describe(*model, now, *cut_);
  }
  if (const auto* stream = std::get_if<StreamInfo>(&message)) {
    return routes_.Describe(*stream, now);
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&message)) {
    ++cut_->counters.tombstones[At(transport)];
    cut_->counters.lost_messages[At(transport)] += tombstone->frames;
    return {};
  }
  const auto parked = Park(message, transport, now, bytes);
  if (!parked) {
    return tl::unexpected(parked.error());
  }
  if (*parked) {
    return {};
  }
  Outcome outcome;
  if (auto* predictions = std::get_if<Predictions>(&message)) {
    outcome = OnPredictions(std::move(*predictions), transport, now);
  } else if (auto* labels = std::get_if<Labels>(&message)) {
    outcome = OnLabels(std::move(*labels), transport, now);
  } else {
    outcome = OnPair(std::move(std::get<wire::FramePair>(message)), transport, now);
  }
  JudgeJoined(now);
  return outcome;
}

Result<bool, Reject> Ingest::Park(wire::Message& message, Transport transport, TimePoint now,
                                  std::size_t bytes) {
  const auto [first, second] = ListsOf(message);
  if (classes_.Find(first) != nullptr && classes_.Find(second) != nullptr) {
    return false;
  }
  // Decoded vectors are about twice the size of the wire form.
  const std::size_t held = 2 * bytes + 512;
  if (parked_bytes_ + held > config_.limits.class_list_waiting_bytes) {
    return tl::unexpected(Reject{RejectReason::kClassListUnknown,
                                 "class_list_hash: not announced, and too much waits for its list"});
  }
  parked_.push_back({std::move(message), transport, now, held});
  parked_bytes_ += held;
  return true;
}

Ingest::Outcome Ingest::OnClassList(const ClassList& list, TimePoint now) {
  const auto announced = classes_.Announce(list);
  if (!announced) {
    return tl::unexpected(announced.error());
  }
  if (!*announced) {
    return {};
  }
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto [first, second] = ListsOf(it->message);
    if (classes_.Find(first) == nullptr || classes_.Find(second) == nullptr) {
      ++it;
      continue;
    }
    Parked parked = std::move(*it);
    parked_bytes_ -= parked.bytes;
    it = parked_.erase(it);
    if (const Outcome outcome = Process(std::move(parked.message), parked.transport, now, parked.bytes);
        !outcome) {
      CountReject(parked.transport, outcome.error());
    }
  }
  return {};
}

Ingest::Outcome Ingest::OnPredictions(Predictions&& predictions, Transport transport, TimePoint now) {
  if (Outcome known = CheckIds(*classes_.Find(predictions.class_list), predictions.class_ids, "class_ids");
      !known) {
    return known;
  }
  const auto route = routes_.Find(predictions.model, predictions.frame.stream, now, *cut_);
  if (!route) {
    return tl::unexpected(route.error());
  }
  Admit admit = Describe(**route, predictions, transport);
  const std::size_t joined_before = joined_.size();
  const join::Admission admission =
      joiner_.OnPredictions(std::move(predictions), admit.model->labels_expected, now, joined_, expired_);
  const bool waits_for_nothing = joined_.size() == joined_before && !admit.model->labels_expected;
  if (admission == join::Admission::kAccepted && waits_for_nothing) {
    ++cut_->counters.never_expected;
  }
  return Settle(admission, admit, now);
}

Ingest::Outcome Ingest::OnLabels(Labels&& labels, Transport transport, TimePoint now) {
  if (Outcome known = CheckLabelIds(labels); !known) {
    return known;
  }
  if (!Counts(labels)) {
    ++cut_->counters.filtered_labels;
    return {};
  }
  IngestCounters& counters = cut_->counters;
  return CountAdmission(joiner_.OnLabels(std::move(labels), now, joined_, expired_),
                        counters.labels[At(transport)], counters.duplicate_labels[At(transport)]);
}

Ingest::Outcome Ingest::OnPair(wire::FramePair&& pair, Transport transport, TimePoint now) {
  if (!Counts(pair.labels)) {
    ++cut_->counters.filtered_labels;
    return OnPredictions(std::move(pair.predictions), transport, now);
  }
  // Both halves are checked before either is counted.
  Outcome known = CheckIds(*classes_.Find(pair.predictions.class_list), pair.predictions.class_ids,
                           "predictions.class_ids");
  if (known) {
    known = CheckLabelIds(pair.labels);
  }
  if (!known) {
    return known;
  }
  const auto route = routes_.Find(pair.predictions.model, pair.predictions.frame.stream, now, *cut_);
  if (!route) {
    return tl::unexpected(route.error());
  }
  Admit admit = Describe(**route, pair.predictions, transport);
  const auto admission =
      joiner_.OnPair(std::move(pair.predictions), std::move(pair.labels), now, joined_, expired_);
  IngestCounters& counters = cut_->counters;
  const Outcome labels = CountAdmission(admission.labels, counters.labels[At(transport)],
                                        counters.duplicate_labels[At(transport)]);
  const Outcome predictions = Settle(admission.predictions, admit, now);
  return predictions ? labels : predictions;
}

Ingest::Outcome Ingest::CheckLabelIds(const Labels& labels) const {
  const ClassTable& table = *classes_.Find(labels.class_list);
  const Outcome known = CheckIds(table, labels.class_ids, "labels.class_ids");
  return known ? CheckIds(table, labels.examined, "labels.examined_class_ids") : known;
}

bool Ingest::Counts(const Labels& labels) const {
  return Contains(config_.labels.sources, labels.source) &&
         Contains(config_.labels.sampling, labels.sampling);
}

Ingest::Admit Ingest::Describe(const Route& route, const Predictions& predictions,
                               Transport transport) const {
  Admit admit;
  admit.transport = transport;
  admit.model = route.model;
  admit.group = route.groups.front();
  admit.stats.frames = 1;
  for (const float score : predictions.scores) {
    admit.stats.confidence.Observe(kConfidenceEdges, score);
  }
  admit.stats.per_frame.Observe(kPerFrameEdges, static_cast<double>(predictions.scores.size()));
  if (predictions.inference_seconds > 0) {
    admit.stats.inference_seconds.Observe(kInferenceEdges, predictions.inference_seconds);
  }
  return admit;
}

Ingest::Outcome Ingest::Settle(join::Admission admission, const Admit& admit, TimePoint now) {
  IngestCounters& counters = cut_->counters;
  Outcome outcome = CountAdmission(admission, counters.frames[At(admit.transport)],
                                   counters.duplicate_frames[At(admit.transport)]);
  if (admission == join::Admission::kAccepted) {
    ModelDelta& delta = routes_.Delta(*admit.model, *cut_);
    ++delta.frames;
    delta.last_frame = now;
    const std::size_t group = Index(admit.group);
    if (group >= prediction_slot_.size()) {
      prediction_slot_.resize(group + 1, 0);
    }
    if (prediction_slot_[group] == 0) {
      cut_->predictions.emplace_back(admit.group, PredictionStats{});
      prediction_slot_[group] = static_cast<std::uint32_t>(cut_->predictions.size());
    }
    cut_->predictions[prediction_slot_[group] - 1].second += admit.stats;
  }
  CountExpired();
  return outcome;
}

void Ingest::CountExpired() {
  for (const join::Expired& expired : expired_) {
    if (!expired.labels_missing) {
      ++cut_->counters.expired_predictions_missing;
      continue;
    }
    ++cut_->counters.expired_labels_missing;
    if (Model* model = routes_.FindModel(expired.model)) {
      ++routes_.Delta(*model, *cut_).expired;
    }
  }
  expired_.clear();
}

void Ingest::Tick(TimePoint now) {
  joiner_.Tick(now, expired_);
  CountExpired();
  while (!parked_.empty() && now - parked_.front().since >= config_.limits.class_list_wait) {
    CountReject(parked_.front().transport, {RejectReason::kClassListUnknown, {}});
    parked_bytes_ -= parked_.front().bytes;
    parked_.pop_front();
  }
  sequences_.Expire(now);
  routes_.Expire(now, *cut_);
}

std::unique_ptr<Cut> Ingest::TakeCut(TimePoint now) {
  const auto& names = classes_.names();
  cut_->new_classes.assign(names.begin() + static_cast<std::ptrdiff_t>(classes_announced_), names.end());
  classes_announced_ = names.size();
  for (; sets_announced_ < classes_.sets().size(); ++sets_announced_) {
    cut_->new_sets.push_back(classes_.sets()[sets_announced_]->classes);
  }
  cut_->taken = now;
  cut_->marks = sequences_.TakeMarks();
  cut_->gauges.pending_predictions = joiner_.pending_predictions();
  cut_->gauges.pending_labels = joiner_.pending_labels();
  cut_->gauges.pending_bytes = joiner_.bytes();
  cut_->gauges.class_list_waiting = parked_.size();
  cut_->gauges.publishers = sequences_.size();
  cut_->gauges.models = routes_.models();
  cut_->gauges.groups = routes_.groups();
  auto next = std::make_unique<Cut>();
  next->number = cut_->number + 1;
  prediction_slot_.clear();
  return std::exchange(cut_, std::move(next));
}

void Ingest::OnAbsorbed(const std::vector<delivery::Sequences::Mark>& marks, std::size_t cell_bytes) {
  sequences_.Durable(marks);
  routes_.SetCellBytes(cell_bytes);
}

void Ingest::Reload(const Limits& limits, const join::JoinLimits& join, const LabelFilter& labels) {
  config_.limits = limits;
  config_.labels = labels;
  routes_.SetLimits(limits);
  joiner_.SetLimits(join);
}

}  // namespace detwatch::pipeline
