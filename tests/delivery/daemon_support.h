#pragma once
// The daemon of the simulation: the real Sequences, a store that is a value, and what must be true of both.
//
// A checkpoint is taken at one moment and reaches the disk later, or never; the store holds the last that
// did, with the rows that were in it. A crash goes back to it. `judged` is what exactly-once is read from.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/delivery/sequence.h"

namespace detwatch::delivery {

struct Message {
  Header header;
  std::string payload;  // the number of a content; empty in a hello
};

struct Answer {
  std::uint64_t epoch = 0;
  bool stale_epoch = false;
  Acknowledgement acknowledgement;
  unsigned era = 0;  // not on the wire: which line of checkpoints is spoken of
};

template <class T>
struct UnderWay {
  TimePoint arrives;
  T what;
};

// One connection: ordered both ways, and perhaps deaf in one of them.
struct Connection {
  Duration delay{};
  bool up = true;       // what the publisher sends arrives
  bool down = true;     // what the daemon sends arrives
  bool broken = false;  // the publisher sees it when it looks
  std::deque<UnderWay<Message>> to_daemon;
  std::deque<UnderWay<Answer>> to_publisher;
};
using ConnectionPtr = std::shared_ptr<Connection>;

// What the daemon has counted, and what a checkpoint holds of it.
struct Counts {
  struct Run {
    std::vector<std::uint8_t> judged;  // times, by sequence
    std::uint64_t lost = 0;
  };
  std::map<std::uint64_t, Run> runs;  // by epoch
  std::vector<std::uint8_t> counted;  // by content: once at most, as the dedup keys are part of the state

  [[nodiscard]] unsigned Judged(std::uint64_t epoch, std::uint64_t sequence) const;
  [[nodiscard]] bool Counted(std::size_t content) const;
};

class SimulatedDaemon {
 public:
  static constexpr std::uint64_t kCredit = 30;

  explicit SimulatedDaemon(Duration idle) : idle_(idle) { Start({}); }

  void OnMessage(const Message& message, const ConnectionPtr& from, TimePoint now);
  void Cut(TimePoint now);
  // The oldest cut is on the disk, and everybody in it is told; nothing happens while the disk is full.
  void Durable(TimePoint now);
  void SetDiskFull(bool full) { disk_full_ = full; }
  // What is not in the store is gone. The caller breaks the connections.
  void Crash(TimePoint now);
  // Crashes, and comes back with an earlier checkpoint, the `back`th from the last, or with an empty store.
  void RollBack(std::size_t back, TimePoint now);
  void ReplaceStore(TimePoint now);

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const Counts& stored() const { return store_.counts; }
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  // Rises when what was stored is taken back, by a rollback or another store.
  [[nodiscard]] unsigned era() const { return era_; }
  // Empty while every answer told the truth.
  [[nodiscard]] const std::string& broken_law() const { return broken_law_; }

 private:
  struct Checkpoint {
    Counts counts;
    std::map<std::string, Sequences::Mark> rows;
  };
  struct Pending {
    std::vector<Sequences::Mark> marks;
    Counts counts;
  };
  static constexpr std::size_t kCutsUnderWay = 2;
  static constexpr std::size_t kHistory = 8;

  void Start(TimePoint now);
  void Answer(const std::string& publisher, TimePoint now, std::uint64_t expected);
  static void Send(const ConnectionPtr& to, delivery::Answer answer, TimePoint now);

  Duration idle_;
  std::string store_id_ = "store 1";
  Checkpoint store_;
  std::deque<Checkpoint> history_;  // of this store, oldest first
  unsigned stores_ = 1;
  unsigned boots_ = 0;
  unsigned era_ = 0;
  bool disk_full_ = false;
  std::string broken_law_;

  // Of one run.
  std::optional<Sequences> sequences_;
  std::string boot_id_;
  Counts counts_;
  std::deque<Pending> pending_;
  std::map<std::string, ConnectionPtr> peers_;  // where each publisher last spoke
};

}  // namespace detwatch::delivery
