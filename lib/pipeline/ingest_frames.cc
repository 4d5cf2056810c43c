// The frames of ingest: seen before, met in this cut, or for the state to settle.
#include <algorithm>
#include <utility>

#include "lib/join/label_key.h"
#include "lib/pipeline/ingest.h"

namespace detwatch::pipeline {
namespace {

// Arrivals of one cut; beyond, frames are refused: the state has been busy, or without room, for long.
constexpr std::size_t kMostCutBytes = std::size_t{256} << 20;

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
}

template <class T>
bool Contains(const std::vector<T>& values, T value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

Result<void, Reject> CheckIds(const judge::ClassTable& table, const std::vector<std::uint32_t>& ids,
                              const char* field) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (table.Find(ids[i]) == judge::ClassTable::kUnknown) {
      return tl::unexpected(Reject{RejectReason::kClassUnknown, std::string(field) + "[" + std::to_string(i) +
                                                                    "]: " + std::to_string(ids[i]) +
                                                                    " is not in the announced class list"});
    }
  }
  return {};
}

// Vectors and overhead of a half that waits in the cut.
std::size_t Bytes(const Predictions& p) {
  return 320 + p.boxes.size() * (sizeof(Box) + sizeof(float) + sizeof(std::uint32_t));
}
std::size_t Bytes(const Labels& l) {
  return 320 + l.boxes.size() * (sizeof(Box) + sizeof(double) + sizeof(std::uint32_t) + 2);
}

}  // namespace

Result<void, Reject> Ingest::HasRoom(std::size_t bytes) const {
  if (cut_bytes_ + bytes > kMostCutBytes) {
    return tl::unexpected(Reject{
        RejectReason::kMemory, "frame: " + std::to_string(cut_bytes_) + " bytes wait to be settled already"});
  }
  return {};
}

Ingest::Outcome Ingest::OnPredictions(Predictions&& predictions, const Sender& sender, TimePoint now) {
  if (Outcome known =
          CheckIds(*classes_.lists().Find(predictions.class_list), predictions.class_ids, "class_ids");
      !known) {
    return known;
  }
  const auto route =
      routes_.Find(predictions.model, predictions.frame.stream, predictions.class_list, now, *cut_);
  if (!route) {
    return tl::unexpected(route.error());
  }
  return AdmitPredictions(std::move(predictions), **route, sender, now);
}

Ingest::Outcome Ingest::OnLabels(Labels&& labels, const Sender& sender, TimePoint now) {
  if (Outcome known = CheckLabelIds(labels); !known) {
    return known;
  }
  if (!Counts(labels)) {
    ++cut_->counters.filtered_labels;
    ++cut_->label_tallies.Of(sender).refused;
    return {};
  }
  return AdmitLabels(std::make_shared<const Labels>(std::move(labels)), false, sender, now);
}

Ingest::Outcome Ingest::OnPair(wire::FramePair&& pair, const Sender& sender, TimePoint now) {
  const bool counts = Counts(pair.labels);
  // Both halves are checked before either is counted.
  const judge::ClassTable& table = *classes_.lists().Find(pair.predictions.class_list);
  Outcome known = CheckIds(table, pair.predictions.class_ids, "predictions.class_ids");
  if (known) {
    known = CheckLabelIds(pair.labels);
  }
  if (known && counts) {
    known = HasRoom(Bytes(pair.predictions) + Bytes(pair.labels));
  }
  Result<Route*, Reject> route = nullptr;
  if (known) {
    route = routes_.Find(pair.predictions.model, pair.predictions.frame.stream, pair.predictions.class_list,
                         now, *cut_);
    known = route ? Outcome() : Outcome(tl::unexpected(route.error()));
  }
  // What becomes of labels that come this far is said where they are settled.
  cut_->label_tallies.Of(sender).refused += known && counts ? 0 : 1;
  if (!known) {
    return known;
  }
  if (!counts) {
    ++cut_->counters.filtered_labels;
  } else {
    const std::uint64_t key = DedupKey(HashFrame(pair.predictions.frame), *(*route)->model);
    const bool follow = !seen_predictions_.Find(key).has_value();
    // There is room: what becomes of them is said later.
    (void)AdmitLabels(std::make_shared<const Labels>(std::move(pair.labels)), follow, sender, now);
  }
  return AdmitPredictions(std::move(pair.predictions), **route, sender, now);
}

