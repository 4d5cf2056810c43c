#pragma once
// Halves for the ledger as the pipeline hands them in, and a recount of its rows.

#include <gtest/gtest.h>

#include <memory>
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
  LabelFate Label(int frame, std::shared_ptr<const HeldLabels> labels, TimePoint now,
                  bool known_before = false, bool used = false);
  std::vector<Expired> Expire(TimePoint now);
  [[nodiscard]] const Ledger::Totals& totals() const { return ledger_->totals(); }

  JoinLimits limits_;
  MemoryKeyValue store_;
  std::unique_ptr<Ledger> ledger_ = std::make_unique<Ledger>(limits_, store_);
  std::uint64_t checkpoint_ = 0;
};

}  // namespace detwatch::join
