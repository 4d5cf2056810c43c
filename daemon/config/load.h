#pragma once
// daemon/config -- a configuration file becomes a Config and a list of everything that is wrong with it.
//
// Unknown keys are problems, because a misspelt limit that is silently ignored is found in the worst week.
// Laws: AllProblemsComeAtOnceEachWithItsLine, KeysMayStandInAnyOrder, AnEmptyFileIsTheDefaults.
// Threads: pure but for reading the file. Errors: never throws; an unreadable file is a problem too.

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace detwatch::config {

struct LoadResult {
  Config config;                    // usable only when ok()
  std::vector<Problem> problems;    // by line
  std::vector<std::string> absent;  // keys that the sections given do not set, so they have their defaults
  std::string file;                 // the name the problems are told with

  [[nodiscard]] bool ok() const { return problems.empty(); }
  // One line per problem, as Describe() gives them.
  [[nodiscard]] std::vector<std::string> Messages() const;
};

[[nodiscard]] LoadResult LoadText(std::string_view yaml, std::string file = "detwatch.yml");
[[nodiscard]] LoadResult LoadFile(const std::string& path);

}  // namespace detwatch::config
