#include "lib/join/ledger_rows.h"

#include <stdexcept>
#include <utility>

namespace detwatch::join {
namespace {

// The first byte of every row. Frozen: a new form is a new number.
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kPredictionsHead = 9;  // version and time

[[noreturn]] void Damaged(std::string_view what) {
  throw std::runtime_error("the store is damaged: a row of " + std::string(what) +
                           " cannot be read; see --storage.repair");
}

}  // namespace

std::string FrameKeyOf(const FrameHash& frame) {
  std::string key(1, 'F');
  key.reserve(22);
  AppendFixed64(key, frame.high);
  AppendFixed64(key, frame.low);
  return key;
}

std::string RowKey(const FrameHash& frame, char kind, std::uint32_t model) {
  std::string key = FrameKeyOf(frame);
  key.push_back(kind);
  if (kind == kPredictions || kind == kJudged) {
    AppendFixed32(key, model);
  }
  return key;
}

std::string QueueKey(char queue, TimePoint since, std::string_view row_key) {
  std::string key{'X', queue};
  key.reserve(9 + row_key.size());
  AppendFixed64(key, static_cast<std::uint64_t>(ToUnixNanos(since)));
  key += row_key.substr(1);
  return key;
}

std::string EncodeLabels(const HeldLabels& labels, TimePoint since) {
  std::string value(1, static_cast<char>(kVersion));
  value.reserve(48 + labels.bytes.size());
  AppendFixed64(value, static_cast<std::uint64_t>(ToUnixNanos(since)));
  AppendSigned(value, ToUnixNanos(labels.accepted));
  AppendVarint(value, labels.revision);
  value.push_back(static_cast<char>(labels.source));
  value.push_back(labels.final ? 1 : 0);
  AppendFixed64(value, labels.content_hash);
  AppendText(value, labels.bytes);
  return value;
}

TimedLabels DecodeLabels(std::string_view value) {
  ByteReader in(value);
  TimedLabels out;
  if (in.Byte() != kVersion) {
    Damaged("labels");
  }
  out.since = FromUnixNanos(static_cast<std::int64_t>(in.Fixed64()));
  auto labels = std::make_shared<HeldLabels>();
  labels->accepted = FromUnixNanos(in.Signed());
  labels->revision = static_cast<std::uint32_t>(in.Varint());
  labels->source = static_cast<LabelSource>(in.Byte());
  labels->final = in.Byte() != 0;
  labels->content_hash = in.Fixed64();
  labels->bytes = in.Text();
  if (!in.AtEnd()) {
    Damaged("labels");
  }
  out.labels = std::move(labels);
  return out;
}

std::string EncodePredictions(std::string_view bytes, TimePoint since) {
  std::string value(1, static_cast<char>(kVersion));
  value.reserve(kPredictionsHead + bytes.size());
  AppendFixed64(value, static_cast<std::uint64_t>(ToUnixNanos(since)));
  value += bytes;
  return value;
}

HeldPredictions DecodePredictions(std::uint32_t model, std::string_view value) {
  HeldPredictions out;
  out.model = model;
  out.since = DecodeSince(value);
  out.bytes = value.substr(kPredictionsHead);
  return out;
}

std::size_t PredictionsBytes(std::string_view key, std::string_view bytes) {
  return key.size() + kPredictionsHead + bytes.size();
}

TimePoint DecodeSince(std::string_view predictions_row) {
  ByteReader in(predictions_row);
  const bool ours = in.Byte() == kVersion;
  const auto since = static_cast<std::int64_t>(in.Fixed64());
  if (!ours || !in.ok()) {
    Damaged("predictions");
  }
  return FromUnixNanos(since);
}

std::string EncodeTotals(const Ledger::Totals& totals) {
  std::string value(1, static_cast<char>(kVersion));
  for (const std::uint64_t n : {totals.waiting_predictions, totals.waiting_labels, totals.waiting_bytes,
                                totals.kept, totals.kept_bytes, totals.gone}) {
    AppendVarint(value, n);
  }
  return value;
}

Result<Ledger::Totals> ParseTotals(std::string_view value) {
  ByteReader in(value);
  Ledger::Totals totals;
  const bool ours = in.Byte() == kVersion;
  for (std::uint64_t* n : {&totals.waiting_predictions, &totals.waiting_labels, &totals.waiting_bytes,
                           &totals.kept, &totals.kept_bytes, &totals.gone}) {
    *n = in.Varint();
  }
  return ours && in.AtEnd() ? Result<Ledger::Totals>(totals)
                            : Fail("the store is damaged: the totals of waiting frames cannot be read");
}

std::string LingerKey(std::uint64_t number) {
  std::string key(kLingerPrefix);
  AppendFixed64(key, number);
  return key;
}

std::uint64_t LingerNumber(std::string_view key) {
  return ByteReader(key.substr(kLingerPrefix.size())).Fixed64();
}

void AppendLingering(std::string& row, const FrameHash& frame, const TimedLabels& labels) {
  if (row.empty()) {
    row.push_back(static_cast<char>(kVersion));
  }
  AppendFixed64(row, frame.high);
  AppendFixed64(row, frame.low);
  AppendText(row, EncodeLabels(*labels.labels, labels.since));
}

Result<std::vector<LingeringEntry>> ParseLingering(std::string_view row) {
  ByteReader in(row);
  std::vector<LingeringEntry> entries;
  bool ours = in.Byte() == kVersion;
  while (ours && in.ok() && in.left() > 0) {
    LingeringEntry entry;
    entry.frame.high = in.Fixed64();
    entry.frame.low = in.Fixed64();
    const std::string_view labels = in.Text();
    ours = in.ok();
    if (ours) {
      entry.labels = DecodeLabels(labels);
      entries.push_back(std::move(entry));
    }
  }
  return ours && in.ok() ? Result<std::vector<LingeringEntry>>(std::move(entries))
                         : Fail("the store is damaged: labels that linger cannot be read");
}

}  // namespace detwatch::join
