#include "daemon/config/reload.h"

#include <algorithm>

namespace detwatch::config {
namespace {

// What a group is and which panes its cells have; the rest of a view is only what is shown.
bool SameCells(const ViewSpec& a, const ViewSpec& b) {
  return a.name == b.name && a.group_by == b.group_by && a.windows == b.windows && a.counters == b.counters;
}

}  // namespace

std::vector<std::string> RefusedChanges(const Config& running, const Config& next) {
  std::vector<std::string> refused;
  const auto check = [&](bool same, const std::string& field, const std::string& why) {
    if (!same) {
      refused.push_back(field + " cannot change without a restart: " + why);
    }
  };
  check(running.web == next.web, "web", "the HTTP socket stays as it was bound");
  check(running.ingest == next.ingest, "ingest", "the sockets stay as they were bound");
  check(running.storage == next.storage, "storage", "the store stays as it was opened");
  check(running.evaluation == next.evaluation, "evaluation", "counts of before and after cannot be summed");
  check(running.models == next.models, "models", "counts of before and after cannot be summed");
  check(running.windows == next.windows, "windows", "panes of before and after do not line up");
  check(
      std::equal(running.views.begin(), running.views.end(), next.views.begin(), next.views.end(), SameCells),
      "views", "names, group_by and windows say which cells exist; only classes and families can change");
  return refused;
}

}  // namespace detwatch::config
