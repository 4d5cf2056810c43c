#include "daemon/config/config.h"

#include <algorithm>

#include "daemon/config/names.h"
#include "daemon/config/window.h"

namespace detwatch::config {
namespace {

// ViewSpec has no == of its own.
bool Same(const ViewSpec& a, const ViewSpec& b) {
  return a.name == b.name && a.group_by == b.group_by && a.classes == b.classes && a.counters == b.counters &&
         a.families == b.families && a.windows == b.windows;
}

}  // namespace

bool LabelKinds::Counts(LabelSource source, Sampling how) const {
  return std::find(sources.begin(), sources.end(), source) != sources.end() &&
         std::find(sampling.begin(), sampling.end(), how) != sampling.end();
}

Config::Config() : views(1) {
  for (const std::string_view name : {"5m", "1h", "24h"}) {
    windows.push_back(*MakeWindow(name));
    views[0].windows.emplace_back(name);
  }
}

const EvaluationParams& Config::EvaluationOf(const std::string& model) const {
  for (const ModelOverride& override : models) {
    if (override.model == model) {
      return override.evaluation;
    }
  }
  return evaluation;
}

bool operator==(const Config& a, const Config& b) {
  return a.web == b.web && a.ingest == b.ingest && a.evaluation == b.evaluation && a.models == b.models &&
         a.windows == b.windows &&
         std::equal(a.views.begin(), a.views.end(), b.views.begin(), b.views.end(), Same) &&
         a.storage == b.storage && a.join == b.join && a.dedup == b.dedup && a.limits == b.limits &&
         a.labels == b.labels && a.fleet == b.fleet && a.log == b.log;
}

std::string Describe(const Problem& problem, const std::string& file) {
  std::string text = file + ":";
  if (problem.line > 0) {
    text += std::to_string(problem.line) + ":";
  }
  if (!problem.field.empty()) {
    text += " " + problem.field + ":";
  }
  return text + " " + problem.text;
}

void ApplyOverrides(Config& config, const Overrides& overrides) {
  if (overrides.web_listen_address) {
    config.web.listen_address = *overrides.web_listen_address;
  }
  if (!overrides.ingest_subscribe.empty()) {
    config.ingest.subscribe = overrides.ingest_subscribe;
  }
  if (!overrides.ingest_reliable.empty()) {
    config.ingest.reliable = overrides.ingest_reliable;
  }
  config.storage.path = overrides.storage_path.value_or(config.storage.path);
  config.log.level = overrides.log_level.value_or(config.log.level);
  config.log.format = overrides.log_format.value_or(config.log.format);
}

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  return FindName(kLogLevelNames, name);
}
std::optional<LogFormat> ParseLogFormat(std::string_view name) {
  return FindName(kLogFormatNames, name);
}

}  // namespace detwatch::config
