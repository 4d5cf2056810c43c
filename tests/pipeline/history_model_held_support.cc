// The rules: what is held, and for how long.
#include <algorithm>

#include "tests/pipeline/history_model_support.h"

namespace detwatch::test {

void PlainModel::Cut(TimePoint now) {
  while (!parked_.empty() && now - parked_.front().since >= config_.limits.class_list_wait) {
    Reject("class_list_unknown");
    if (parked_.front().said.HasLabels()) {
      Tally(parked_.front().said, "refused");
    }
    parked_.erase(parked_.begin());
  }
  for (auto& [key, frame] : frames_) {
    Expire(frame, now);
  }
}

void PlainModel::Expire(Frame& frame, TimePoint now) {
  frame.labels_alone = frame.met_held = false;
  const join::JoinLimits& limits = config_.join;
  for (auto it = frame.waiting.begin(); it != frame.waiting.end();) {
    if (now - it->second.since < limits.retention) {
      ++it;
      continue;
    }
    Count("expired predictions");
    Count("model " + it->first + " expired");
    frame.gone = frame.gone.value_or(now);
    it = frame.waiting.erase(it);
  }
  if (frame.waiting_labels && now - frame.waiting_labels->since >= limits.retention) {
    Count("expired labels");
    frame.waiting_labels.reset();
  }
  for (auto& [model, judgement] : frame.judged) {
    if (judgement.kept && now - judgement.at >= limits.corrections) {
      judgement.kept = false;
      frame.gone = frame.gone.value_or(now);
    }
  }
  if (frame.kept && now - frame.kept->since >= limits.corrections) {
    frame.kept.reset();
  }
  if (frame.lingering && now - frame.lingering->since >= limits.linger) {
    frame.lingering.reset();
  }
  if (frame.gone && now - *frame.gone >= limits.retention) {
    frame.gone.reset();
  }
}

bool PlainModel::Frame::KeepsJudged() const {
  return std::any_of(judged.begin(), judged.end(), [](const auto& entry) { return entry.second.kept; });
}

const PlainModel::TimedLabels* PlainModel::Lingering(const Frame& frame, TimePoint now) const {
  return frame.lingering && now - frame.lingering->since < config_.join.linger ? &*frame.lingering : nullptr;
}

const PlainModel::TimedLabels* PlainModel::Held(const Frame& frame, TimePoint now) const {
  if (frame.waiting_labels) {
    return &*frame.waiting_labels;
  }
  return frame.kept ? &*frame.kept : Lingering(frame, now);
}

PlainModel::Against PlainModel::Compare(const SaidLabels& labels, const SaidLabels* known) {
  if (known == nullptr) {
    return Against::kFirst;
  }
  if (labels.revision != known->revision) {
    return labels.revision < known->revision ? Against::kLower : Against::kHigher;
  }
  const bool same = labels.source == known->source && labels.list == known->list &&
                    labels.content == known->content && labels.examined == known->examined;
  return same ? Against::kSame : Against::kOther;
}

bool PlainModel::ListsKnown(const Said& said) const {
  return (!said.HasPredictions() || lists_.count(said.predictions.list) != 0) &&
         (!said.HasLabels() || lists_.count(said.labels.list) != 0);
}

bool PlainModel::Keeps(const SaidLabels& labels) const {
  return !labels.final && config_.join.corrections > Duration{0};
}

bool PlainModel::Forgets() const {
  return config_.join.dedup_horizon < std::chrono::hours(1);
}

bool PlainModel::Filtered(const SaidLabels& labels) const {
  const pipeline::LabelFilter& counted = config_.labels;
  return std::count(counted.sources.begin(), counted.sources.end(), labels.source) == 0 ||
         std::count(counted.sampling.begin(), counted.sampling.end(), labels.sampling) == 0;
}

bool PlainModel::IsUncertain(const Said& said, TimePoint now) const {
  if (!said.HasPredictions() && !said.HasLabels()) {
    return false;
  }
  if (!ListsKnown(said)) {
    return true;
  }
  const auto found = frames_.find({said.frame.stream, said.frame.frame_id});
  if (found == frames_.end()) {
    return false;
  }
  const Frame& frame = found->second;
  const Duration horizon = config_.join.dedup_horizon;
  if (said.HasPredictions()) {
    const auto seen = frame.seen.find(said.predictions.model);
    if (seen != frame.seen.end() && now - seen->second.since > horizon) {
      return true;
    }
  }
  return said.HasLabels() && frame.known && Held(frame, now) == nullptr && now - frame.known->since > horizon;
}

bool PlainModel::DependsOnTheCut(const Said& said) const {
  if (said.kind == Said::Kind::kList) {
    // What waits for the list would come now.
    return std::any_of(parked_.begin(), parked_.end(), [&](const Parked& waiting) {
      const auto found = frames_.find({waiting.said.frame.stream, waiting.said.frame.frame_id});
      return found != frames_.end() &&
             (found->second.gone || found->second.labels_alone || found->second.met_held);
    });
  }
  const auto found = frames_.find({said.frame.stream, said.frame.frame_id});
  return found != frames_.end() && ((said.HasPredictions() && found->second.labels_alone) ||
                                    (said.HasLabels() && found->second.met_held));
}

}  // namespace detwatch::test
