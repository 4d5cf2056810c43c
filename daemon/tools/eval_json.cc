#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/tools/eval_format.h"

namespace detwatch::tools {
namespace {

using accumulate::ApValue;
using accumulate::ClassSummary;
using Json = nlohmann::ordered_json;

double OrMinusOne(double value) {
  return std::isnan(value) ? -1 : value;
}

Json OrNull(double value) {
  return std::isnan(value) ? Json() : Json(value);
}

// One number per IoU threshold.
template <class At>
Json ByThreshold(const EvaluationParams& params, const At& at) {
  Json list = Json::array();
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    list.push_back(OrMinusOne(at(t)));
  }
  return list;
}

Json ClassValues(const EvaluationParams& params, const ClassSummary& summary) {
  Json values;
  for (std::size_t a = 0; a < params.areas(); ++a) {
    const std::string& area = params.area_ranges[a].name;
    values["ap"][area] = ByThreshold(params, [&](std::size_t t) { return summary.ap[a][t].value; });
  }
  for (std::size_t a = 0; a < params.areas(); ++a) {
    const std::string& area = params.area_ranges[a].name;
    values["recall"][area] = ByThreshold(params, [&](std::size_t t) { return summary.recall[a][t]; });
  }
  for (std::size_t k = 0; k + 1 < params.max_dets.size(); ++k) {
    values["recall_max_dets_" + std::to_string(params.max_dets[k])] =
        ByThreshold(params, [&](std::size_t t) { return summary.recall_by_max_dets[k][t]; });
  }
  return values;
}

Json ClassBounds(const EvaluationParams& params, const ClassSummary& summary) {
  Json bounds;
  for (std::size_t a = 0; a < params.areas(); ++a) {
    const auto& ap = summary.ap[a];
    bounds["ap"][params.area_ranges[a].name] = {
        {"lower", ByThreshold(params, [&](std::size_t t) { return ap[t].lower; })},
        {"upper", ByThreshold(params, [&](std::size_t t) { return ap[t].upper; })}};
  }
  return bounds;
}

Json CocoJson(const EvalReport& report) {
  Json json;
  const auto stats = CocoStats(report);
  for (const Stat& stat : stats) {
    json["stats"][std::string(stat.name)] = OrMinusOne(stat.value.value);
  }
  json["per_class"] = Json::object();
  for (const ClassReport& entry : report.classes) {
    json["per_class"][std::to_string(entry.entry.id)] = ClassValues(report.params, entry.summary);
  }
  if (report.method == Method::kExact) {
    return json;
  }
  Json& bounds = json["bounds"];
  for (const Stat& stat : stats) {
    if (stat.name.starts_with("AP")) {
      bounds["stats"][std::string(stat.name)] = {{"lower", OrMinusOne(stat.value.lower)},
                                                 {"upper", OrMinusOne(stat.value.upper)}};
    }
  }
  bounds["per_class"] = Json::object();
  for (const ClassReport& entry : report.classes) {
    bounds["per_class"][std::to_string(entry.entry.id)] = ClassBounds(report.params, entry.summary);
  }
  return json;
}

Json VocJson(const EvalReport& report) {
  const ApValue& mean = report.mean.map[0][0];
  Json json = {{"iou", report.params.iou_thresholds.front()},
               {"plus1", report.params.inclusive_pixels ? 1.0 : 0.0},
               {"mAP", OrNull(mean.value)},
               {"classes", report.mean.classes},
               {"per_class", Json::object()}};
  for (const ClassReport& entry : report.classes) {
    const ClassSummary& summary = entry.summary;
    Json& values = json["per_class"][entry.entry.name];
    values = {{"gts", summary.ground_truths[0]}, {"dets", entry.detections}};
    if (summary.ground_truths[0] > 0) {
      values["TP"] = summary.operating[0][0].true_positives;
      values["FP"] = summary.operating[0][0].false_positives;
    }
    values["AP"] = OrNull(summary.ap[0][0].value);
  }
  if (report.method == Method::kExact) {
    return json;
  }
  const auto ends = [](const ApValue& value) {
    return Json{{"lower", OrNull(value.lower)}, {"upper", OrNull(value.upper)}};
  };
  json["bounds"] = {{"mAP", ends(mean)}, {"per_class", Json::object()}};
  for (const ClassReport& entry : report.classes) {
    json["bounds"]["per_class"][entry.entry.name] = ends(entry.summary.ap[0][0]);
  }
  return json;
}

}  // namespace

std::string FormatJson(const EvalReport& report) {
  const Json json = report.params.matching_rule == MatchingRule::kCoco ? CocoJson(report) : VocJson(report);
  // Class names come from files: bytes that are not UTF-8 are replaced, not thrown at.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace detwatch::tools
