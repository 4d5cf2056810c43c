#include "lib/join/joiner.h"

#include <algorithm>
#include <utility>

namespace detwatch::join {
namespace {

// Map node, list node and allocator overhead of one half, measured with 1 000 000 empty halves.
constexpr std::size_t kOverhead = 320;

std::size_t Bytes(const Predictions& p) {
  return kOverhead + sizeof(p) + p.boxes.capacity() * sizeof(Box) + p.scores.capacity() * sizeof(float) +
         p.class_ids.capacity() * sizeof(std::uint32_t) + p.frame.stream.capacity() +
         p.frame.frame_id.capacity() + p.model.model.capacity() + p.model.version.capacity();
}

std::size_t Bytes(const Labels& l) {
  return kOverhead + sizeof(l) + l.boxes.capacity() * sizeof(Box) + l.areas.capacity() * sizeof(double) +
         (l.class_ids.capacity() + l.examined.capacity()) * sizeof(std::uint32_t) + l.crowd.capacity() +
         l.difficult.capacity() + l.frame.stream.capacity() + l.frame.frame_id.capacity();
}

std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  return (a ^ (b + 0x9e3779b97f4a7c15ULL)) * 0xff51afd7ed558ccdULL;
}

std::uint64_t KeyOf(const Predictions& p) {
  return Mix(FrameKeyHash{}(p.frame), ModelKeyHash{}(p.model));
}

std::uint64_t KeyOf(const Labels& l) {
  return Mix(FrameKeyHash{}(l.frame), static_cast<std::uint64_t>(l.source));
}

// Revision in the high half, so that a later one compares higher; content in the low half.
std::uint64_t ContentOf(const Labels& l) {
  return (std::uint64_t{l.revision} << 32) | ((l.content_hash ^ (l.content_hash >> 32)) & 0xffffffffULL);
}

}  // namespace

Joiner::Joiner(const JoinLimits& limits)
    : limits_(limits),
      seen_predictions_(limits.dedup_horizon, limits.dedup_frames),
      seen_labels_(limits.dedup_horizon, limits.dedup_frames) {}

Joiner::~Joiner() = default;

Joiner::Record& Joiner::RecordOf(const FrameKey& key) {
  const auto [it, added] = records_.try_emplace(key);
  if (added) {
    it->second.key = &it->first;
  }
  return it->second;
}

void Joiner::DropIfEmpty(Record* record) {
  if (!record->has_labels && record->predictions.empty()) {
    records_.erase(records_.find(*record->key));
  }
}

void Joiner::DropPredictions(PredictionList::iterator half) {
  Record* record = half->record;
  std::erase(record->predictions, half);
  bytes_ -= half->bytes;
  predictions_.erase(half);
  DropIfEmpty(record);
}

void Joiner::DropLabels(LabelList::iterator half) {
  Record* record = half->record;
  record->has_labels = false;
  bytes_ -= half->bytes;
  (half->used ? lingering_labels_ : waiting_labels_).erase(half);
  DropIfEmpty(record);
}

void Joiner::MarkUsed(LabelList::iterator half, TimePoint now) {
  if (!half->used) {
    half->used = true;
    half->since = now;
    lingering_labels_.splice(lingering_labels_.end(), waiting_labels_, half);
  }
}

Admission Joiner::OnPredictions(Predictions predictions, bool labels_expected, TimePoint now,
                                std::vector<Joined>& joined, std::vector<Expired>& expired) {
  const std::uint64_t key = KeyOf(predictions);
  if (const auto content = seen_predictions_.Find(key)) {
    return *content == predictions.content_hash ? Admission::kDuplicate : Admission::kConflict;
  }
  const auto record = records_.find(predictions.frame);
  if (record != records_.end() && record->second.has_labels) {
    seen_predictions_.Insert(key, predictions.content_hash, now);
    joined.push_back({std::move(predictions), record->second.labels->labels, Duration{0}});
    MarkUsed(record->second.labels, now);
    return Admission::kAccepted;
  }
  if (!labels_expected) {
    seen_predictions_.Insert(key, predictions.content_hash, now);
    return Admission::kAccepted;
  }
  const std::size_t bytes = Bytes(predictions);
  if (bytes > limits_.bytes) {
    return Admission::kMemory;
  }
  seen_predictions_.Insert(key, predictions.content_hash, now);
  Record& owner = RecordOf(predictions.frame);
  predictions_.push_back({std::move(predictions), now, bytes, &owner});
  owner.predictions.push_back(std::prev(predictions_.end()));
  bytes_ += bytes;
  MakeRoom(expired);
  return Admission::kAccepted;
}

