#pragma once
// lib/join -- the ledger's rows as keys and values. Only ledger*.cc include this.
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

struct TimedLabels {
  std::shared_ptr<const HeldLabels> labels;
  TimePoint since;
};
// Throw std::runtime_error on what was not written by us: the store is damaged.
[[nodiscard]] TimedLabels DecodeLabels(std::string_view value);
[[nodiscard]] HeldPredictions DecodePredictions(std::uint32_t model, std::string_view value);

struct Ledger::Rows {
  std::vector<HeldPredictions> waiting;
  std::vector<HeldPredictions> judged;
  std::optional<TimedLabels> labels;     // that wait
  std::optional<TimedLabels> judged_by;  // that were used and are kept
  bool gone = false;
};

}  // namespace detwatch::join
