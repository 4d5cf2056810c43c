#include "lib/pipeline/ingest.h"

#include <algorithm>
#include <utility>

#include "lib/wire/encode.h"

namespace detwatch::pipeline {
namespace {

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
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
  cut_->refusals_known = refusals_known_ = restored.cut;
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

void Ingest::Tick(TimePoint now) {
  ExpireParked(now);
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
  next->refusals_known = refusals_known_;  // now: before anything comes
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
