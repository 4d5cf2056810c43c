#pragma once
// daemon/tools -- what became of labels that were published: joined, unknown, late or refused, as the daemon
// told. Plain values and their text.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/client/options.h"
#include "lib/core/envelope.h"

namespace detwatch::tools {

struct LabelReport {
  std::uint64_t frames = 0;  // published, one message each
  double seconds = 0;
  bool complete = false;      // everything was acknowledged
  client::PublisherStats to;  // its counts

  // Nothing predicted is known about these frames, so far; the labels wait for it.
  [[nodiscard]] std::uint64_t Unknown() const { return to.labels.waiting; }
  // The frame was here, and is no longer held.
  [[nodiscard]] std::uint64_t Late() const;
  // By the daemon, or by the publisher because of the daemon's limits. Late ones are not among them.
  [[nodiscard]] std::uint64_t Refused() const;
  // Acknowledged, but the daemon did not tell what became of them: it is older than the tally.
  [[nodiscard]] std::uint64_t Untold() const;
  // Why, without what is late.
  [[nodiscard]] std::map<std::string, std::uint64_t> Reasons() const;
  // 0 when everything was acknowledged and nothing refused, and, if `strict`, nothing is unknown, late or
  // untold either; else 1.
  [[nodiscard]] int ExitCode(bool strict) const;
};

// One line a number. `aligned`: in columns and with words that explain, for a terminal; otherwise name and
// number, separated by a space.
[[nodiscard]] std::string TextOf(const LabelReport& report, bool aligned);
[[nodiscard]] std::string JsonOf(const LabelReport& report);

}  // namespace detwatch::tools
