// The frames of ingest: seen before, met in this cut, or for the state to settle.
#include <algorithm>
#include <utility>

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

// Vectors and overhead of a half that waits in the cut.
std::size_t Bytes(const Predictions& p) {
  return 320 + p.boxes.size() * (sizeof(Box) + sizeof(float) + sizeof(std::uint32_t));
}
std::size_t Bytes(const Labels& l) {
  return 320 + l.boxes.size() * (sizeof(Box) + sizeof(double) + sizeof(std::uint32_t) + 2);
}

// What dedup remembers of labels: the revision in the high half, so that a later one compares higher; source
// and content in the low half.
std::uint64_t ContentOf(const Labels& labels) {
  const std::uint64_t content = (labels.content_hash ^ (labels.content_hash >> 30U)) & 0x3fffffffU;
  return (std::uint64_t{labels.revision} << 32U) | (static_cast<std::uint64_t>(labels.source) << 30U) |
         content;
}

// Pane arithmetic rounds down, also before 1970.
std::int64_t FloorDivide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
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
  if (Outcome known = CheckIds(*classes_.Find(predictions.class_list), predictions.class_ids, "class_ids");
      !known) {
    return known;
  }
  const auto route = routes_.Find(predictions.model, predictions.frame.stream, now, *cut_);
  if (!route) {
    return tl::unexpected(route.error());
  }
  return AdmitPredictions(std::move(predictions), **route, nullptr, sender, now);
}

Ingest::Outcome Ingest::OnLabels(Labels&& labels, const Sender& sender, TimePoint now) {
  if (Outcome known = CheckLabelIds(labels); !known) {
    return known;
  }
  if (!Counts(labels)) {
    ++cut_->counters.filtered_labels;
    ++cut_->Tally(sender).refused;
    return {};
  }
  return AdmitLabels(std::make_shared<const Labels>(std::move(labels)), sender, now);
}

