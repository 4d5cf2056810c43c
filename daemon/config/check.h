#pragma once
// daemon/config -- `detwatch check-config`: every problem with its line, or what the configuration will cost.

#include <cstdint>
#include <iosfwd>
#include <string>

#include "daemon/config/load.h"

namespace detwatch::config {

enum class CheckFormat : std::uint8_t { kText, kJson };

// Exit code 0 with a summary on `out`; 2 with the problems, as text on `err` or in the JSON document on
// `out`. An empty path checks the defaults.
int RunCheckConfig(const std::string& path, std::ostream& out, std::ostream& err, CheckFormat format);

}  // namespace detwatch::config
