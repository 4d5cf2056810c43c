// The rules, one after the other.
#include "tests/pipeline/history_model_support.h"

#include <utility>

namespace detwatch::test {

void PlainModel::Say(const Said& said, TimePoint now) {
  if (said.kind == Said::Kind::kList) {
    OnList(said.list, now);
    return;
  }
  if (said.kind == Said::Kind::kModel) {
    quiet_ = quiet_ || said.predictions.model == kQuietModel;
    return;
  }
  if (said.HasPredictions() && said.predictions.fault == Fault::kScore) {
    Reject("score_out_of_range");
    if (said.HasLabels()) {
      Tally(said, "refused");
    }
    return;
  }
  if (!ListsKnown(said)) {
    parked_.push_back({said, now});
    return;
  }
  Process(said, now);
}

// What waits for the list is processed now, in order of arrival.
void PlainModel::OnList(int list, TimePoint now) {
  lists_[list] = true;
  std::vector<Parked> parked = std::exchange(parked_, {});
  for (const Parked& waiting : parked) {
    if (ListsKnown(waiting.said)) {
      Process(waiting.said, now);
    } else {
      parked_.push_back(waiting);
    }
  }
}

// A message with something wrong in it is refused whole.
void PlainModel::Process(const Said& said, TimePoint now) {
  if ((said.HasPredictions() && said.predictions.fault != Fault::kNone) ||
      (said.HasLabels() && said.labels.fault != Fault::kNone)) {
    Reject("class_unknown");
    if (said.HasLabels()) {
      Tally(said, "refused");
    }
    return;
  }
  if (said.HasLabels() && Filtered(said.labels)) {
    Count("filtered labels");
    Tally(said, "refused");
  } else if (said.HasLabels()) {
    Frame& frame = frames_[{said.frame.stream, said.frame.frame_id}];
    OnLabels(said, said.HasPredictions() && frame.seen.count(said.predictions.model) == 0, now);
  }
  if (said.HasPredictions()) {
    OnPredictions(said, now);
  }
}

// The first content counts. Whatever labels are held judge it.
void PlainModel::OnPredictions(const Said& said, TimePoint now) {
  Frame& frame = frames_[{said.frame.stream, said.frame.frame_id}];
  const SaidPredictions& predictions = said.predictions;
  if (const auto seen = frame.seen.find(predictions.model); seen != frame.seen.end()) {
    seen->second.predictions == predictions ? Count("duplicate frames") : Reject("conflict");
    return;
  }
  frame.seen[predictions.model] = {predictions, now};
  Count("frames");
  Count("model " + predictions.model + " frames");
  if (const TimedLabels* held = Held(frame, now)) {
    const SaidLabels labels = held->labels;
    frame.met_held = frame.met_held || Forgets();
    if (frame.waiting_labels) {
      UseLabels(frame, labels, now, now);
    }
    Judge(frame, predictions, labels, now);
  } else if (predictions.model == kQuietModel && quiet_) {
    Count("never expected");
  } else {
    frame.waiting[predictions.model] = {predictions, now};
  }
}

void PlainModel::OnLabels(const Said& said, bool with_predictions, TimePoint now) {
  Frame& frame = frames_[{said.frame.stream, said.frame.frame_id}];
  const SaidLabels& labels = said.labels;
  const bool meets = with_predictions || !frame.waiting.empty();
  const TimedLabels* held = Held(frame, now);
  frame.labels_alone = frame.labels_alone || (!meets && (frame.gone || Forgets()));
  const TimedLabels* known = held != nullptr ? held : frame.known ? &*frame.known : nullptr;
  switch (Compare(labels, known == nullptr ? nullptr : &known->labels)) {
    case Against::kFirst:
      if (meets) {
        UseLabels(frame, labels, now, now);
      } else if (frame.gone || frame.KeepsJudged()) {
        Reject("too_late");
        Tally(said, "late");
        return;
      } else {
        frame.waiting_labels = {labels, now};
      }
      break;
    case Against::kSame:
      if (!meets) {
        Count("duplicate labels");
        Tally(said, "duplicate");
        return;
      }
      if (held == nullptr || frame.waiting_labels) {
        UseLabels(frame, held == nullptr ? labels : known->labels, now, now);
      }
      Count("labels");
      Tally(said, "joined or waiting");
      return;
    case Against::kOther:
      Reject("conflict");
      Tally(said, "refused");
      return;
    case Against::kLower:
      Reject("stale_revision");
      Tally(said, "refused");
      return;
    case Against::kHigher:
      OnHigherRevision(said, meets, now);
      return;
  }
  frame.known = {labels, now};
  Count("labels");
  Tally(said, "joined or waiting");
}

void PlainModel::OnHigherRevision(const Said& said, bool meets, TimePoint now) {
  Frame& frame = frames_[{said.frame.stream, said.frame.frame_id}];
  const SaidLabels& labels = said.labels;
  const TimedLabels* lingering = Lingering(frame, now);
  if (frame.kept && frame.KeepsJudged()) {
    Correct(frame, labels, meets, now);
    Tally(said, "corrected");
  } else if (frame.waiting_labels && !meets) {
    frame.waiting_labels->labels = labels;  // they wait on since the first ones came
  } else if (meets && !(lingering != nullptr && lingering->labels.final && !frame.kept)) {
    // What is held was used, and what it judged can not be corrected; or only waited; or nothing is held.
    UseLabels(frame, labels, lingering != nullptr ? lingering->since : now, now);
  } else {
    Reject("too_late");
    Tally(said, "late");
    return;
  }
  frame.known = {labels, now};
  Count("labels");
  Tally(said, "joined or waiting");
}

void PlainModel::UseLabels(Frame& frame, const SaidLabels& labels, TimePoint since, TimePoint now) {
  if (frame.KeepsJudged()) {
    LetGo(frame, now);  // judged by other labels, which nobody has any more
  }
  frame.waiting_labels.reset();
  frame.lingering = {labels, since};
  frame.kept.reset();
  if (Keeps(labels)) {
    frame.kept = {labels, since};
  }
  JudgeWaiting(frame, labels, now);
}

void PlainModel::JudgeWaiting(Frame& frame, const SaidLabels& labels, TimePoint now) {
  for (const auto& [model, waiting] : std::exchange(frame.waiting, {})) {
    Judge(frame, waiting.predictions, labels, now);
  }
}

void PlainModel::Judge(Frame& frame, const SaidPredictions& predictions, const SaidLabels& labels,
                       TimePoint now) {
  frame.judged[predictions.model] = {predictions, labels, now, Keeps(labels)};
  Count("judged frames");
  Count("model " + predictions.model + " judged");
}

// The old outcome out, the new one in, where it was.
void PlainModel::Correct(Frame& frame, const SaidLabels& labels, bool meets, TimePoint now) {
  for (auto& [model, judgement] : frame.judged) {
    if (judgement.kept) {
      judgement.labels = labels;
      Count("corrected frames");
    }
  }
  const bool lingers = Lingering(frame, now) != nullptr;
  if (lingers) {
    frame.lingering->labels = labels;
  }
  if (Keeps(labels)) {
    frame.kept->labels = labels;
  } else {
    LetGo(frame, now);
    if (!lingers && meets) {
      frame.lingering = {labels, now};  // for the predictions that came with them
    }
  }
  JudgeWaiting(frame, labels, now);
}

void PlainModel::LetGo(Frame& frame, TimePoint now) {
  for (auto& [model, judgement] : frame.judged) {
    judgement.kept = false;
  }
  frame.kept.reset();
  frame.gone = frame.gone.value_or(now);
}

}  // namespace detwatch::test