// Labels of a frame that holds some already. Only labels that were not used yet can be replaced here.
Admission Joiner::Replace(LabelList::iterator half, std::shared_ptr<const Labels> labels) {
  const Labels& held = *half->labels;
  if (labels->source != held.source) {
    return Admission::kConflict;
  }
  if (labels->revision == held.revision) {
    return labels->content_hash == held.content_hash ? Admission::kDuplicate : Admission::kConflict;
  }
  if (labels->revision < held.revision) {
    return Admission::kStale;
  }
  if (half->used) {
    return Admission::kTooLate;
  }
  const std::size_t bytes = Bytes(*labels);
  if (bytes > limits_.bytes) {
    return Admission::kMemory;
  }
  bytes_ += bytes - half->bytes;
  half->bytes = bytes;
  half->labels = std::move(labels);
  return Admission::kAccepted;
}

Admission Joiner::OnLabels(Labels labels, TimePoint now, std::vector<Joined>& joined,
                           std::vector<Expired>& expired) {
  return AdmitLabels(std::make_shared<const Labels>(std::move(labels)), now, joined, expired);
}

Joiner::PairAdmission Joiner::OnPair(Predictions predictions, Labels labels, TimePoint now,
                                     std::vector<Joined>& joined, std::vector<Expired>& expired) {
  auto shared = std::make_shared<const Labels>(std::move(labels));
  PairAdmission admission;
  admission.labels = AdmitLabels(shared, now, joined, expired);
  const auto record = records_.find(predictions.frame);
  if (record != records_.end() && record->second.has_labels) {
    admission.predictions = OnPredictions(std::move(predictions), true, now, joined, expired);
    return admission;
  }
  const std::uint64_t key = KeyOf(predictions);
  if (const auto content = seen_predictions_.Find(key)) {
    admission.predictions =
        *content == predictions.content_hash ? Admission::kDuplicate : Admission::kConflict;
    return admission;
  }
  seen_predictions_.Insert(key, predictions.content_hash, now);
  joined.push_back({std::move(predictions), std::move(shared), Duration{0}});
  return admission;
}

Admission Joiner::AdmitLabels(std::shared_ptr<const Labels> labels, TimePoint now,
                              std::vector<Joined>& joined, std::vector<Expired>& expired) {
  const std::uint64_t key = KeyOf(*labels);
  const std::uint64_t content = ContentOf(*labels);
  const auto found = records_.find(labels->frame);
  if (found != records_.end() && found->second.has_labels) {
    const Admission admission = Replace(found->second.labels, std::move(labels));
    if (admission == Admission::kAccepted) {
      seen_labels_.Insert(key, content, now);
      MakeRoom(expired);
    }
    return admission;
  }
  if (const auto seen = seen_labels_.Find(key)) {
    if (*seen >> 32 == content >> 32) {
      return *seen == content ? Admission::kDuplicate : Admission::kConflict;
    }
    return *seen >> 32 > content >> 32 ? Admission::kStale : Admission::kTooLate;
  }
  const std::size_t bytes = Bytes(*labels);
  if (bytes > limits_.bytes) {
    return Admission::kMemory;
  }
  seen_labels_.Insert(key, content, now);
  Record& record = RecordOf(labels->frame);
  waiting_labels_.push_back({labels, now, bytes, &record, false});
  record.has_labels = true;
  record.labels = std::prev(waiting_labels_.end());
  bytes_ += bytes;
  if (!record.predictions.empty()) {
    MarkUsed(record.labels, now);
    for (const PredictionList::iterator half : record.predictions) {
      bytes_ -= half->bytes;
      joined.push_back({std::move(half->predictions), labels, now - half->since});
      predictions_.erase(half);
    }
    record.predictions.clear();
  }
  MakeRoom(expired);
  return Admission::kAccepted;
}

// Labels that were used already go first: they only might be of use again. Then what has waited longest.
void Joiner::MakeRoom(std::vector<Expired>& expired) {
  while (bytes_ > limits_.bytes) {
    if (!lingering_labels_.empty()) {
      DropLabels(lingering_labels_.begin());
    } else if (predictions_.empty() ||
               (!waiting_labels_.empty() && waiting_labels_.front().since < predictions_.front().since)) {
      expired.push_back({false, {}});
      DropLabels(waiting_labels_.begin());
    } else {
      expired.push_back({true, predictions_.front().predictions.model});
      DropPredictions(predictions_.begin());
    }
  }
}

void Joiner::Tick(TimePoint now, std::vector<Expired>& expired) {
  while (!predictions_.empty() && now - predictions_.front().since >= limits_.retention) {
    expired.push_back({true, predictions_.front().predictions.model});
    DropPredictions(predictions_.begin());
  }
  while (!waiting_labels_.empty() && now - waiting_labels_.front().since >= limits_.retention) {
    expired.push_back({false, {}});
    DropLabels(waiting_labels_.begin());
  }
  while (!lingering_labels_.empty() && now - lingering_labels_.front().since >= limits_.linger) {
    DropLabels(lingering_labels_.begin());
  }
  MakeRoom(expired);
}

}  // namespace detwatch::join
