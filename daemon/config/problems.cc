#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "daemon/config/config.h"
#include "daemon/config/endpoint.h"
#include "daemon/config/window.h"
#include "daemon/http/address.h"
#include "lib/core/labels.h"

namespace detwatch::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Checks {
 public:
  explicit Checks(const Config& config) : c_(config) {}

  std::vector<Problem> Run() && {
    Web();
    Ingest();
    Evaluation("evaluation", c_.evaluation);
    Models();
    Windows();
    Views();
    Storage();
    Numbers();
    Labels();
    Fleet();
    return std::move(problems_);
  }

 private:
  void Note(std::string field, std::string text) {
    problems_.push_back({0, std::move(field), std::move(text)});
  }

  void Range(std::string field, std::uint64_t value, std::uint64_t least, std::uint64_t most,
             bool bytes = false) {
    const auto text = [&](std::uint64_t n) { return bytes ? FormatBytes(n) : std::to_string(n); };
    if (value < least) {
      Note(std::move(field), text(value) + " is below " + text(least));
    } else if (value > most) {
      Note(std::move(field), text(value) + " is above " + text(most));
    }
  }

  void Range(std::string field, Duration value, Duration least, Duration most) {
    if (value < least) {
      Note(std::move(field), FormatDuration(value) + " is below " + FormatDuration(least));
    } else if (value > most) {
      Note(std::move(field), FormatDuration(value) + " is above " + FormatDuration(most));
    }
  }

