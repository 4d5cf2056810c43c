#include "lib/join/ledger.h"

#include <algorithm>
#include <utility>

#include "lib/join/ledger_rows.h"

namespace detwatch::join {
namespace {

// Labels that are used within this time of their arrival are as old as their place in a queue says.
constexpr Duration kSoon = std::chrono::minutes(1);

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

void Ledger::PutHalf(const FrameHash& frame, char kind, std::uint32_t model, std::string_view bytes,
                     TimePoint now) {
  const std::string key = RowKey(frame, kind, model);
  const std::uint64_t size = PredictionsBytes(key, bytes);
  store_.Put(key, EncodePredictions(bytes, now));
  std::string counted;
  AppendVarint(counted, size);
  store_.Put(QueueKey(kind == kPredictions ? kWaitQueue : kKeptQueue, now, key), counted);
  if (kind == kPredictions) {
    ++totals_.waiting_predictions;
    totals_.waiting_bytes += size;
  } else {
    ++totals_.kept;
    totals_.kept_bytes += size;
  }
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

void Ledger::DropWaitingLabels(const FrameHash& frame, const TimedLabels& labels) {
  const std::string key = RowKey(frame, kLabels);
  const std::uint64_t bytes = key.size() + EncodeLabels(*labels.labels, labels.since).size();
  store_.Delete(key);
  store_.Delete(QueueKey(kWaitQueue, labels.since, key));
  --totals_.waiting_labels;
  totals_.waiting_bytes -= bytes;
}

// From here on the labels linger, and where a correction may come they are kept.
void Ledger::Use(const FrameHash& frame, const std::shared_ptr<const HeldLabels>& labels, TimePoint now) {
  if (labels->accepted + kSoon < now) {
    late_accepted_ = now < late_until_ ? std::min(late_accepted_, labels->accepted) : labels->accepted;
    late_until_ = std::max(late_until_, now + std::max(limits_.linger, limits_.corrections));
  }
  Linger(frame, labels, now);
  if (Keeps(labels->final)) {
    PutLabels(frame, kJudgedBy, *labels, now);
  }
}

TimePoint Ledger::HoldsLabelsSince(TimePoint now) const {
  TimePoint since = TimePoint::max();
  const auto no_earlier_than = [&](char queue) {
    const auto found = queue_from_.find(queue);
    since = std::min(since, found == queue_from_.end() ? TimePoint{} : found->second);
  };
  if (totals_.waiting_labels > 0) {
    no_earlier_than(kWaitQueue);
  }
  if (totals_.kept_bytes > 0) {
    no_earlier_than(kKeptQueue);
  }
  if (!linger_order_.empty()) {
    since = std::min(since, linger_order_.front().first - kSoon);
  }
  return now < late_until_ ? std::min(since, late_accepted_) : since;
}

const Ledger::Lingering* Ledger::FindLingering(const FrameHash& frame, TimePoint now) const {
  const auto found = lingering_.find(frame);
  return found != lingering_.end() && now - found->second.since < limits_.linger ? &found->second : nullptr;
}

std::shared_ptr<const HeldLabels> Ledger::UseLabels(const FrameHash& frame, TimePoint now) {
  if (const Lingering* lingering = FindLingering(frame, now)) {
    return lingering->labels;
  }
  if (totals_.waiting_labels > 0) {
    if (const auto value = store_.Get(RowKey(frame, kLabels))) {
      const TimedLabels waiting = DecodeLabels(*value);
      DropWaitingLabels(frame, waiting);
      Use(frame, waiting.labels, now);
      return waiting.labels;
    }
  }
  if (totals_.kept_bytes > 0) {
    if (const auto value = store_.Get(RowKey(frame, kJudgedBy))) {
      return DecodeLabels(*value).labels;
    }
  }
  return nullptr;
}

bool Ledger::Wait(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now) {
  if (PredictionsBytes(RowKey(frame, kPredictions, model), bytes) > limits_.bytes) {
    return false;
  }
  PutHalf(frame, kPredictions, model, bytes, now);
  return true;
}

void Ledger::Keep(const FrameHash& frame, std::uint32_t model, std::string_view bytes, TimePoint now) {
  PutHalf(frame, kJudged, model, bytes, now);
}

}  // namespace detwatch::join
