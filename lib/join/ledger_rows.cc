#include "lib/join/ledger_rows.h"

#include <stdexcept>
#include <utility>

namespace detwatch::join {
namespace {

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
  std::string value;
  value.reserve(32 + labels.bytes.size());
  AppendFixed64(value, static_cast<std::uint64_t>(ToUnixNanos(since)));
  AppendVarint(value, labels.revision);
  value.push_back(static_cast<char>(labels.source));
  value.push_back(labels.final ? 1 : 0);
  AppendFixed64(value, labels.content_hash);
  AppendText(value, labels.bytes);
  return value;
}

std::string EncodePredictions(std::string_view bytes, TimePoint since) {
  std::string value;
  value.reserve(8 + bytes.size());
  AppendFixed64(value, static_cast<std::uint64_t>(ToUnixNanos(since)));
  value += bytes;
  return value;
}

TimedLabels DecodeLabels(std::string_view value) {
  ByteReader in(value);
  TimedLabels out;
  out.since = FromUnixNanos(static_cast<std::int64_t>(in.Fixed64()));
  auto labels = std::make_shared<HeldLabels>();
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

HeldPredictions DecodePredictions(std::uint32_t model, std::string_view value) {
  ByteReader in(value);
  HeldPredictions out;
  out.model = model;
  out.since = FromUnixNanos(static_cast<std::int64_t>(in.Fixed64()));
  if (!in.ok()) {
    Damaged("predictions");
  }
  out.bytes = in.Raw(in.left());
  return out;
}

}  // namespace detwatch::join
