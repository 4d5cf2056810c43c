#pragma once
// lib/client -- what a publisher is told when it is made, and what it counts.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"

namespace detwatch::client {

enum class OnFull : std::uint8_t {
  kDropOldest,  // the caller never waits; what is given up is counted and told to the daemon
  kBlock,       // the caller waits for room
};

// The waits of the protocol; tests shorten them.
struct Timing {
  Duration hello = std::chrono::seconds(5);      // without traffic, a hello
  Duration silence = std::chrono::seconds(15);   // without any answer, a new connection
  Duration announce = std::chrono::seconds(10);  // between announcements of models, streams and class lists
};

struct PublisherOptions {
  // The daemon's --ingest.reliable endpoint when `reliable`, else its --ingest.subscribe.
  std::string endpoint;
  bool reliable = true;
  // Who sends: unique among the publishers of a daemon and the same after a restart; a later run with the
  // same name takes over. Empty: host, process id and a number.
  std::string name;

  // What Predictions() and Labels() speak of. A tool that calls Send() with messages of its own may leave
  // all of it empty.
  std::string model;
  std::string version;
  std::string stream;
  std::vector<std::pair<std::uint32_t, std::string>> class_names;  // (id, name) in any order
  Tags tags;                                                       // of the model, at most 16
  Tags stream_tags;
  float score_threshold = -1;        // lowest score published; -1: not announced
  std::int64_t max_detections = -1;  // most boxes published per frame; -1: not announced
  bool labels_expected = true;       // false: labels never come, and their absence is no fault

  std::size_t window_bytes = std::size_t{64} << 20;  // held for sending and for acknowledgement
  OnFull on_full = OnFull::kDropOldest;
  // Called from the publisher's thread, seldom: a silent daemon, the first reject of each reason. While it
  // runs nothing is sent, so it must neither wait nor publish.
  std::function<void(std::string_view)> on_warning;
  Timing timing;
};

// Counts since the start, in messages; the publisher's own announcements are left out.
struct PublisherStats {
  std::uint64_t sent = 0;          // on the wire at least once
  std::uint64_t acknowledged = 0;  // durable in the daemon (reliable only)
  std::uint64_t dropped = 0;       // given up: the window was full, or the publisher was superseded
  std::uint64_t resent = 0;        // sent again, after a lost connection or a restart of the daemon
  std::uint64_t pending = 0;       // held now
  // Reliable only: every message up to this number (the result of the call that published it) is durable in
  // the daemon, or was dropped before one that is. What comes after it must be published again by a process
  // that takes over from one that died. Being superseded does not move it.
  std::uint64_t acknowledged_sequence = 0;
  LabelTally labels;  // what became of this run's labels, as of what is acknowledged (reliable only)
  std::map<std::string, std::uint64_t> rejected;  // by reason (reliable only)
  std::vector<RejectedItem> recent_rejects;       // the last 16
  bool connected = false;
  bool superseded = false;  // a later run took the name over; nothing is sent any more
};

}  // namespace detwatch::client
