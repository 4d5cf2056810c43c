#include "daemon/config/check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "daemon/config/endpoint.h"
#include "daemon/config/estimate.h"
#include "daemon/config/series.h"
#include "daemon/config/units.h"
#include "daemon/http/address.h"

namespace detwatch::config {
namespace {

struct ViewCost {
  std::string name;
  GroupMemory memory;
};

struct Summary {
  std::vector<ViewCost> views;
  std::uint64_t least = 0, most = 0;              // bytes of memory of one model: its group in every view
  std::uint64_t panes_least = 0, panes_most = 0;  // bytes of its closed panes, wherever they are
  SeriesEstimate series;
  std::vector<std::string> notes;
};

std::string Endpoints(const std::vector<std::string>& endpoints) {
  std::string text;
  for (const std::string& endpoint : endpoints) {
    text += (text.empty() ? "" : ", ") + endpoint;
  }
  return text.empty() ? "none" : text;
}

std::string Megabytes(std::uint64_t bytes) {
  // Rounded: an estimate to the byte would claim too much.
  return std::to_string((bytes + 500'000) / 1'000'000) + " MB";
}

// "28 MB to 110 MB", and once where both are the same.
std::string Between(std::uint64_t least, std::uint64_t most) {
  return Megabytes(least) + (most == least ? "" : " to " + Megabytes(most));
}

// How many models of so many classes a scrape has room for.
std::uint64_t CompleteModels(const Config& config, const Summary& summary) {
  const std::uint64_t room =
      config.limits.series > summary.series.besides ? config.limits.series - summary.series.besides : 0;
  return room / summary.series.of_model(kAssumedClasses);
}

std::vector<std::string> Notes(const Config& config) {
  std::vector<std::string> notes;
  for (const auto* endpoints : {&config.ingest.subscribe, &config.ingest.reliable}) {
    for (const std::string& text : *endpoints) {
      if (const auto endpoint = ParseEndpoint(text); endpoint && endpoint->open) {
        notes.push_back(
            text +
            " is open without keys: whoever reaches it can publish frames and labels as any model, "
            "move its mAP and use up the limits. Keep it behind a firewall.");
      }
    }
  }
  const auto address = http::ParseAddress(config.web.listen_address);
  if (address && !IsLoopback(address->host)) {
    notes.push_back(
        config.web.listen_address +
        " is open: whoever reaches it can read all metrics, model and class names. It changes nothing.");
  }
  return notes;
}

Summary Summarise(const Config& config) {
  Summary summary;
  for (const ViewSpec& view : config.views) {
    std::vector<WindowSpec> windows;
    std::copy_if(config.windows.begin(), config.windows.end(), std::back_inserter(windows),
                 [&](const WindowSpec& window) {
                   return std::find(view.windows.begin(), view.windows.end(), window.name) !=
                          view.windows.end();
                 });
    ViewCost cost{view.name, EstimateGroup(config.evaluation, windows, kAssumedClasses)};
    cost.memory.panes_on_disk = !config.storage.path.empty();
    summary.least += cost.memory.least();
    summary.most += cost.memory.most();
    summary.panes_least += cost.memory.panes_least;
    summary.panes_most += cost.memory.panes_most;
    summary.views.push_back(std::move(cost));
  }
  summary.series = EstimateSeries(config);
  summary.notes = Notes(config);
  return summary;
}

// What waits and what can be corrected: in memory, or on disk together with the closed panes.
void PrintStore(const Config& config, const Summary& summary, std::ostream& out) {
  const std::string frames = "waiting frames at most " + FormatBytes(config.join.bytes) +
                             ", judged frames that labels may still correct at most " +
                             FormatBytes(config.join.corrections_bytes);
  out << "  besides: " << (config.storage.path.empty() ? frames + ", " : "") << "keys of seen frames at most "
      << Megabytes(EstimateDedup(config.dedup)) << "\n\n";
  if (config.storage.path.empty()) {
    out << "store: none, so counts and waiting frames end with the process; see storage.path\n\n";
    return;
  }
  out << "store, in " << config.storage.path << ":\n  " << frames << "\n  closed panes "
      << Between(summary.panes_least, summary.panes_most)
      << " for each such model\n  leave as much again free: it rewrites its files in the background\n\n";
}

void PrintSeries(const Config& config, const Summary& summary, std::ostream& out) {
  out << "series, for a model of " << kAssumedClasses << " classes:\n";
  for (std::size_t v = 0; v < summary.views.size(); ++v) {
    const GroupSeries& series = summary.series.views[v];
    out << "  view " << summary.views[v].name << ": " << series.total(kAssumedClasses) << " (" << series.fixed
        << ", and " << series.per_class << " per class";
    if (series.per_class_fleet > 0) {
      out << ", of which " << series.per_class_fleet << " fleet bins";
    }
    if (series.per_class_retracted > 0) {
      out << "; " << series.per_class_retracted << " of them once labels came that can be corrected";
    }
    out << ")\n";
  }
  out << "  besides: " << summary.series.model << " of the model, " << summary.series.besides
      << " of the process\n  limits.series " << config.limits.series << " holds "
      << CompleteModels(config, summary)
      << " such models completely; beyond, fleet bins are left out first\n";
}

void PrintText(const Config& config, const Summary& summary, std::ostream& out) {
  const std::string classes = std::to_string(kAssumedClasses) + " classes";
  out << "configuration is valid\n\n"
      << "http       " << config.web.listen_address << "\n"
      << "subscribe  " << Endpoints(config.ingest.subscribe) << "\n"
      << "reliable   " << Endpoints(config.ingest.reliable) << "\n\n"
      << "memory, for a model of " << classes << " in one group per view, saturated:\n";
  for (const ViewCost& view : summary.views) {
    out << "  view " << view.name << ": " << Between(view.memory.least(), view.memory.most()) << " (totals "
        << Megabytes(view.memory.totals) << ", window sums " << Megabytes(view.memory.windows)
        << ", recent detections " << Megabytes(view.memory.rings);
    if (!view.memory.panes_on_disk) {
      out << ", panes " << Between(view.memory.panes_least, view.memory.panes_most);
    }
    out << ")\n";
  }
  const std::uint64_t fewest = config.limits.cell_bytes / summary.most;
  const std::uint64_t many = config.limits.cell_bytes / summary.least;
  out << "  all models together at most limits.cell_bytes, " << FormatBytes(config.limits.cell_bytes) << ": "
      << (many == fewest ? "" : std::to_string(fewest) + " to ") << many
      << " such models; newcomers beyond are refused and counted\n";
  PrintStore(config, summary, out);
  PrintSeries(config, summary, out);
  for (const std::string& note : summary.notes) {
    out << "\nnote: " << note << "\n";
  }
}

nlohmann::json ToJson(const Config& config, const Summary& summary) {
  nlohmann::json views = nlohmann::json::array();
  std::uint64_t per_class = 0;
  for (std::size_t v = 0; v < summary.views.size(); ++v) {
    const ViewCost& view = summary.views[v];
    const GroupSeries& series = summary.series.views[v];
    per_class += series.per_class;
    views.push_back({{"view", view.name},
                     {"memory_bytes", {view.memory.least(), view.memory.most()}},
                     {"series", series.total(kAssumedClasses)},
                     {"series_per_class", series.per_class},
                     {"series_per_class_fleet", series.per_class_fleet},
                     {"series_per_class_retracted", series.per_class_retracted}});
  }
  return {{"assumed_classes", kAssumedClasses},
          {"views", std::move(views)},
          {"model_memory_bytes", {summary.least, summary.most}},
          {"cell_bytes_limit", config.limits.cell_bytes},
          {"storage_path", config.storage.path},
          {"model_pane_bytes", {summary.panes_least, summary.panes_most}},
          {"waiting_bytes_limit", config.join.bytes},
          {"corrections_bytes_limit", config.join.corrections_bytes},
          {"model_series", summary.series.of_model(kAssumedClasses)},
          {"series_per_class", per_class},
          {"series_besides_models", summary.series.besides},
          {"models_within_series_limit", CompleteModels(config, summary)},
          {"series_limit", config.limits.series},
          {"notes", summary.notes}};
}

}  // namespace

int RunCheckConfig(const std::string& path, std::ostream& out, std::ostream& err, CheckFormat format) {
  const LoadResult loaded = path.empty() ? LoadText("", "defaults") : LoadFile(path);
  const bool json = format == CheckFormat::kJson;
  nlohmann::json document = {
      {"file", loaded.file}, {"valid", loaded.ok()}, {"problems", nlohmann::json::array()}};
  for (const Problem& problem : loaded.problems) {
    if (json) {
      document["problems"].push_back(
          {{"line", problem.line}, {"field", problem.field}, {"text", problem.text}});
    } else {
      err << Describe(problem, loaded.file) << "\n";
    }
  }
  if (loaded.ok()) {
    const Summary summary = Summarise(loaded.config);
    if (json) {
      document["summary"] = ToJson(loaded.config, summary);
    } else {
      PrintText(loaded.config, summary, out);
    }
  }
  if (json) {
    // Names from the file can be any bytes; what is not UTF-8 is replaced rather than thrown about.
    out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return loaded.ok() ? 0 : 2;
}

}  // namespace detwatch::config
