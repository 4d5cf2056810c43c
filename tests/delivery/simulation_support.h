#pragma once
// Several publishers, one daemon, and a network and a disk that do what networks and disks do. Every choice
// comes from the seed. After the faults the world calms down, and then nothing may be missing.

#include <cstdint>
#include <deque>
#include <iosfwd>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/delivery/publisher_support.h"

namespace detwatch::delivery {

// Chances in a hundred packets or in ten thousand steps, of which a run has some thousands; 0: never.
struct Faults {
  unsigned lose = 0;  // packets
  unsigned repeat = 0;
  unsigned swap = 0;   // with its neighbour
  unsigned delay = 0;  // connections, by up to 4 s each way; what an old one still carries comes late

  unsigned cut = 0;        // steps
  unsigned half_open = 0;  // one direction or both are dead and nobody is told
  unsigned daemon_crash = 0;
  unsigned publisher_crash = 0;
  unsigned disk_full = 0;  // for up to a minute
  unsigned rollback = 0;
  unsigned replace_store = 0;
  unsigned clock_jump = 0;    // a publisher's wall clock, by hours
  unsigned forged_hello = 0;  // of a stranger, in the name and epoch of a publisher, with a wild oldest_held

  unsigned publishers = 3;
  bool same_name = false;  // a second process for each name, which starts later
  bool drop_oldest = false;
  unsigned window_bytes = 10'000;
  Duration idle = std::chrono::hours(24 * 7);  // after which the daemon forgets a publisher
  unsigned away = 0;                           // steps: a publisher is cut off for up to two minutes
};
std::ostream& operator<<(std::ostream& out, const Faults& faults);

class Simulation {
 public:
  static constexpr std::size_t kContents = 60;  // of each publisher
  // Simulated time from the end of the faults to the last acknowledgement.
  static constexpr Duration kCalm = std::chrono::minutes(1);

  Simulation(std::uint32_t seed, const Faults& faults);
  // Empty, or the first law that did not hold.
  [[nodiscard]] std::string Run();
  [[nodiscard]] std::uint64_t resent() const;
  [[nodiscard]] Duration calm_needed() const { return calm_needed_; }

 private:
  struct Slot {
    Work work;
    std::unique_ptr<SimulatedPublisher> process;
    TimePoint away_until;
    Duration skew{};
  };

  [[nodiscard]] bool Chance(unsigned in, unsigned of) { return in > 0 && random_() % of < in; }
  [[nodiscard]] Slot& AnySlot() { return slots_[random_() % slots_.size()]; }
  void Step();
  void Break();  // what may fail in a step fails
  void RunPublisher(Slot& slot);
  void StartProcess(Slot& slot);
  void Connect(Slot& slot);
  void Deliver();
  void Hear(Slot& slot);
  template <class Queue>
  [[nodiscard]] bool Fault(Queue& queue);
  void CutOff(const ConnectionPtr& connection);
  void DaemonDied();
  [[nodiscard]] bool Done() const;
  [[nodiscard]] std::string BrokenLaw() const;
  [[nodiscard]] std::string CheckRuns() const;
  [[nodiscard]] std::string CheckContents() const;

  std::mt19937 random_;
  Faults faults_;       // now
  const Faults asked_;  // from the start
  bool calm_ = false;
  SimulatedDaemon daemon_;
  std::vector<Slot> slots_;
  std::vector<ConnectionPtr> connections_;
  TimePoint now_ = FromUnixNanos(1'700'000'000'000'000'000);
  TimePoint disk_full_until_;
  Duration calm_needed_{};
};

}  // namespace detwatch::delivery
