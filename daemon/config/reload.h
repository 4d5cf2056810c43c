#pragma once
// daemon/config -- what a running daemon can take over from a changed file, and what needs a restart.
//
// A reload must not change what a count means: cells whose thresholds, grouping or panes differ cannot be
// summed. It must not rebind either, for that would cut publishers off, nor
// move to another store. So these are refused, each with
// its name, and the running configuration stays whole: a reload is taken over completely or not at all.
//
// Can change: log, limits, labels, join, dedup, fleet, and of a view classes and families.
// Law: EveryFieldIsEitherTakenOverOrRefused. Threads: pure functions.

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace detwatch::config {

// One sentence for each change that needs a restart; empty when `next` can be taken over. Apply the flags
// to `next` first, as at the start.
[[nodiscard]] std::vector<std::string> RefusedChanges(const Config& running, const Config& next);

}  // namespace detwatch::config
