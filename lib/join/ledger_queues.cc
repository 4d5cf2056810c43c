// The ledger's rows over time: what lingers, what is let go of, and what a start reads again.
#include <algorithm>
#include <utility>

#include "lib/join/ledger.h"
#include "lib/join/ledger_rows.h"

namespace detwatch::join {
namespace {

// What it costs in the store to remember that a frame is gone: two rows with their keys.
constexpr std::size_t kGoneBytes = 128;
// Such rows may take one part in so many of the budget for waiting frames.
constexpr std::size_t kGoneShare = 16;
// At most so many rows of one queue are deleted in one tick. After a stop of a week, deleting all that had
// become too old in one go took a minute, in which nothing was acknowledged. Where the budget is exceeded
// more are deleted, or it would not hold.
constexpr std::size_t kMostATick = 20'000;
constexpr std::size_t kMostATickWhenFull = 200'000;

}  // namespace

void Ledger::Linger(const FrameHash& frame, std::shared_ptr<const HeldLabels> labels, TimePoint since) {
  if (store_.outlives_process()) {
    AppendLingering(linger_changes_, frame, {labels, since});
  }
  linger_newest_ = std::max(linger_newest_, since);
  DropLingering(frame);
  lingering_bytes_ += labels->bytes.size() + sizeof(HeldLabels) + sizeof(Lingering);
  lingering_.insert_or_assign(frame, Lingering{std::move(labels), since});
  linger_order_.emplace_back(since, frame);
}

void Ledger::DropLingering(const FrameHash& frame) {
  const auto found = lingering_.find(frame);
  if (found != lingering_.end()) {
    lingering_bytes_ -= found->second.labels->bytes.size() + sizeof(HeldLabels) + sizeof(Lingering);
    lingering_.erase(found);
  }
}

void Ledger::Trim(
    char queue, TimePoint now, Duration age, const std::function<bool()>& full,
    const std::function<void(const FrameHash&, char kind, std::uint32_t model, std::uint64_t bytes)>& drop) {
  TimePoint& from = queue_from_[queue];
  if (from > now - age && !full()) {
    return;
  }
  struct Entry {
    std::string key;
    TimePoint since;
    std::uint64_t bytes = 0;
  };
  // In portions: the store must not be written to while it is scanned.
  constexpr std::size_t kPortion = 1000;
  std::size_t left = full() ? kMostATickWhenFull : kMostATick;
  for (bool more = true; more && left > 0;) {
    std::vector<Entry> entries;
    const std::string first = QueueKey(queue, from, "F");
    const std::string end = AfterPrefix(std::string{'X', queue});
    store_.Scan(first, end, [&](std::string_view key, std::string_view value) {
      ByteReader in(key.substr(2));
      const TimePoint since = FromUnixNanos(static_cast<std::int64_t>(in.Fixed64()));
      if (since > now - age && !full()) {
        from = since;
        return false;
      }
      ByteReader size(value);
      entries.push_back({std::string(key), since, size.Varint()});
      return entries.size() < kPortion;
    });
    more = entries.size() == kPortion;
    left -= std::min(left, entries.size());
    for (const Entry& entry : entries) {
      if (entry.since > now - age && !full()) {
        from = entry.since;
        return;
      }
      ByteReader in(std::string_view(entry.key).substr(10));
      FrameHash frame;
      frame.high = in.Fixed64();
      frame.low = in.Fixed64();
      const char kind = static_cast<char>(in.Byte());
      const std::uint32_t model = in.left() == 4 ? in.Fixed32() : 0;
      store_.Delete(entry.key);
      DeleteRow(RowKey(frame, kind, model), kind, entry.since);
      from = std::max(from, entry.since);
      drop(frame, kind, model, entry.bytes);
    }
    if (entries.empty() && from <= now - age) {
      from = now - age;
    }
  }
}

// The row may belong to a later arrival: the same predictions that came again after the dedup keys had
// forgotten the first. That one has an entry in the queue of its own, so its row stays.
void Ledger::DeleteRow(const std::string& key, char kind, TimePoint since) {
  if (kind == kPredictions || kind == kJudged) {
    const auto value = store_.Get(key);
    if (!value || DecodeSince(*value) != since) {
      return;
    }
  }
  store_.Delete(key);
}

void Ledger::MarkGone(const FrameHash& frame, TimePoint now) {
  const std::string key = RowKey(frame, kGone);
  if (store_.Get(key)) {
    return;
  }
  store_.Put(key, "");
  store_.Put(QueueKey(kGoneQueue, now, key), std::string(1, '\0'));
  ++totals_.gone;
}

void Ledger::Expire(TimePoint now, std::vector<Expired>& expired) {
  Trim(
      kWaitQueue, now, limits_.retention, [&] { return totals_.waiting_bytes > limits_.bytes; },
      [&](const FrameHash& frame, char kind, std::uint32_t model, std::uint64_t bytes) {
        totals_.waiting_bytes -= bytes;
        if (kind == kPredictions) {
          --totals_.waiting_predictions;
          MarkGone(frame, now);
        } else {
          --totals_.waiting_labels;
        }
        expired.push_back({kind == kPredictions, model});
      });
  Trim(
      kKeptQueue, now, limits_.corrections, [&] { return totals_.kept_bytes > limits_.corrections_bytes; },
      [&](const FrameHash& frame, char kind, std::uint32_t, std::uint64_t bytes) {
        totals_.kept_bytes -= bytes;
        if (kind == kJudged) {
          --totals_.kept;
          MarkGone(frame, now);
        }
      });
  Trim(
      kGoneQueue, now, limits_.retention,
      [&] { return totals_.gone * kGoneBytes > limits_.bytes / kGoneShare; },
      [&](const FrameHash&, char, std::uint32_t, std::uint64_t) { --totals_.gone; });

  TrimLingering(now);
  // A stored blob in which everything is older than the oldest labels that still linger is not needed any
  // more.
  const auto spent = [&](TimePoint newest) {
    return now - newest >= limits_.linger || linger_order_.empty() || newest < linger_order_.front().first;
  };
  while (!linger_blobs_.empty() && spent(linger_blobs_.front().second)) {
    store_.Delete(LingerKey(linger_blobs_.front().first));
    linger_blobs_.pop_front();
  }
}

void Ledger::TrimLingering(TimePoint now) {
  while (!linger_order_.empty() &&
         (now - linger_order_.front().first >= limits_.linger || lingering_bytes_ > limits_.linger_bytes)) {
    const auto& [since, frame] = linger_order_.front();
    const auto found = lingering_.find(frame);
    if (found != lingering_.end() && found->second.since == since) {
      DropLingering(frame);
    }
    linger_order_.pop_front();
  }
}

void Ledger::Checkpoint(std::uint64_t number) {
  if (!linger_changes_.empty()) {
    store_.Put(LingerKey(number), linger_changes_);
    linger_changes_.clear();
    linger_blobs_.emplace_back(number, linger_newest_);
  }
  store_.Put(kTotalsKey, EncodeTotals(totals_));
}

Result<void> Ledger::Restore(TimePoint now) {
  const auto value = store_.Get(kTotalsKey);
  if (!value) {
    return {};
  }
  const auto totals = ParseTotals(*value);
  if (!totals) {
    return tl::unexpected(totals.error());
  }
  totals_ = *totals;
  Result<void> read;
  store_.ScanPrefix(kLingerPrefix, [&](std::string_view key, std::string_view row) {
    auto entries = ParseLingering(row);
    if (!entries) {
      read = tl::unexpected(entries.error());
      return false;
    }
    TimePoint newest;
    for (LingeringEntry& entry : *entries) {
      newest = std::max(newest, entry.labels.since);
      if (now - entry.labels.since < limits_.linger) {
        Linger(entry.frame, std::move(entry.labels.labels), entry.labels.since);
      }
    }
    TrimLingering(now);       // as before the restart, what does not fit is dropped
    linger_changes_.clear();  // they are in the store already
    linger_blobs_.emplace_back(LingerNumber(key), newest);
    return true;
  });
  if (!lingering_.empty() || totals_.kept_bytes > 0) {
    // When these labels arrived is not stored, so it may have been at any time: dedup keys are in doubt until
    // the last of them is gone.
    late_accepted_ = TimePoint{};
    late_until_ = now + std::max(limits_.linger, limits_.corrections);
  }
  return read;
}

}  // namespace detwatch::join
