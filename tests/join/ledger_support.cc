#include "tests/join/ledger_support.h"

#include <algorithm>
#include <map>
#include <utility>

#include "lib/join/label_key.h"
#include "lib/join/ledger_rows.h"

namespace detwatch::join {

FrameHash FrameOf(int number) {
  return HashFrame({"gate", std::to_string(number)});
}

std::shared_ptr<HeldLabels> MakeLabels(std::uint32_t revision, std::uint64_t content, std::size_t bytes) {
  auto labels = std::make_shared<HeldLabels>();
  labels->revision = revision;
  labels->source = LabelSource::kHuman;
  labels->content_hash = content;
  labels->bytes.assign(bytes, 'l');
  return labels;
}

void ExpectSoundBooks(const KeyValue& store, const Ledger& ledger) {
  struct Entry {
    char queue = 0;
    std::uint64_t bytes = 0;
  };
  // By row key and time.
  std::map<std::pair<std::string, std::int64_t>, Entry> entries;
  Ledger::Totals counted;
  store.ScanPrefix("X", [&](std::string_view key, std::string_view value) {
    ByteReader in(key.substr(2));
    const auto since = static_cast<std::int64_t>(in.Fixed64());
    Entry entry{key[1], ByteReader(value).Varint()};
    entries.emplace(std::pair("F" + std::string(key.substr(10)), since), entry);
    return true;
  });
  store.ScanPrefix("F", [&](std::string_view key, std::string_view value) {
    const std::string row(key);
    if (key[17] == kGone) {
      ++counted.gone;
      const auto first = entries.lower_bound({row, INT64_MIN});
      EXPECT_TRUE(first != entries.end() && first->first.first == row) << "a gone frame without its entry";
      if (first != entries.end()) {
        entries.erase(first);
      }
      return true;
    }
    const auto since = static_cast<std::int64_t>(ByteReader(value.substr(1)).Fixed64());
    const auto entry = entries.find({row, since});
    EXPECT_NE(entry, entries.end()) << "a row " << key[17] << " without its queue entry";
    if (entry == entries.end()) {
      return true;
    }
    EXPECT_EQ(entry->second.bytes, key.size() + value.size()) << key[17];
    const bool waits = entry->second.queue == kWaitQueue;
    EXPECT_EQ(waits, key[17] == kPredictions || key[17] == kLabels);
    (waits ? counted.waiting_bytes : counted.kept_bytes) += entry->second.bytes;
    counted.waiting_predictions += key[17] == kPredictions ? 1 : 0;
    counted.waiting_labels += key[17] == kLabels ? 1 : 0;
    counted.kept += key[17] == kJudged ? 1 : 0;
    entries.erase(entry);
    return true;
  });
  EXPECT_TRUE(entries.empty()) << entries.size() << " queue entries without a row";
  const Ledger::Totals& held = ledger.totals();
  EXPECT_EQ(held.waiting_predictions, counted.waiting_predictions);
  EXPECT_EQ(held.waiting_labels, counted.waiting_labels);
  EXPECT_EQ(held.waiting_bytes, counted.waiting_bytes);
  EXPECT_EQ(held.kept, counted.kept);
  EXPECT_EQ(held.kept_bytes, counted.kept_bytes);
  EXPECT_EQ(held.gone, counted.gone);
}

void LedgerTest::Restart(TimePoint now) {
  ledger_->Checkpoint(++checkpoint_);
  ledger_ = std::make_unique<Ledger>(limits_, store_);
  const auto restored = ledger_->Restore(now);
  ASSERT_TRUE(restored) << restored.error().message;
}

std::uint64_t LedgerTest::Predict(int frame, TimePoint now, std::uint32_t model, std::size_t bytes) {
  const std::string payload(bytes, 'p');
  if (const auto labels = ledger_->UseLabels(FrameOf(frame), now)) {
    if (ledger_->Keeps(labels->final)) {
      ledger_->Keep(FrameOf(frame), model, payload, now);
    }
    return labels->content_hash;
  }
  EXPECT_TRUE(ledger_->Wait(FrameOf(frame), model, payload, now));
  return 0;
}

std::optional<std::uint64_t> LedgerTest::Remembered(int frame) const {
  const auto found = remembered_.find(frame);
  return found == remembered_.end() ? std::nullopt : std::optional(found->second);
}

LabelFate LedgerTest::Label(int frame, const std::shared_ptr<HeldLabels>& labels, TimePoint now, bool meets) {
  const bool keeps = ledger_->Keeps(labels->final);
  labels->accepted = now;
  const std::optional<std::uint64_t> remembered = Remembered(frame);
  LabelFate fate = ledger_->OnLabels(FrameOf(frame), labels, {meets, remembered}, now);
  if (Accepted(fate.verdict)) {
    const std::uint64_t key = LabelKey(labels->revision, labels->source, labels->content_hash);
    remembered_[frame] = std::max(key, remembered.value_or(0));
  }
  for (const HeldPredictions& half : fate.joined) {
    if (keeps) {
      ledger_->Keep(FrameOf(frame), half.model, half.bytes, now);
    }
  }
  return fate;
}

std::vector<Expired> LedgerTest::Expire(TimePoint now) {
  std::vector<Expired> expired;
  ledger_->Expire(now, expired);
  ExpectSoundBooks(store_, *ledger_);
  return expired;
}

}  // namespace detwatch::join
