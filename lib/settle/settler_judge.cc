// Frames that are judged late, corrected, or taken back.
#include <algorithm>
#include <utility>

#include "lib/settle/held.h"
#include "lib/settle/settler.h"
#include "lib/settle/work.h"

namespace detwatch::settle {
namespace {

TimePoint CaptureOf(const Predictions& predictions, const Labels& labels) {
  return predictions.capture_time == TimePoint{} ? labels.capture_time : predictions.capture_time;
}

}  // namespace

bool Settler::Run(const Predictions& predictions, const Labels& labels, cells::Evaluation& evaluation,
                  judge::JudgedFrame& out) {
  if (lists_.Find(predictions.class_list) == nullptr || lists_.Find(labels.class_list) == nullptr) {
    return false;
  }
  judge_.Run(predictions, labels, lists_, evaluation.matcher, out);
  return true;
}

// Predictions whose labels are here now: they enter the windows at this moment.
void Settler::JudgeLate(const Predictions& predictions, const Labels& labels, const FrameHash& frame,
                        std::uint32_t model, const std::vector<cells::GroupId>& groups, TimePoint since,
                        Work& work) {
  const TimePoint at = work.moment.taken;
  const accumulate::Ordinal ordinal = work.next_ordinal++;
  work.judged.unjudged_detections = work.judged.unjudged_ground_truths = 0;
  if (cells::Evaluation* evaluation = EvaluationOf(groups)) {
    if (!Run(predictions, labels, *evaluation, work.judged)) {
      work.Reject({},
                  {RejectReason::kClassListUnknown, "class_list_hash: the list was not used for too long"});
      return;
    }
    const cells::Counting how{*evaluation->params, evaluation->fine, ring_capacity_};
    cells::QuantumChange& change = work.settled.changes[cells::QuantumAt(at, quantum_)];
    for (const cells::GroupId id : groups) {
      const Group* group = FindGroup(id);
      if (group == nullptr) {
        continue;
      }
      if (group->evaluation != evaluation) {
        ++work.settled.counters.groups_refused;  // since it came, other models of the group got other rules
        continue;
      }
      Contribute(work.judged, 1, {ordinal, CaptureOf(predictions, labels), false}, how, change.Group(id));
    }
  }
  CountJudged(model, at, at - since, work.judged.unjudged_detections, work.judged.unjudged_ground_truths,
              work);
  if (ledger_.Keeps(labels.final)) {
    Keep(predictions, frame, model, groups, ordinal, at, work);
  }
}

// Takes the outcome by the old labels out of everything that still holds it, and puts the new one in.
void Settler::Correct(const join::HeldPredictions& held, const Labels& before, const Labels& after,
                      Work& work) {
  const HeldFrame frame = DecodeHeld(held.bytes);
  cells::Evaluation* evaluation = EvaluationOf(frame.groups);
  if (evaluation == nullptr) {
    return;  // the model was forgotten: nothing holds the frame any more
  }
  const auto predictions = Decode<Predictions>(frame.payload);
  if (!Run(predictions, before, *evaluation, work.judged_before) ||
      !Run(predictions, after, *evaluation, work.judged)) {
    return;
  }
  IngestCounters& counters = work.settled.counters;
  ++counters.corrected_frames;
  counters.unjudged_detections += work.judged.unjudged_detections;
  counters.unjudged_ground_truths += work.judged.unjudged_ground_truths;
  counters.retracted_unjudged_detections += work.judged_before.unjudged_detections;
  counters.retracted_unjudged_ground_truths += work.judged_before.unjudged_ground_truths;
  const cells::Counting how{*evaluation->params, evaluation->fine, ring_capacity_};
  const cells::Entry entry{frame.ordinal, {}, true};
  cells::QuantumChange& change = work.settled.changes[cells::QuantumAt(held.since, quantum_)];
  for (const cells::GroupId id : frame.groups) {
    const Group* group = FindGroup(id);
    if (group != nullptr && frame.ordinal >= group->first_ordinal && group->evaluation == evaluation) {
      Contribute(work.judged_before, -1, entry, how, change.Group(id));
      Contribute(work.judged, 1, entry, how, change.Group(id));
    }
  }
}

// The labels that ingest judged by do not stand: nobody has seen the outcome, and nothing is to be left of
// it.
void Settler::TakeBack(const JudgedArrival& arrival, const Labels& labels, Work& work) {
  const PredictionArrival& half = arrival.half;
  cells::Evaluation* evaluation = EvaluationOf(half.groups);
  if (evaluation == nullptr || !Run(half.predictions, labels, *evaluation, work.judged)) {
    return;
  }
  const cells::Counting how{*evaluation->params, evaluation->fine, ring_capacity_};
  const cells::Entry entry{arrival.ordinal, CaptureOf(half.predictions, labels), false};
  cells::QuantumChange& change = work.settled.changes[cells::QuantumAt(arrival.judged, quantum_)];
  for (const cells::GroupId id : half.groups) {
    if (FindGroup(id) != nullptr) {
      Contribute(work.judged, -1, entry, how, change.Group(id));
    }
  }
}

}  // namespace detwatch::settle
