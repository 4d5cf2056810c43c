// What must hold of a Simulation, at every step and in the end.

#include <algorithm>
#include <chrono>
#include <ostream>

#include "tests/delivery/simulation_support.h"

namespace detwatch::delivery {

std::ostream& operator<<(std::ostream& out, const Faults& f) {
  return out << "lose " << f.lose << " repeat " << f.repeat << " swap " << f.swap << " delay " << f.delay
             << " cut " << f.cut << " half_open " << f.half_open << " daemon_crash " << f.daemon_crash
             << " publisher_crash " << f.publisher_crash << " disk_full " << f.disk_full << " rollback "
             << f.rollback << " replace_store " << f.replace_store << " clock_jump " << f.clock_jump
             << " forged_hello " << f.forged_hello << " publishers " << f.publishers << " same_name "
             << f.same_name << " drop_oldest " << f.drop_oldest << " window_bytes " << f.window_bytes
             << " idle " << ToSeconds(f.idle) << " s away " << f.away;
}

bool Simulation::Done() const {
  return std::all_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return slot.process != nullptr && slot.process->done(); });
}

std::string Simulation::BrokenLaw() const {
  if (!daemon_.broken_law().empty()) {
    return daemon_.broken_law();
  }
  for (const Slot& slot : slots_) {
    if (slot.process != nullptr && !slot.process->broken_law().empty()) {
      return slot.process->broken_law();
    }
  }
  return {};
}

// Every number of a run that is alive was judged once or is lost.
std::string Simulation::CheckRuns() const {
  const bool forgets = asked_.idle < std::chrono::hours(1);
  for (const auto& [epoch, run] : daemon_.stored().runs) {
    for (std::size_t s = 1; s < run.judged.size() && !forgets; ++s) {
      if (run.judged[s] > 1) {
        return "number " + std::to_string(s) + " was judged " + std::to_string(run.judged[s]) + " times";
      }
    }
  }
  for (const Slot& slot : slots_) {
    const SimulatedPublisher& process = *slot.process;
    if (process.superseded()) {
      continue;
    }
    std::uint64_t missing = 0;
    std::uint64_t not_of_this_store = 0;
    for (std::uint64_t s = 1; s <= process.window().last_sequence(); ++s) {
      const bool absent = daemon_.stored().Judged(process.epoch(), s) == 0;
      missing += absent ? 1 : 0;
      not_of_this_store += absent && s <= process.base() ? 1 : 0;
    }
    const auto run = daemon_.stored().runs.find(process.epoch());
    const std::uint64_t lost = run == daemon_.stored().runs.end() ? 0 : run->second.lost;
    const std::uint64_t least = forgets ? 0 : missing - not_of_this_store;
    if (lost > missing || lost < least) {
      return slot.work.publisher + ": " + std::to_string(lost) + " counted as lost, " +
             std::to_string(missing) + " are missing, of which " + std::to_string(not_of_this_store) +
             " before this store was met";
    }
  }
  return {};
}

// What was acknowledged is counted, and with windows that block everything was acknowledged.
std::string Simulation::CheckContents() const {
  for (const Slot& slot : slots_) {
    const Work& work = slot.work;
    for (std::size_t content = work.first; content < work.end; ++content) {
      const unsigned era = work.acknowledged[content - work.first];
      const std::string name = work.publisher + ": content " + std::to_string(content);
      if (era == daemon_.era() + 1 && !daemon_.stored().Counted(content)) {
        return name + " was acknowledged and is not counted";
      }
      if (era == 0 && !work.given_up.contains(content)) {
        return name + " was neither acknowledged nor given up";
      }
    }
    if (!asked_.drop_oldest && !asked_.same_name && !work.given_up.empty()) {
      return work.publisher + ": a window that blocks gave something up";
    }
  }
  return {};
}

}  // namespace detwatch::delivery
