#include "lib/join/ledger.h"

#include <algorithm>
#include <utility>

#include "lib/join/ledger_rows.h"

namespace detwatch::join {
namespace {

// What a row of labels is longer than the labels, at most.
constexpr std::size_t kMostLabelHead = 64;

}  // namespace

Ledger::Rows Ledger::Read(const FrameHash& frame) const {
  Rows rows;
  if (totals_.waiting_predictions + totals_.waiting_labels + totals_.kept + totals_.kept_bytes +
          totals_.gone ==
      0) {
    return rows;
  }
  const std::string prefix = FrameKeyOf(frame);
  store_.ScanPrefix(prefix, [&](std::string_view key, std::string_view value) {
    ByteReader in(key.substr(prefix.size()));
    const char kind = static_cast<char>(in.Byte());
    switch (kind) {
      case kPredictions:
        rows.waiting.push_back(DecodePredictions(in.Fixed32(), value));
        break;
      case kJudged:
        rows.judged.push_back(DecodePredictions(in.Fixed32(), value));
        break;
      case kLabels:
        rows.labels = DecodeLabels(value);
        break;
      case kJudgedBy:
        rows.judged_by = DecodeLabels(value);
        break;
      default:
        rows.gone = true;
    }
    return true;
  });
  return rows;
}

void Ledger::PutLabels(const FrameHash& frame, char kind, const HeldLabels& labels, TimePoint since) {
  const std::string key = RowKey(frame, kind);
  const std::string value = EncodeLabels(labels, since);
  const std::uint64_t bytes = key.size() + value.size();
  store_.Put(key, value);
  std::string size;
  AppendVarint(size, bytes);
  store_.Put(QueueKey(kind == kLabels ? kWaitQueue : kKeptQueue, since, key), size);
  if (kind == kLabels) {
    ++totals_.waiting_labels;
    totals_.waiting_bytes += bytes;
  } else {
    totals_.kept_bytes += bytes;
  }
}

void Ledger::DropWaitingLabels(const FrameHash& frame, const Rows& rows) {
  const std::string key = RowKey(frame, kLabels);
  const std::uint64_t bytes = key.size() + EncodeLabels(*rows.labels->labels, rows.labels->since).size();
  store_.Delete(key);
  store_.Delete(QueueKey(kWaitQueue, rows.labels->since, key));
  --totals_.waiting_labels;
  totals_.waiting_bytes -= bytes;
}

// From here on the labels linger, and where a correction may come they are kept.
void Ledger::Use(const FrameHash& frame, const std::shared_ptr<const HeldLabels>& labels, TimePoint now) {
  Linger(frame, labels, now);
  if (Keeps(labels->final)) {
    PutLabels(frame, kJudgedBy, *labels, now);
  }
}

std::shared_ptr<const HeldLabels> Ledger::UseLabels(const FrameHash& frame, TimePoint now) {
  const auto lingering = lingering_.find(frame);
  if (lingering != lingering_.end() && now - lingering->second.since < limits_.linger) {
    return lingering->second.labels;
  }
  if (totals_.waiting_labels == 0) {
    return nullptr;
  }
  const auto value = store_.Get(RowKey(frame, kLabels));
  if (!value) {
    return nullptr;
  }
  Rows rows;
  rows.labels = DecodeLabels(*value);
  DropWaitingLabels(frame, rows);
  Use(frame, rows.labels->labels, now);
  return rows.labels->labels;
}

Admission Ledger::Wait(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now) {
  const std::string key = RowKey(frame, kPredictions, model);
  const std::uint64_t size = key.size() + bytes.size() + 8;
  if (size > limits_.bytes) {
    return Admission::kMemory;
  }
  store_.Put(key, EncodePredictions(bytes, now));
  std::string counted;
  AppendVarint(counted, size);
  store_.Put(QueueKey(kWaitQueue, now, key), counted);
  ++totals_.waiting_predictions;
  totals_.waiting_bytes += size;
  return Admission::kAccepted;
}

void Ledger::Keep(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now) {
  const std::string key = RowKey(frame, kJudged, model);
  const std::uint64_t size = key.size() + bytes.size() + 8;
  store_.Put(key, EncodePredictions(bytes, now));
  std::string counted;
  AppendVarint(counted, size);
  store_.Put(QueueKey(kKeptQueue, now, key), counted);
  ++totals_.kept;
  totals_.kept_bytes += size;
}

bool Ledger::JudgedBy(const FrameHash& frame, std::uint32_t revision, std::uint64_t content_hash) const {
  const auto value = store_.Get(RowKey(frame, kJudgedBy));
  if (!value) {
    return false;
  }
  const auto labels = DecodeLabels(*value).labels;
  return labels->revision == revision && labels->content_hash == content_hash;
}

// Hands out the predictions that wait, as joined.
void Ledger::Join(const FrameHash& frame, Rows& rows, LabelFate& fate) {
  for (HeldPredictions& half : rows.waiting) {
    const std::string key = RowKey(frame, kPredictions, half.model);
    store_.Delete(key);
    store_.Delete(QueueKey(kWaitQueue, half.since, key));
    --totals_.waiting_predictions;
    totals_.waiting_bytes -= key.size() + half.bytes.size() + 8;
    fate.joined.push_back(std::move(half));
  }
}

// Labels with a higher revision than those that were used.
void Ledger::Correct(const FrameHash& frame, const Rows& rows,
                     const std::shared_ptr<const HeldLabels>& labels, LabelFate& fate) {
  fate.before = rows.judged_by->labels;
  fate.corrected = rows.judged;
  // The row stays at its place in the queue: corrections are taken for so long after the first use.
  const std::string key = RowKey(frame, kJudgedBy);
  const std::string value = EncodeLabels(*labels, rows.judged_by->since);
  const std::uint64_t before = key.size() + EncodeLabels(*fate.before, rows.judged_by->since).size();
  const std::uint64_t after = key.size() + value.size();
  store_.Put(key, value);
  std::string counted;
  AppendVarint(counted, after);
  store_.Put(QueueKey(kKeptQueue, rows.judged_by->since, key), counted);
  totals_.kept_bytes += after - before;
}

void Ledger::DropKept(const FrameHash& frame, const Rows& rows, TimePoint now) {
  const auto drop = [&](const std::string& key, TimePoint since, std::uint64_t bytes) {
    store_.Delete(key);
    store_.Delete(QueueKey(kKeptQueue, since, key));
    totals_.kept_bytes -= bytes;
  };
  for (const HeldPredictions& half : rows.judged) {
    const std::string key = RowKey(frame, kJudged, half.model);
    drop(key, half.since, key.size() + half.bytes.size() + 8);
    --totals_.kept;
  }
  if (rows.judged_by) {
    const std::string key = RowKey(frame, kJudgedBy);
    drop(key, rows.judged_by->since,
         key.size() + EncodeLabels(*rows.judged_by->labels, rows.judged_by->since).size());
  }
  MarkGone(frame, now);
}

LabelFate Ledger::OnLabels(const FrameHash& frame, std::shared_ptr<const HeldLabels> labels, bool used,
                           bool known_before, TimePoint now) {
  LabelFate fate;
  Rows rows = Read(frame);
  const auto lingers = lingering_.find(frame);
  const bool lingering = lingers != lingering_.end() && now - lingers->second.since < limits_.linger;
  std::shared_ptr<const HeldLabels> held;
  if (rows.labels) {
    held = rows.labels->labels;
  } else if (rows.judged_by) {
    held = rows.judged_by->labels;
  } else if (lingering) {
    held = lingers->second.labels;
  }
  const auto too_large = [&] { return labels->bytes.size() + kMostLabelHead > limits_.bytes; };
  if (held == nullptr) {
    if (!rows.waiting.empty() || used) {
      if (!rows.judged.empty()) {
        DropKept(frame, rows, now);  // the labels they were judged by have gone, so nobody can correct them
      }
      Join(frame, rows, fate);
      Use(frame, labels, now);
    } else if (known_before || rows.gone || !rows.judged.empty()) {
      fate.admission = Admission::kTooLate;
    } else if (too_large()) {
      fate.admission = Admission::kMemory;
    } else {
      fate.waits = true;
      PutLabels(frame, kLabels, *labels, now);
    }
    return fate;
  }
  if (used && rows.labels) {
    // The first ones waited for longer than the dedup keys remember, and the frame was judged by these.
    DropWaitingLabels(frame, rows);
    Join(frame, rows, fate);
    Use(frame, labels, now);
    return fate;
  }
  if (labels->revision <= held->revision) {
    const bool same = labels->revision == held->revision && labels->source == held->source;
    fate.admission = labels->revision < held->revision                    ? Admission::kStale
                     : same && labels->content_hash == held->content_hash ? Admission::kDuplicate
                                                                          : Admission::kConflict;
    return fate;
  }
  if (rows.labels) {
    if (too_large()) {
      fate.admission = Admission::kMemory;
      return fate;
    }
    // Not used yet: replaced, and wait on since the first ones came.
    DropWaitingLabels(frame, rows);
    PutLabels(frame, kLabels, *labels, rows.labels->since);
    fate.waits = true;
    return fate;
  }
  if (!rows.judged_by) {
    fate.admission = held->final ? Admission::kFinal : Admission::kTooLate;
    return fate;
  }
  if (rows.judged.empty() && rows.waiting.empty() && !used) {
    fate.admission = Admission::kTooLate;
    return fate;
  }
  if (labels->final) {
    fate.before = rows.judged_by->labels;
    fate.corrected = rows.judged;
    DropKept(frame, rows, now);
  } else {
    Correct(frame, rows, labels, fate);
  }
  Join(frame, rows, fate);
  if (lingering) {
    Linger(frame, labels, lingers->second.since);
  }
  return fate;
}

}  // namespace detwatch::join