Ingest::Outcome Ingest::OnPair(wire::FramePair&& pair, const Sender& sender, TimePoint now) {
  if (!Counts(pair.labels)) {
    ++cut_->counters.filtered_labels;
    return OnPredictions(std::move(pair.predictions), sender, now);
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
  auto labels = std::make_shared<const Labels>(std::move(pair.labels));
  const Outcome labels_outcome = AdmitLabels(labels, sender, now);
  const Outcome outcome =
      AdmitPredictions(std::move(pair.predictions), **route, std::move(labels), sender, now);
  return outcome ? labels_outcome : outcome;
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

void Ingest::CountPredictions(const Route& route, const Predictions& predictions, Transport transport,
                              TimePoint now) {
  ++cut_->counters.frames[At(transport)];
  ModelDelta& delta = routes_.Delta(*route.model, *cut_);
  ++delta.frames;
  delta.last_frame = now;
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

Ingest::Outcome Ingest::AdmitPredictions(Predictions&& predictions, const Route& route,
                                         std::shared_ptr<const Labels> given, const Sender& sender,
                                         TimePoint now) {
  const FrameHash frame = HashFrame(predictions.frame);
  const std::uint64_t key = frame.low ^ route.model->hash;
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
  if (meets) {
    std::get<LabelArrival>(cut_->arrivals[recent->second.label_arrival]).used = true;
    const auto labels = recent->second.labels;
    JudgeNow(std::move(predictions), frame, *labels, *route.model, route.groups, now, now);
    return {};
  }
  PredictionArrival arrival;
  arrival.predictions = std::move(predictions);
  arrival.frame = frame;
  arrival.model = route.model->id;
  arrival.groups = route.groups;
  arrival.since = now;
  arrival.waits = route.model->labels_expected;
  arrival.given = std::move(given);
  if (arrival.waits && arrival.given == nullptr) {
    cut_->recent[frame].waiting.push_back(cut_->arrivals.size());
  }
  cut_->arrivals.emplace_back(std::move(arrival));
  cut_bytes_ += bytes;
  ++cut_ordinals_;
  return {};
}

Ingest::Outcome Ingest::AdmitLabels(const std::shared_ptr<const Labels>& labels, const Sender& sender,
                                    TimePoint now) {
  const FrameHash frame = HashFrame(labels->frame);
  const std::uint64_t content = ContentOf(*labels);
  const auto seen = seen_labels_.Find(frame.low);
  if (seen && *seen >> 32U == labels->revision) {
    if (*seen == content) {
      ++cut_->counters.duplicate_labels[At(sender.transport)];
      ++cut_->Tally(sender).duplicate;
      return {};
    }
    return tl::unexpected(
        Reject{RejectReason::kConflict, "labels: seen before with other content or source; the first stays"});
  }
  if (seen && *seen >> 32U > labels->revision) {
    return tl::unexpected(Reject{RejectReason::kStaleRevision, "revision: a higher one was seen already"});
  }
  const std::size_t bytes = Bytes(*labels);
  if (auto room = HasRoom(bytes); !room) {
    return room;
  }
  seen_labels_.Insert(frame.low, content, now);
  LabelArrival arrival{labels, frame, sender, false, seen.has_value()};
  RecentFrame& recent = cut_->recent[frame];
  const std::size_t place = cut_->arrivals.size();
  cut_->arrivals.emplace_back(std::move(arrival));
  cut_bytes_ += bytes;
  cut_ordinals_ += routes_.models_ever();
  if (seen || recent.settled_later) {
    // Not the first labels of the frame: what came before is the state's, and so is what follows.
    recent.labels = nullptr;
    recent.settled_later = true;
    return {};
  }
  recent.labels = labels;
  recent.label_arrival = place;
  for (const std::size_t waiting : std::exchange(recent.waiting, {})) {
    auto half = std::move(std::get<PredictionArrival>(cut_->arrivals[waiting]));
    cut_->arrivals[waiting] = std::monostate{};
    std::get<LabelArrival>(cut_->arrivals[place]).used = true;
    if (Model* model = routes_.FindModel(half.predictions.model)) {
      JudgeNow(std::move(half.predictions), frame, *labels, *model, half.groups, half.since, now);
    }
  }
  return {};
}

void Ingest::JudgeNow(Predictions&& predictions, const FrameHash& frame, const Labels& labels, Model& model,
                      const std::vector<GroupId>& groups, TimePoint since, TimePoint now) {
  Evaluation& evaluation = *model.evaluation;
  judge_.Run(predictions, labels, classes_, evaluation.matcher, judged_);
  cut_->counters.unjudged_detections += judged_.unjudged_detections;
  cut_->counters.unjudged_ground_truths += judged_.unjudged_ground_truths;
  const accumulate::Ordinal ordinal = next_ordinal_++;
  const TimePoint capture =
      predictions.capture_time == TimePoint{} ? labels.capture_time : predictions.capture_time;
  Segment& segment = cut_->SegmentAt(FloorDivide(ToUnixNanos(now), quantum_.count()));
  const Counting how{*evaluation.params, evaluation.shape};
  for (const GroupId group : groups) {
    AddFrame(segment, group, how, judged_.outcome, ordinal, capture, config_.ring_capacity);
    GroupDelta& delta = segment.Group(group);
    if (judged_.partial) {
      for (const ClassId class_id : judged_.examined) {
        delta.Cell(class_id, evaluation.shape).counts.AddTally(evaluation.shape.Frames(), 1);
      }
    } else {
      delta.CountFrame(judged_.known->set);
    }
  }
  ModelDelta& delta = routes_.Delta(model, *cut_);
  ++delta.judged;
  delta.last_label = now;
  ++cut_->counters.judged_frames;
  cut_->counters.label_delay.Observe(kLabelDelayEdges, ToSeconds(now - since));
  if (!labels.final && config_.join.KeepsJudged()) {
    cut_bytes_ += Bytes(predictions);
    cut_->arrivals.emplace_back(KeptArrival{std::move(predictions), frame, model.id, groups, ordinal, now});
  }
}

}  // namespace detwatch::pipeline