  // Notes what stands in the list more than once.
  template <class T, class Text>
  void Unique(const std::string& field, const std::vector<T>& values, const Text& text) {
    for (std::size_t i = 1; i < values.size(); ++i) {
      if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
          values.begin() + static_cast<std::ptrdiff_t>(i)) {
        Note(field + "[" + std::to_string(i) + "]", text(values[i]) + " is listed twice");
      }
    }
  }

  void Web() {
    if (const auto address = http::ParseAddress(c_.web.listen_address); !address) {
      Note("web.listen_address", address.error().message);
    }
    Range("web.max_connections", c_.web.max_connections, 1, 100'000);
    Range("web.max_connections_per_ip", c_.web.max_connections_per_ip, 1, 100'000);
    Range("web.timeout", c_.web.timeout, milliseconds(100), hours(1));
  }

  void Ingest() {
    const auto& ingest = c_.ingest;
    std::set<std::pair<std::string, std::uint16_t>> seen;
    for (const auto& [field, endpoints] :
         {std::pair<std::string, const std::vector<std::string>&>{"ingest.subscribe", ingest.subscribe},
          {"ingest.reliable", ingest.reliable}}) {
      for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const std::string item = field + "[" + std::to_string(i) + "]";
        const Result<Endpoint> endpoint = ParseEndpoint(endpoints[i]);
        if (!endpoint) {
          Note(item, endpoint.error().message);
          continue;
        }
        if (endpoint->open && !ingest.insecure) {
          Note(item, endpoints[i] +
                         " is open to the network and anybody who reaches it could publish; bind 127.0.0.1, "
                         "or set ingest.insecure: true");
        }
        const bool any_port = endpoint->kind == Endpoint::Kind::kTcp && endpoint->port == 0;
        if (!any_port && !seen.emplace(endpoint->host, endpoint->port).second) {
          Note(item, endpoints[i] + " is listed twice");
        }
      }
    }
    if (ingest.subscribe.empty() && ingest.reliable.empty()) {
      Note("ingest", "has neither a subscribe nor a reliable endpoint, so nothing could come in");
    }
    Range("ingest.message_bytes", ingest.message_bytes, 64 * kKiB, kGiB, true);
    Range("ingest.boxes_per_frame", ingest.boxes_per_frame, 1, 65535);
    Range("ingest.high_water_mark", ingest.high_water_mark, 1, 10'000'000);
    Range("ingest.reliable_high_water_mark", ingest.reliable_high_water_mark, 1, 10'000'000);
    if (ingest.credit_bytes < ingest.message_bytes) {
      Note("ingest.credit_bytes", FormatBytes(ingest.credit_bytes) + " is below ingest.message_bytes, " +
                                      FormatBytes(ingest.message_bytes) +
                                      ": a large message could never be sent");
    }
  }

  // EvaluationParams names its own fields: "iou_thresholds: 1.5 is above 1".
  void Evaluation(const std::string& field, const EvaluationParams& params) {
    for (const std::string& problem : params.Problems()) {
      const std::size_t colon = problem.find(": ");
      if (colon == std::string::npos) {
        Note(field, problem);
      } else {
        Note(field + "." + problem.substr(0, colon), problem.substr(colon + 2));
      }
    }
  }

  void Models() {
    std::set<std::string> names;
    for (std::size_t i = 0; i < c_.models.size(); ++i) {
      const std::string field = "models[" + std::to_string(i) + "]";
      const std::string& model = c_.models[i].model;
      if (model.empty()) {
        Note(field + ".model", "is missing; which model is this for?");
      } else if (!names.insert(model).second) {
        Note(field + ".model", model + " is listed twice");
      }
      Evaluation(field, c_.models[i].evaluation);
    }
  }

  void Windows() {
    Range("windows", c_.windows.size(), 0, kMaxWindows);
    for (std::size_t i = 1; i < c_.windows.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (c_.windows[i].panes > 0 && Length(c_.windows[i]) == Length(c_.windows[j])) {
          Note("windows[" + std::to_string(i) + "]",
               c_.windows[i].name + " is as long as " + c_.windows[j].name + "; list each length once");
          break;
        }
      }
    }
  }

  void Views() {
    if (c_.views.empty()) {
      Note("views", "needs at least one view; leave the key out for the default");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < c_.views.size(); ++i) {
      const ViewSpec& view = c_.views[i];
      const std::string field = "views[" + std::to_string(i) + "]";
      if (view.name.empty()) {
        Note(field + ".name", "is missing; it is the `view` label of its series");
      } else if (!names.insert(view.name).second) {
        Note(field + ".name", view.name + " is listed twice");
      }
      GroupBy(field + ".group_by", view);
      Unique(field + ".windows", view.windows, [](const std::string& name) { return name; });
      for (std::size_t j = 0; j < view.windows.size(); ++j) {
        const auto same = [&](const WindowSpec& window) { return window.name == view.windows[j]; };
        if (std::none_of(c_.windows.begin(), c_.windows.end(), same)) {
          Note(field + ".windows[" + std::to_string(j) + "]", view.windows[j] + " is not one of windows");
        }
      }
    }
  }

  void GroupBy(const std::string& field, const ViewSpec& view) {
    Unique(field, view.group_by, [](const std::string& key) { return key; });
    for (std::size_t j = 0; j < view.group_by.size(); ++j) {
      const std::string& key = view.group_by[j];
      const std::string item = field + "[" + std::to_string(j) + "]";
      if (!IsLabelName(key)) {
        Note(item, "\"" + key + "\" is not a label name; use letters, digits and _, no digit first");
      } else if (IsReservedLabel(key) && !IsIdentityLabel(key)) {
        Note(item, key + " is a reserved label name; Prometheus or detwatch itself puts it on series");
      }
    }
    const auto differs = [&](const ModelOverride& m) { return !(m.evaluation == c_.evaluation); };
    if (std::any_of(c_.models.begin(), c_.models.end(), differs) &&
        std::find(view.group_by.begin(), view.group_by.end(), "model") == view.group_by.end()) {
      Note(field, "needs model, because models are evaluated differently and their counts cannot be summed");
    }
  }

  void Storage() {
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(c_.storage.path.begin(), c_.storage.path.end(), control)) {
      Note("storage.path", "has a control character in it");
    }
    Range("storage.checkpoint", c_.storage.checkpoint, milliseconds(50), seconds(60));
  }

  void Numbers() {
    // A group and a publisher are forgotten after seven idle days, so a frame must not wait for longer.
    Range("join.retention", c_.join.retention, seconds(1), hours(7 * 24));
    Range("join.bytes", c_.join.bytes, kMiB, 1024 * kGiB, true);
    Range("join.linger", c_.join.linger, Duration(0), c_.join.retention);
    Range("join.class_list_wait", c_.join.class_list_wait, seconds(1), hours(1));
    Range("join.corrections", c_.join.corrections, Duration(0), hours(7 * 24));
    if (c_.join.corrections_bytes != 0) {
      Range("join.corrections_bytes", c_.join.corrections_bytes, kMiB, 1024 * kGiB, true);
    }
    Range("dedup.horizon", c_.dedup.horizon, seconds(1), hours(31 * 24));
    Range("dedup.frames", c_.dedup.frames, 1, 1'000'000'000);
    Range("limits.models", c_.limits.models, 1, 1'000'000);
    Range("limits.groups", c_.limits.groups, 1, 1'000'000);
    Range("limits.streams", c_.limits.streams, 1, 100'000'000);
    Range("limits.publishers", c_.limits.publishers, 1, 100'000'000);
    Range("limits.classes", c_.limits.classes, 1, 1'000'000);
    Range("limits.class_lists", c_.limits.class_lists, 1, 1'000'000);
    Range("limits.cell_bytes", c_.limits.cell_bytes, kMiB, 1024 * kGiB, true);
    Range("limits.series", c_.limits.series, 1, 100'000'000);
  }

  void Labels() {
    if (c_.labels.sources.empty()) {
      Note("labels.sources", "is empty, so no label would count");
    }
    if (c_.labels.sampling.empty()) {
      Note("labels.sampling", "is empty, so no label would count");
    }
  }

  void Fleet() {
    const auto text = [](double t) { return FormatNumber(t); };
    Unique("fleet.iou", c_.fleet.iou, text);
    const std::vector<double>& evaluated = c_.evaluation.iou_thresholds;
    for (std::size_t i = 0; i < c_.fleet.iou.size(); ++i) {
      if (std::find(evaluated.begin(), evaluated.end(), c_.fleet.iou[i]) == evaluated.end()) {
        Note("fleet.iou[" + std::to_string(i) + "]",
             text(c_.fleet.iou[i]) + " is not one of evaluation.iou_thresholds");
      }
    }
    if (c_.fleet.bins && c_.fleet.iou.empty()) {
      Note("fleet.iou", "is empty; set bins: false to export none");
    }
  }

  const Config& c_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> Problems(const Config& config) {
  return Checks(config).Run();
}

}  // namespace detwatch::config