Ingest::Outcome Ingest::CheckLabelIds(const Labels& labels) const {
  const judge::ClassTable& table = *classes_.lists().Find(labels.class_list);
  const Outcome known = CheckIds(table, labels.class_ids, "labels.class_ids");
  return known ? CheckIds(table, labels.examined, "labels.examined_class_ids") : known;
}

bool Ingest::Counts(const Labels& labels) const {
  return Contains(config_.labels.sources, labels.source) &&
         Contains(config_.labels.sampling, labels.sampling);
}

void Ingest::CountPredictions(const Route& route, const Predictions& predictions, Transport transport,
                              TimePoint now) {
  ++cut_->counters.frames[At(transport)];
  settle::ModelCounts& counts = routes_.Change(*route.model, *cut_).counts;
  ++counts.frames;
  counts.last_frame = now;
  const std::size_t group = Index(route.groups.front());  // of the first view
  if (group >= prediction_slot_.size()) {
    prediction_slot_.resize(group + 1, 0);
  }
  if (prediction_slot_[group] == 0) {
    cut_->predictions.emplace_back(route.groups.front(), PredictionStats{});
    prediction_slot_[group] = static_cast<std::uint32_t>(cut_->predictions.size());
  }
  PredictionStats& stats = cut_->predictions[prediction_slot_[group] - 1].second;
  ++stats.frames;
  for (const float score : predictions.scores) {
    stats.confidence.Observe(kConfidenceEdges, score);
  }
  stats.per_frame.Observe(kPerFrameEdges, static_cast<double>(predictions.scores.size()));
  if (predictions.inference_seconds > 0) {
    stats.inference_seconds.Observe(kInferenceEdges, predictions.inference_seconds);
  }
}

Ingest::Outcome Ingest::AdmitPredictions(Predictions&& predictions, const Route& route, const Sender& sender,
                                         TimePoint now) {
  const FrameHash frame = HashFrame(predictions.frame);
  const std::uint64_t key = DedupKey(frame, *route.model);
  if (const auto content = seen_predictions_.Find(key)) {
    if (*content == predictions.content_hash) {
      ++cut_->counters.duplicate_frames[At(sender.transport)];
      return {};
    }
    return tl::unexpected(
        Reject{RejectReason::kConflict, "frame: seen before with other content; the first stays"});
  }
  const auto recent = cut_->recent.find(frame);
  const bool meets = recent != cut_->recent.end() && recent->second.labels != nullptr;
  const std::size_t bytes = Bytes(predictions);
  if (!meets) {
    if (auto room = HasRoom(bytes); !room) {
      return room;
    }
  }
  seen_predictions_.Insert(key, predictions.content_hash, now);
  CountPredictions(route, predictions, sender.transport, now);
  settle::PredictionArrival half{std::move(predictions),
                                 frame,
                                 route.model->id,
                                 route.groups,
                                 now,
                                 route.model->labels_expected,
                                 sender,
                                 key};
  if (meets) {
    std::get<settle::LabelArrival>(cut_->arrivals[recent->second.label_arrival]).meets = true;
    const auto labels = recent->second.labels;
    JudgeNow(std::move(half), *labels, *route.model, now);
    return {};
  }
  if (half.waits) {
    cut_->recent[frame].waiting.push_back(cut_->arrivals.size());
  }
  cut_->arrivals.emplace_back(std::move(half));
  cut_bytes_ += bytes;
  ++cut_ordinals_;
  return {};
}

