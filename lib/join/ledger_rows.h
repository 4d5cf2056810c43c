#pragma once
// lib/join -- the ledger's rows: every key and value of this room, with what writes a row beside what reads
// it. Frozen by golden files; a change here is a new version of the row and a new format of the store. Only
// ledger*.cc and tests include this.
//
//   F <frame 16> P <model 4>   predictions that wait: since, bytes
//   F <frame 16> L             labels that wait: since, head, bytes
//   F <frame 16> J <model 4>   judged predictions, kept: since, bytes
//   F <frame 16> K             the labels they were judged by: since, head, bytes
//   F <frame 16> G             the frame was here
//   X <queue> <since 8> <rest of the key without F>   one for each of the above: bytes it counts for
//   jG <number 8>              labels that began to linger up to checkpoint <number>
//   jT                         totals
//
// Queues: w waits (P, L), k kept (J, K), g gone (G).
//
// Laws (tests of the same name): EveryRowIsFrozen. Errors: what was not written by us throws
// std::runtime_error, because a store that cannot be read must end the process; Parse functions that a start
// calls give a Result.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/bytes.h"
#include "lib/join/ledger.h"

namespace detwatch::join {

inline constexpr char kPredictions = 'P';
inline constexpr char kLabels = 'L';
inline constexpr char kJudged = 'J';
inline constexpr char kJudgedBy = 'K';
inline constexpr char kGone = 'G';
inline constexpr char kWaitQueue = 'w';
inline constexpr char kKeptQueue = 'k';
inline constexpr char kGoneQueue = 'g';

// F <frame>
[[nodiscard]] std::string FrameKeyOf(const FrameHash& frame);
[[nodiscard]] std::string RowKey(const FrameHash& frame, char kind, std::uint32_t model = 0);
[[nodiscard]] std::string QueueKey(char queue, TimePoint since, std::string_view row_key);

[[nodiscard]] std::string EncodeLabels(const HeldLabels& labels, TimePoint since);
[[nodiscard]] std::string EncodePredictions(std::string_view bytes, TimePoint since);
// What a row of predictions counts for.
[[nodiscard]] std::size_t PredictionsBytes(std::string_view key, std::string_view bytes);
// Throw std::runtime_error on what was not written by us: the store is damaged.
[[nodiscard]] TimedLabels DecodeLabels(std::string_view value);
[[nodiscard]] HeldPredictions DecodePredictions(std::uint32_t model, std::string_view value);

[[nodiscard]] TimePoint DecodeSince(std::string_view predictions_row);

inline constexpr std::string_view kTotalsKey = "jT";
[[nodiscard]] std::string EncodeTotals(const Ledger::Totals& totals);
[[nodiscard]] Result<Ledger::Totals> ParseTotals(std::string_view value);

inline constexpr std::string_view kLingerPrefix = "jG";
[[nodiscard]] std::string LingerKey(std::uint64_t number);
[[nodiscard]] std::uint64_t LingerNumber(std::string_view key);
// Labels that began to linger, one after the other, in a row of one checkpoint.
void AppendLingering(std::string& row, const FrameHash& frame, const TimedLabels& labels);
struct LingeringEntry {
  FrameHash frame;
  TimedLabels labels;
};
[[nodiscard]] Result<std::vector<LingeringEntry>> ParseLingering(std::string_view row);

struct Ledger::Rows {
  std::vector<HeldPredictions> waiting;
  std::vector<HeldPredictions> judged;
  std::optional<TimedLabels> labels;     // that wait
  std::optional<TimedLabels> judged_by;  // that were used and are kept
  bool gone = false;
};

}  // namespace detwatch::join
