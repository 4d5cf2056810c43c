#pragma once
// Halves for the ledger as the pipeline hands them in, and a recount of its rows.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/join/ledger.h"

namespace detwatch::join {

inline const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

[[nodiscard]] FrameHash FrameOf(int number);
[[nodiscard]] std::shared_ptr<HeldLabels> MakeLabels(std::uint32_t revision = 0, std::uint64_t content = 1,
                                                     std::size_t bytes = 40);

// Counts every row and queue entry of the store again, and expects the ledger's totals, a queue entry for
// every row and a row for every entry.
void ExpectSoundBooks(const KeyValue& store, const Ledger& ledger);

// As on a disk: a restart finds it again.
class LastingKeyValue final : public MemoryKeyValue {
 public:
  [[nodiscard]] bool outlives_process() const override { return true; }
};

// A ledger on a store in memory. Every change is checked against a recount.
class LedgerTest : public ::testing::Test {
 protected:
  void Limit(const JoinLimits& limits) {
    limits_ = limits;
    ledger_ = std::make_unique<Ledger>(limits_, store_);
  }
  void Restart(TimePoint now);
  // As the pipeline does: judged when labels are here (their content), else it waits (0).
  std::uint64_t Predict(int frame, TimePoint now, std::uint32_t model = 0, std::size_t bytes = 40);
  // `meets`: predictions were judged by them already. Dedup keys remember what was accepted.
  LabelFate Label(int frame, const std::shared_ptr<HeldLabels>& labels, TimePoint now, bool meets = false);
  [[nodiscard]] std::optional<std::uint64_t> Remembered(int frame) const;
  std::vector<Expired> Expire(TimePoint now);
  [[nodiscard]] const Ledger::Totals& totals() const { return ledger_->totals(); }

  JoinLimits limits_;
  LastingKeyValue store_;
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(limits_, store_);
  std::uint64_t checkpoint_ = 0;
  std::map<int, std::uint64_t> remembered_;  // by frame, as dedup keys have it
};

}  // namespace detwatch::join
