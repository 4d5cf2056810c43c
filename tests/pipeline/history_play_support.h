#pragma once
// Plays a history to a pipeline on a store that can crash, and to the plain model, and compares.
//
// Time is made as the daemon makes it, from a wall clock that is set and a monotonic one. It moves by whole
// seconds, and a little with every message, so that nothing happens exactly at a limit. What came is cut
// before a second passes: how long a half lay in a cut is not a matter of rules.

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "lib/window/clock.h"
#include "tests/pipeline/history_model_support.h"
#include "tests/pipeline/history_support.h"
#include "tests/pipeline/rig_support.h"

namespace detwatch::test {

class HistoryPlayer {
 public:
  // Requires: `history` outlives it.
  explicit HistoryPlayer(const History& history);

  // Plays all of it, lets everything expire, and says where it differed first from the rules; empty: nowhere.
  [[nodiscard]] std::string Play();

  // One step at a time, for tests of one rule.
  void Do(const HistoryEvent& event);
  [[nodiscard]] Numbers Expected() const { return model_.Expected(now_); }
  [[nodiscard]] Numbers ObservedNow();
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Durable {
    PlainModel model;
    std::map<std::string, std::uint64_t> sequences;
    std::map<std::string, LabelTally> tallies;
  };
  void Say(const std::vector<Said>& all);
  void Cut(const HistoryEvent& event);
  void Hear();
  void Crash(const HistoryEvent& event);
  void ReadClock();
  void Look();

  const History& history_;
  Rig rig_;
  PlainModel model_;
  std::map<std::string, LabelTally> tallies_;  // as last told, by publisher
  Durable durable_;
  std::vector<std::vector<Said>> unacknowledged_;
  std::deque<pipeline::Absorbed> uncommitted_;  // cuts
  std::deque<pipeline::Absorbed> unheard_;      // that are durable, and ingest does not know
  bool uncut_ = false;
  window::Clock clock_;
  TimePoint wall_;
  Duration monotonic_{};
  TimePoint now_;
  std::string problem_;
};

// Leaves out of a history that differs from the rules whatever it differs without.
[[nodiscard]] History Shortened(History history);

}  // namespace detwatch::test
