// What the ledger does with labels that come: the decision of revision.h, carried out on the rows.

#include <utility>

#include "lib/join/label_key.h"
#include "lib/join/ledger.h"
#include "lib/join/ledger_rows.h"

namespace detwatch::join {
namespace {

// What a row of labels is longer than the labels, at most.
constexpr std::size_t kMostLabelHead = 80;

Against Compare(const HeldLabels& labels, const HeldLabels& known) {
  if (labels.revision != known.revision) {
    return labels.revision < known.revision ? Against::kLower : Against::kHigher;
  }
  const bool same = labels.source == known.source && labels.content_hash == known.content_hash;
  return same ? Against::kSame : Against::kOther;
}

}  // namespace

// Hands out the predictions that wait, as joined.
void Ledger::Join(const FrameHash& frame, Rows& rows, LabelFate& fate) {
  for (HeldPredictions& half : rows.waiting) {
    const std::string key = RowKey(frame, kPredictions, half.model);
    store_.Delete(key);
    store_.Delete(QueueKey(kWaitQueue, half.since, key));
    --totals_.waiting_predictions;
    totals_.waiting_bytes -= PredictionsBytes(key, half.bytes);
    fate.joined.push_back(std::move(half));
  }
}

// The row stays at its place in the queue: corrections are taken for so long after the first use.
void Ledger::ReplaceKept(const FrameHash& frame, const TimedLabels& before, const HeldLabels& labels) {
  const std::string key = RowKey(frame, kJudgedBy);
  const std::string value = EncodeLabels(labels, before.since);
  const std::uint64_t old_bytes = key.size() + EncodeLabels(*before.labels, before.since).size();
  const std::uint64_t new_bytes = key.size() + value.size();
  store_.Put(key, value);
  std::string counted;
  AppendVarint(counted, new_bytes);
  store_.Put(QueueKey(kKeptQueue, before.since, key), counted);
  totals_.kept_bytes += new_bytes - old_bytes;
}

void Ledger::DropKept(const FrameHash& frame, const Rows& rows, TimePoint now) {
  const auto drop = [&](const std::string& key, TimePoint since, std::uint64_t bytes) {
    store_.Delete(key);
    store_.Delete(QueueKey(kKeptQueue, since, key));
    totals_.kept_bytes -= bytes;
  };
  for (const HeldPredictions& half : rows.judged) {
    const std::string key = RowKey(frame, kJudged, half.model);
    drop(key, half.since, PredictionsBytes(key, half.bytes));
    --totals_.kept;
  }
  if (rows.judged_by) {
    const std::string key = RowKey(frame, kJudgedBy);
    drop(key, rows.judged_by->since,
         key.size() + EncodeLabels(*rows.judged_by->labels, rows.judged_by->since).size());
  }
  MarkGone(frame, now);
}

Ledger::Known Ledger::FindKnown(const FrameHash& frame, const Rows& rows, TimePoint now) const {
  if (rows.labels) {
    return {rows.labels->labels, Held::kWaiting};
  }
  if (rows.judged_by) {
    return {rows.judged_by->labels, rows.judged.empty() ? Held::kSpent : Held::kCorrectable};
  }
  if (const Lingering* lingering = FindLingering(frame, now)) {
    return {lingering->labels, lingering->labels->final ? Held::kFinal : Held::kSpent};
  }
  return {};
}

// Labels that judge what they meet become the held ones.
void Ledger::TakePlace(const FrameHash& frame, Rows& rows, const Known& known, Against against,
                       const std::shared_ptr<const HeldLabels>& labels, TimePoint now) {
  switch (known.held) {
    case Held::kNothing:
      if (!rows.judged.empty()) {
        DropKept(frame, rows, now);  // the labels they were judged by have gone, so nobody can correct them
      }
      Use(frame, labels, now);
      return;
    case Held::kWaiting:
      DropWaitingLabels(frame, *rows.labels);
      Use(frame, against == Against::kSame ? known.labels : labels, now);
      return;
    default:
      break;
  }
  if (against == Against::kSame) {
    return;  // they are the held ones
  }
  const Lingering* lingering = FindLingering(frame, now);
  if (rows.judged_by && Keeps(labels->final)) {
    ReplaceKept(frame, *rows.judged_by, *labels);
    if (lingering != nullptr) {
      Linger(frame, labels, lingering->since);
    }
    return;
  }
  const TimePoint since = lingering == nullptr ? now : lingering->since;
  if (rows.judged_by || !rows.judged.empty()) {
    DropKept(frame, rows, now);  // these labels did not judge it, so they must not stand beside it
  }
  // Rows go to the end of their queue, whose beginning is not looked at again; lingering goes on.
  Use(frame, labels, now);
  Linger(frame, labels, since);
}

void Ledger::Correct(const FrameHash& frame, Rows& rows, const std::shared_ptr<const HeldLabels>& labels,
                     bool meets, LabelFate& fate, TimePoint now) {
  fate.before = rows.judged_by->labels;
  const Lingering* lingering = FindLingering(frame, now);
  if (Keeps(labels->final)) {
    ReplaceKept(frame, *rows.judged_by, *labels);
  } else {
    DropKept(frame, rows, now);
  }
  fate.corrected = std::move(rows.judged);
  if (lingering != nullptr) {
    Linger(frame, labels, lingering->since);
  } else if (meets && !Keeps(labels->final)) {
    Linger(frame, labels, now);  // what came with them looks for them next
  }
}

LabelFate Ledger::OnLabels(const FrameHash& frame, const std::shared_ptr<const HeldLabels>& labels,
                           const LabelContext& context, TimePoint now) {
  Rows rows = Read(frame);
  const Known known = FindKnown(frame, rows, now);
  Question question;
  if (known.labels != nullptr) {
    question.against = Compare(*labels, *known.labels);
  } else if (context.remembered) {
    question.against =
        join::Compare(LabelKey(labels->revision, labels->source, labels->content_hash), *context.remembered);
  }
  question.held = known.held;
  question.meets = context.meets || !rows.waiting.empty();
  question.was_here = rows.gone || !rows.judged.empty();
  LabelFate fate;
  fate.verdict = Decide(question);
  const bool waits = fate.verdict == Verdict::kWait || fate.verdict == Verdict::kReplace;
  if (waits && labels->bytes.size() + kMostLabelHead > limits_.bytes) {
    fate.verdict = Verdict::kTooLarge;
  }
  switch (fate.verdict) {
    case Verdict::kJudge:
      TakePlace(frame, rows, known, question.against, labels, now);
      Join(frame, rows, fate);
      break;
    case Verdict::kWait:
      PutLabels(frame, kLabels, *labels, now);
      break;
    case Verdict::kReplace:
      // They wait on since the first ones came.
      DropWaitingLabels(frame, *rows.labels);
      PutLabels(frame, kLabels, *labels, rows.labels->since);
      break;
    case Verdict::kCorrect:
      Correct(frame, rows, labels, question.meets, fate, now);
      Join(frame, rows, fate);
      break;
    default:
      break;
  }
  return fate;
}

}  // namespace detwatch::join
