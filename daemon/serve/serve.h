#pragma once
// daemon/serve -- `detwatch serve`: configuration, threads and lifetimes of the daemon.
//
// Three owners: ingest (sockets, join, cut), state (cells, windows, snapshots), and main (signals, start and
// stop). Members of the daemon start in the order of their declaration and stop in the reverse.
// SIGTERM and SIGINT stop gracefully; SIGHUP reads the configuration again.
// Exit codes: 0 stopped as asked; 1 could not bind, or something broke; 2 the configuration is wrong.

#include <optional>
#include <string>

#include "daemon/config/config.h"

namespace detwatch::serve {

struct ServeOptions {
  std::string config_file;  // empty: defaults
  config::Overrides overrides;
  bool storage_repair = false;  // repair the store before it is opened
};

[[nodiscard]] int RunServe(const ServeOptions& options);

}  // namespace detwatch::serve