Ingest::Outcome Ingest::AdmitLabels(const std::shared_ptr<const Labels>& labels, bool meet,
                                    const Sender& sender, TimePoint now) {
  const std::size_t bytes = Bytes(*labels);
  if (auto room = HasRoom(bytes); !room) {
    return room;
  }
  const FrameHash frame = HashFrame(labels->frame);
  const std::uint64_t key = join::LabelKey(labels->revision, labels->source, labels->content_hash);
  const auto remembered = seen_labels_.Find(frame.low);
  // Provisional: if they are refused, what was there is put back.
  if (!remembered || join::Compare(key, *remembered) == join::Against::kHigher) {
    seen_labels_.Insert(frame.low, key, now);
  }
  RecentFrame& recent = cut_->recent[frame];
  const std::size_t place = cut_->arrivals.size();
  cut_->arrivals.emplace_back(settle::LabelArrival{labels, frame, sender, meet, remembered});
  cut_bytes_ += bytes;
  cut_ordinals_ += routes_.models_ever();
  // Labels that come now will be held by the state before it says so.
  labels_since_ = std::min(labels_since_, now);
  if (remembered || recent.labels != nullptr || recent.settled_later) {
    // Not the first labels of the frame: what came before is for settling, and so is what follows.
    recent.labels = nullptr;
    recent.settled_later = true;
    return {};
  }
  JoinRecent(recent, labels, place, now);
  return {};
}

void Ingest::JoinRecent(RecentFrame& recent, const std::shared_ptr<const Labels>& labels, std::size_t place,
                        TimePoint now) {
  recent.labels = labels;
  recent.label_arrival = place;
  for (const std::size_t waiting : std::exchange(recent.waiting, {})) {
    auto half = std::move(std::get<settle::PredictionArrival>(cut_->arrivals[waiting]));
    cut_->arrivals[waiting] = std::monostate{};
    std::get<settle::LabelArrival>(cut_->arrivals[place]).meets = true;
    if (KnownModel* model = routes_.FindModel(half.predictions.model)) {
      JudgeNow(std::move(half), *labels, *model, now);
    }
  }
}

void Ingest::JudgeNow(settle::PredictionArrival&& half, const Labels& labels, KnownModel& model,
                      TimePoint now) {
  cells::Evaluation& evaluation = *model.evaluation;
  judge_.Run(half.predictions, labels, classes_.lists(), evaluation.matcher, judged_);
  const accumulate::Ordinal ordinal = next_ordinal_++;
  const TimePoint capture =
      half.predictions.capture_time == TimePoint{} ? labels.capture_time : half.predictions.capture_time;
  cells::QuantumChange& change = cut_->changes[cells::QuantumAt(now, quantum_)];
  const cells::Counting how{*evaluation.params, evaluation.fine, config_.ring_capacity};
  for (const GroupId group : half.groups) {
    Contribute(judged_, 1, {ordinal, capture, false}, how, change.Group(group));
  }
  const bool keeps = !labels.final && config_.join.KeepsJudged();
  if (keeps || InDoubt()) {
    // Whether it counts as judged is decided with the labels.
    cut_bytes_ += Bytes(half.predictions);
    ++cut_ordinals_;
    cut_->arrivals.emplace_back(settle::JudgedArrival{std::move(half), ordinal, now, labels.final,
                                                      judged_.unjudged_detections,
                                                      judged_.unjudged_ground_truths});
    return;
  }
  settle::ModelCounts& counts = routes_.Change(model, *cut_).counts;
  ++counts.judged;
  counts.last_label = now;
  ++cut_->counters.judged_frames;
  cut_->counters.label_delay.Observe(kLabelDelayEdges, ToSeconds(now - half.since));
  cut_->counters.unjudged_detections += judged_.unjudged_detections;
  cut_->counters.unjudged_ground_truths += judged_.unjudged_ground_truths;
}

}  // namespace detwatch::pipeline
