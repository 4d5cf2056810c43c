#include "lib/pipeline/ingest.h"

#include <algorithm>
#include <utility>

#include "lib/pipeline/parked.h"
#include "lib/wire/encode.h"

namespace detwatch::pipeline {
namespace {

using delivery::Verdict;

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
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
  for (const RestoredRow& row : restored.publishers) {
    sequences_.Restore(row.mark, std::max(row.last_seen, restored.started));
  }
  for (const ClassList& list : restored.class_lists) {
    classes_.Restore(list);
  }
  classes_announced_ = classes_.names().size();
  routes_.Restore(restored);
  // What was written was read once before anybody trusts it, see State::Restore.
  for (const join::Seen::Change& change : restored.seen_predictions) {
    (void)seen_predictions_.Restore(change);
  }
  for (const join::Seen::Change& change : restored.seen_labels) {
    (void)seen_labels_.Restore(change);
  }
  for (const auto& [number, bytes] : restored.parked) {
    next_parked_ = std::max(next_parked_, number + 1);
    ParkedMessage parked = DecodeParked(bytes);
    decoder_.DecodePayload(parked.payload, items_);
    if (items_.size() == 1 && items_.front()) {
      const std::size_t held = 2 * parked.payload.size() + 512;
      parked_.push_back({number, std::move(*items_.front()), std::move(parked.sender), parked.since, held});
      parked_bytes_ += held;
    } else {
      // The limits of this run refuse what those of the last one took.
      cut_->parked.push_back({number, {}});
      RefuseLate(parked.sender, false,
                 items_.front() ? Reject{RejectReason::kNestedBatch, {}} : items_.front().error());
    }
  }
}

void Ingest::RefuseLate(const Sender& sender, bool labels, Reject reject) {
  CountReject(sender.transport, reject);
  if (labels) {
    ++cut_->Tally(sender).refused;
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
      const Sender sender{transport, header->publisher, header->epoch, header->sequence,
                          static_cast<std::uint32_t>(i)};
      const bool labels = std::holds_alternative<Labels>(*items_[i]);
      outcome = Process(std::move(*items_[i]), sender, now, bytes);
      if (labels && !outcome) {
        ++cut_->Tally(sender).refused;
      }
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

Ingest::Outcome Ingest::Process(wire::Message&& message, const Sender& sender, TimePoint now,
                                std::size_t bytes) {
  if (const auto* list = std::get_if<ClassList>(&message)) {
    return OnClassList(*list, now);
  }
  if (const auto* model = std::get_if<ModelInfo>(&message)) {
    return routes_.Describe(*model, now, *cut_);
  }
  if (const auto* stream = std::get_if<StreamInfo>(&message)) {
    return routes_.Describe(*stream, now, *cut_);
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&message)) {
    ++cut_->counters.tombstones[At(sender.transport)];
    cut_->counters.lost_messages[At(sender.transport)] += tombstone->frames;
    return {};
  }
  const auto parked = Park(message, sender, now, bytes);
  if (!parked) {
    return tl::unexpected(parked.error());
  }
  if (*parked) {
    return {};
  }
  if (auto* predictions = std::get_if<Predictions>(&message)) {
    return OnPredictions(std::move(*predictions), sender, now);
  }
  if (auto* labels = std::get_if<Labels>(&message)) {
    return OnLabels(std::move(*labels), sender, now);
  }
  return OnPair(std::move(std::get<wire::FramePair>(message)), sender, now);
}

Result<bool, Reject> Ingest::Park(wire::Message& message, const Sender& sender, TimePoint now,
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
  // Its sequence is used up, so a restart must have it again.
  cut_->parked.push_back({next_parked_, EncodeParked({sender, now, wire::EncodePayload(message)})});
  parked_.push_back({next_parked_++, std::move(message), sender, now, held});
  parked_bytes_ += held;
  return true;
}

void Ingest::Unpark(const Parked& parked) {
  parked_bytes_ -= parked.bytes;
  cut_->parked.push_back({parked.number, {}});
}

Ingest::Outcome Ingest::OnClassList(const ClassList& list, TimePoint now) {
  const auto announced = classes_.Announce(list);
  if (!announced) {
    return tl::unexpected(announced.error());
  }
  if (!*announced) {
    return {};
  }
  cut_->class_lists.push_back(list);
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto [first, second] = ListsOf(it->message);
    if (classes_.Find(first) == nullptr || classes_.Find(second) == nullptr) {
      ++it;
      continue;
    }
    Parked parked = std::move(*it);
    Unpark(parked);
    it = parked_.erase(it);
    const bool labels = std::holds_alternative<Labels>(parked.message);
    if (Outcome outcome = Process(std::move(parked.message), parked.sender, now, parked.bytes); !outcome) {
      RefuseLate(parked.sender, labels, std::move(outcome.error()));
    }
  }
  return {};
}

void Ingest::Tick(TimePoint now) {
  while (!parked_.empty() && now - parked_.front().since >= config_.limits.class_list_wait) {
    const Parked& parked = parked_.front();
    RefuseLate(parked.sender, std::holds_alternative<Labels>(parked.message),
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
  }
}

std::unique_ptr<Cut> Ingest::TakeCut(TimePoint now) {
  const auto& names = classes_.names();
  cut_->new_classes.assign(names.begin() + static_cast<std::ptrdiff_t>(classes_announced_), names.end());
  classes_announced_ = names.size();
  for (; sets_announced_ < classes_.sets().size(); ++sets_announced_) {
    cut_->new_sets.push_back(classes_.sets()[sets_announced_]->classes);
  }
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

void Ingest::OnAbsorbed(const std::vector<delivery::Sequences::Mark>& marks, std::size_t cell_bytes) {
  sequences_.Durable(marks);
  routes_.SetCellBytes(cell_bytes);
}

void Ingest::Reload(const Limits& limits, const join::JoinLimits& join, const LabelFilter& labels) {
  config_.limits = limits;
  config_.labels = labels;
  config_.join = join;
  routes_.SetLimits(limits);
  cut_->join_limits = join;
}

}  // namespace detwatch::pipeline
