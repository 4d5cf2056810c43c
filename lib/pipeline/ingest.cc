#include "lib/pipeline/ingest.h"

#include <algorithm>
#include <utility>

#include "lib/wire/encode.h"

namespace detwatch::pipeline {
namespace {

using delivery::Verdict;

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
}

Sender SenderOf(const Header& header, Transport transport, std::size_t item) {
  return {transport, header.publisher, header.epoch, header.sequence, static_cast<std::uint32_t>(item)};
}

bool CarriesLabels(const wire::Message& message) {
  return std::holds_alternative<Labels>(message) || std::holds_alternative<wire::FramePair>(message);
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

// Expiry of idle names walks all of them.
constexpr Duration kExpireEvery = std::chrono::minutes(1);

}  // namespace

Ingest::Ingest(const PipelineConfig& config, const Restored& restored)
    : config_(config),
      quantum_(config.Quantum()),
      decoder_(config.wire),
      sequences_(config.limits.publishers, config.store_id, config.limits.idle),
      classes_(config.limits.classes, config.limits.class_lists),
      routes_(config),
      seen_predictions_(config.join.dedup_horizon, config.join.dedup_frames),
      seen_labels_(config.join.dedup_horizon, config.join.dedup_frames),
      next_ordinal_(restored.next_ordinal),
      cut_(std::make_unique<Cut>()) {
  cut_->number = restored.cut + 1;
  refusals_known_ = restored.cut;
  labels_since_ = restored.labels_since;
  for (const PublisherRow& row : restored.publishers) {
    sequences_.Restore(row.mark, std::max(row.last_seen, restored.started));
  }
  classes_.Restore(restored.class_names, restored.class_lists, static_cast<ClassId>(restored.next_class),
                   restored.started);
  for (const judge::ClassSetId set : restored.class_sets) {
    classes_.lists().KnowSet(set);
  }
  routes_.Restore(restored);
  // What was written was read once before anybody trusts it, see State::Restore.
  for (const join::Seen::Change& change : restored.seen_predictions) {
    (void)seen_predictions_.Restore(change);
  }
  for (const join::Seen::Change& change : restored.seen_labels) {
    (void)seen_labels_.Restore(change);
  }
  for (const auto& [number, row] : restored.parked) {
    next_parked_ = std::max(next_parked_, number + 1);
    decoder_.DecodePayload(row.payload, items_);
    if (items_.size() == 1 && items_.front()) {
      const std::size_t held = 2 * row.payload.size() + 512;
      parked_.push_back({number, std::move(*items_.front()), row.sender, row.since, held});
      parked_bytes_ += held;
    } else {
      // The limits of this run refuse what those of the last one took.
      cut_->parked.push_back({number, {}});
      const Reject why = items_.front() ? Reject{RejectReason::kNestedBatch, {}} : items_.front().error();
      RefuseLate(row.sender, why.carried_labels, why);
    }
  }
}

void Ingest::RefuseLate(const Sender& sender, bool labels, Reject reject) {
  CountReject(sender.transport, reject);
  if (labels) {
    ++cut_->label_tallies.Of(sender).refused;
  }
  cut_->late_rejects.push_back({sender, std::move(reject)});
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
  AddSaturating(counters.lost_messages[At(transport)], verdict.lost);
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
    case Verdict::Kind::kWildStep: {
      Reject reject{RejectReason::kSequenceInvalid,
                    "sequence: " + std::to_string(header->sequence) + ", oldest_held: " +
                        std::to_string(header->oldest_held) + ": further ahead than can have been sent"};
      CountReject(transport, reject);
      reaction.reply = true;
      reaction.rejected.push_back(
          {header->sequence, 0, std::string(Name(reject.reason)), std::move(reject.detail)});
      return reaction;
    }
    case Verdict::Kind::kTake:
      break;
  }
  decoder_.DecodePayload(payload, items_);
  const std::size_t bytes = payload.size() / items_.size();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Outcome outcome;
    if (items_[i]) {
      const Sender sender = SenderOf(*header, transport, i);
      outcome = Process(std::move(*items_[i]), sender, now, bytes);
    } else {
      if (items_[i].error().carried_labels) {
        ++cut_->label_tallies.Of(SenderOf(*header, transport, i)).refused;
      }
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

Ingest::Outcome Ingest::Process(wire::Message&& message, const Sender& sender, TimePoint now,
                                std::size_t bytes) {
  if (const auto* list = std::get_if<ClassList>(&message)) {
    return OnClassList(*list, now);
  }
  if (const auto* model = std::get_if<ModelInfo>(&message)) {
    if (Outcome announced = routes_.Announce(*model, now, *cut_); !announced) {
      return announced;
    }
    if (classes_.Use(model->class_list, now) != nullptr) {
      routes_.LearnList(model->class_list, now, *cut_);
    }
    return {};
  }
  if (const auto* stream = std::get_if<StreamInfo>(&message)) {
    return routes_.Announce(*stream, now, *cut_);
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&message)) {
    ++cut_->counters.tombstones[At(sender.transport)];
    AddSaturating(cut_->counters.lost_messages[At(sender.transport)], tombstone->frames);
    return {};
  }
  const auto parked = Park(message, sender, now, bytes);
  if (!parked) {
    cut_->label_tallies.Of(sender).refused += CarriesLabels(message) ? 1 : 0;
    return tl::unexpected(parked.error());
  }
  if (*parked) {
    return {};
  }
  if (auto* predictions = std::get_if<Predictions>(&message)) {
    return OnPredictions(std::move(*predictions), sender, now);
  }
  if (auto* labels = std::get_if<Labels>(&message)) {
    Outcome outcome = OnLabels(std::move(*labels), sender, now);
    cut_->label_tallies.Of(sender).refused += outcome ? 0 : 1;
    return outcome;
  }
  return OnPair(std::move(std::get<wire::FramePair>(message)), sender, now);
}

Result<bool, Reject> Ingest::Park(wire::Message& message, const Sender& sender, TimePoint now,
                                  std::size_t bytes) {
  const auto [first, second] = ListsOf(message);
  const bool known = classes_.Use(first, now) != nullptr;
  if (known && classes_.Use(second, now) != nullptr) {
    return false;
  }
  // Decoded vectors are about twice the size of the wire form.
  const std::size_t held = 2 * bytes + 512;
  if (parked_bytes_ + held > config_.limits.class_list_waiting_bytes) {
    return tl::unexpected(Reject{RejectReason::kClassListUnknown,
                                 "class_list_hash: not announced, and too much waits for its list"});
  }
  // Its sequence is used up, so a restart must have it again.
  cut_->parked.push_back({next_parked_, Encode(ParkedRow{sender, now, wire::EncodePayload(message)})});
  parked_.push_back({next_parked_++, std::move(message), sender, now, held});
  parked_bytes_ += held;
  return true;
}

void Ingest::Unpark(const Parked& parked) {
  parked_bytes_ -= parked.bytes;
  cut_->parked.push_back({parked.number, {}});
}

Ingest::Outcome Ingest::OnClassList(const ClassList& list, TimePoint now) {
  const auto announced = classes_.Announce(list, now);
  if (!announced) {
    return tl::unexpected(announced.error());
  }
  if (!*announced) {
    return {};
  }
  routes_.LearnList(list.hash, now, *cut_);
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto [first, second] = ListsOf(it->message);
    if (classes_.Use(first, now) == nullptr || classes_.Use(second, now) == nullptr) {
      ++it;
      continue;
    }
    Parked parked = std::move(*it);
    Unpark(parked);
    it = parked_.erase(it);
    if (Outcome outcome = Process(std::move(parked.message), parked.sender, now, parked.bytes); !outcome) {
      RefuseLate(parked.sender, false, std::move(outcome.error()));
    }
  }
  return {};
}

