// Both halves together over a network that loses, delays, repeats and swaps, connections that break or go
// deaf, and processes that crash: whatever happens, what was acknowledged is counted once, and the rest is
// told.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "tests/delivery/simulation_support.h"

namespace detwatch::delivery {
namespace {

// A failure is rerun alone with its seed and these faults.
void RunMany(const Faults& faults, std::uint32_t seeds) {
  Duration longest{};
  for (std::uint32_t seed = 0; seed < seeds; ++seed) {
    Simulation simulation(seed, faults);
    ASSERT_EQ(simulation.Run(), "") << "seed " << seed << ": " << faults;
    longest = std::max(longest, simulation.calm_needed());
  }
  ::testing::Test::RecordProperty("longest_calm_seconds", std::to_string(ToSeconds(longest)));
}

TEST(ProtocolTest, ACalmNetworkSendsEverythingOnce) {
  Simulation simulation(1, {});
  EXPECT_EQ(simulation.Run(), "");
  EXPECT_EQ(simulation.resent(), 0U);
}

TEST(ProtocolTest, EverySequenceIsTakenAtMostOnceWhateverIsLostDoubledOrSwapped) {
  RunMany({.lose = 10, .repeat = 10, .swap = 10}, 600);
}

TEST(ProtocolTest, EverythingArrivesOverConnectionsThatBreakAndOvertakeEachOther) {
  RunMany({.delay = 50, .cut = 100}, 600);
}

TEST(ProtocolTest, EverythingArrivesOverConnectionsThatGoDeafInOneDirection) {
  RunMany({.delay = 20, .half_open = 50}, 600);
}

TEST(ProtocolTest, ADaemonThatCrashesTakesAgainWhatItHadNotStored) {
  RunMany({.cut = 20, .daemon_crash = 80}, 600);
}

TEST(ProtocolTest, AFullDiskStopsAcknowledgementsAndLosesNothing) {
  RunMany({.cut = 20, .daemon_crash = 20, .disk_full = 30}, 600);
}

TEST(ProtocolTest, APublisherThatCrashesGoesOnAfterItsLastAcknowledgement) {
  RunMany({.delay = 30, .cut = 30, .daemon_crash = 20, .publisher_crash = 40}, 600);
}

TEST(ProtocolTest, TheLaterOfTwoProcessesWithOneNameTakesItOver) {
  RunMany({.delay = 30, .cut = 40, .daemon_crash = 30, .same_name = true}, 600);
}

TEST(ProtocolTest, WhatTheOwnerDropsIsLostAndNothingElse) {
  RunMany({.lose = 10, .repeat = 5, .cut = 30, .drop_oldest = true, .window_bytes = 20}, 600);
  RunMany({.delay = 30, .half_open = 50, .daemon_crash = 30, .drop_oldest = true, .window_bytes = 8}, 600);
}

TEST(ProtocolTest, WhatAStoreThatWasRolledBackHadTakenIsCountedAsLost) {
  RunMany({.cut = 30, .daemon_crash = 20, .rollback = 20}, 600);
  RunMany({.cut = 30, .rollback = 20, .drop_oldest = true, .window_bytes = 20}, 600);
}

TEST(ProtocolTest, AnotherStoreLosesNothingThatItNeverHad) {
  RunMany({.cut = 30, .daemon_crash = 20, .replace_store = 10}, 600);
}

TEST(ProtocolTest, APublisherThatWasForgottenComesBackWithoutLoss) {
  RunMany({.cut = 50, .idle = std::chrono::seconds(20), .away = 40}, 600);
  RunMany({.cut = 20, .half_open = 100, .idle = std::chrono::seconds(10), .away = 60}, 1000);
}

// They once moved the row, and with the next checkpoint the publisher let go of what nobody had judged.
TEST(ProtocolTest, HellosOfAStrangerAcknowledgeAndLoseNothing) {
  RunMany({.lose = 5, .cut = 30, .daemon_crash = 20, .forged_hello = 50}, 600);
  RunMany({.cut = 30, .forged_hello = 50, .drop_oldest = true, .window_bytes = 20}, 600);
}

TEST(ProtocolTest, AllOfItAtOnce) {
  const Faults faults{.lose = 3,
                      .repeat = 3,
                      .swap = 3,
                      .delay = 20,
                      .cut = 20,
                      .half_open = 20,
                      .daemon_crash = 20,
                      .publisher_crash = 10,
                      .disk_full = 10,
                      .rollback = 5,
                      .replace_store = 3,
                      .clock_jump = 20,
                      .forged_hello = 20};
  RunMany(faults, 600);
  Faults dropping = faults;
  dropping.drop_oldest = true;
  dropping.window_bytes = 30;
  dropping.same_name = true;
  RunMany(dropping, 600);
}

}  // namespace
}  // namespace detwatch::delivery