void Ingest::Tick(TimePoint now) {
  while (!parked_.empty() && now - parked_.front().since >= config_.limits.class_list_wait) {
    const Parked& parked = parked_.front();
    RefuseLate(parked.sender, CarriesLabels(parked.message),
               {RejectReason::kClassListUnknown, "class_list_hash: the list was never announced"});
    Unpark(parked);
    parked_.pop_front();
  }
  if (now >= next_expiry_) {
    next_expiry_ = now + kExpireEvery;
    for (auto& publisher : sequences_.Expire(now)) {
      cut_->retired_publishers.push_back(std::move(publisher));
    }
    routes_.Expire(now, *cut_);
    cut_->retired_lists = classes_.Expire(now, config_.ClassListIdle());
  }
}

std::unique_ptr<Cut> Ingest::TakeCut(TimePoint now) {
  cut_->new_classes = classes_.TakeNewNames();
  cut_->new_lists = classes_.TakeNewLists();
  cut_->new_sets = classes_.lists().TakeNewSets();
  cut_->refusals_known = refusals_known_;
  cut_->taken = now;
  cut_->reserved = next_ordinal_;
  next_ordinal_ += cut_ordinals_;
  cut_->next_ordinal = next_ordinal_;
  cut_->marks = sequences_.TakeMarks();
  cut_->seen_predictions = seen_predictions_.TakeChanges();
  cut_->seen_labels = seen_labels_.TakeChanges();
  cut_->gauges.class_list_waiting = parked_.size();
  cut_->gauges.publishers = sequences_.size();
  cut_->gauges.models = routes_.models();
  cut_->gauges.groups = routes_.groups();
  auto next = std::make_unique<Cut>();
  next->number = cut_->number + 1;
  prediction_slot_.clear();
  cut_bytes_ = 0;
  cut_ordinals_ = 0;
  return std::exchange(cut_, std::move(next));
}

void Ingest::OnAbsorbed(const Absorbed& absorbed) {
  sequences_.Durable(absorbed.marks);
  routes_.SetCellBytes(absorbed.cell_bytes);
  // What came since is not in it, and may have been forgotten already where little is remembered.
  labels_since_ = std::min(absorbed.labels_since, absorbed.taken);
  refusals_known_ = absorbed.cut;
  for (const settle::RefusedKey& refused : absorbed.refused_keys) {
    join::Seen& seen = refused.labels ? seen_labels_ : seen_predictions_;
    seen.PutBack(refused.key, refused.provisional, refused.before, absorbed.taken);
  }
}

void Ingest::Reload(const PipelineConfig& next) {
  config_.limits = next.limits;
  config_.labels = next.labels;
  config_.join = next.join;
  config_.wire = next.wire;
  decoder_ = wire::Decoder(next.wire);
  sequences_.SetMaxPublishers(next.limits.publishers);
  classes_.SetLimits(next.limits.classes, next.limits.class_lists);
  routes_.SetLimits(next.limits);
  seen_predictions_.SetLimits(next.join.dedup_horizon, next.join.dedup_frames);
  seen_labels_.SetLimits(next.join.dedup_horizon, next.join.dedup_frames);
  cut_->reload = std::make_shared<const PipelineConfig>(next);
}

}  // namespace detwatch::pipeline
