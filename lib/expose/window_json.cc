#include "lib/expose/window_json.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "lib/expose/group.h"
#include "lib/expose/labels.h"

namespace detwatch::expose {
namespace {

using accumulate::ApValue;
using accumulate::ClassSummary;
using accumulate::FrameCounts;
using accumulate::MeanSummary;
using accumulate::OperatingCounts;

// Appends without looking for the key, which ordered_json's own way does: keys are known to differ.
void Append(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

Json ToJson(const ApValue& ap) {
  return {{"value", JsonNumber(ap.value)}, {"lower", JsonNumber(ap.lower)}, {"upper", JsonNumber(ap.upper)}};
}

Json ToJson(const OperatingCounts& counts) {
  return {{"precision", JsonNumber(counts.Precision())},
          {"recall", JsonNumber(counts.Recall())},
          {"f1", JsonNumber(counts.F1())},
          {"tp", counts.true_positives},
          {"fp", counts.false_positives},
          {"fn", counts.false_negatives}};
}

Json ToJson(const EvaluationParams& params, const std::array<FrameCounts, kMaxOperatingPoints>& frames) {
  Json list = Json::array();
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    list.push_back({{"confidence", ConfidenceText(params.operating_points[c])},
                    {"tp", frames[c].tp},
                    {"fp", frames[c].fp},
                    {"fn", frames[c].fn},
                    {"tn", frames[c].tn},
                    {"accuracy", JsonNumber(frames[c].Accuracy())},
                    {"specificity", JsonNumber(frames[c].Specificity())}});
  }
  return list;
}

template <class Values>
Json Numbers(const Values& values, std::size_t n) {
  Json list = Json::array();
  for (std::size_t i = 0; i < n; ++i) {
    list.push_back(JsonNumber(values[i]));
  }
  return list;
}

Json GroundTruths(const EvaluationParams& params, const std::array<std::int64_t, kMaxAreaRanges>& counts) {
  Json by_area = Json::object();
  for (std::size_t a = 0; a < params.areas(); ++a) {
    by_area[params.area_ranges[a].name] = counts[a];
  }
  return by_area;
}

// COCO's twelve by their usual names; null where undefined or not configured.
Json Stats(const EvaluationParams& params, const MeanSummary& mean) {
  const auto coco = EvaluationParams::Coco();
  const auto ap = [&](std::string_view iou) {
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      if (IouText(params.iou_thresholds[t]) == iou) {
        return JsonNumber(mean.map[0][t].value);
      }
    }
    return Json(nullptr);
  };
  const auto by_area = [&](std::size_t coco_area, const auto& value_of) {
    const auto found =
        std::find(params.area_ranges.begin(), params.area_ranges.end(), coco.area_ranges[coco_area]);
    return found != params.area_ranges.end()
               ? JsonNumber(value_of(static_cast<std::size_t>(found - params.area_ranges.begin())))
               : Json(nullptr);
  };
  const auto ar = [&](std::uint32_t max_dets) {
    const auto found = std::find(params.max_dets.begin(), params.max_dets.end(), max_dets);
    return found != params.max_dets.end()
               ? JsonNumber(mean.ar_by_max_dets[static_cast<std::size_t>(found - params.max_dets.begin())])
               : Json(nullptr);
  };
  const auto map_of = [&](std::size_t area) { return mean.map[area][params.thresholds()].value; };
  const auto ar_of = [&](std::size_t area) { return mean.ar[area]; };
  return {{"AP", JsonNumber(map_of(0))},
          {"AP50", ap("0.50")},
          {"AP75", ap("0.75")},
          {"APs", by_area(1, map_of)},
          {"APm", by_area(2, map_of)},
          {"APl", by_area(3, map_of)},
          {"AR1", ar(1)},
          {"AR10", ar(10)},
          {"AR100", ar(100)},
          {"ARs", by_area(1, ar_of)},
          {"ARm", by_area(2, ar_of)},
          {"ARl", by_area(3, ar_of)}};
}

Json MeanAveragePrecision(const EvaluationParams& params, const MeanSummary& mean) {
  Json list = Json::array();
  for (std::size_t a = 0; a < params.areas(); ++a) {
    const auto add = [&](const std::string& iou, const ApValue& ap) {
      Json row = {{"area", params.area_ranges[a].name}, {"iou", iou}};
      row.update(ToJson(ap));
      list.push_back(std::move(row));
    };
    add(IouRangeText(params.iou_thresholds), mean.map[a][params.thresholds()]);
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      add(IouText(params.iou_thresholds[t]), mean.map[a][t]);
    }
  }
  return list;
}

Json AverageRecall(const EvaluationParams& params, const MeanSummary& mean) {
  Json list = Json::array();
  const auto add = [&](std::uint32_t max_dets, std::size_t area, double value) {
    list.push_back({{"max_dets", MaxDetsText(max_dets)},
                    {"area", params.area_ranges[area].name},
                    {"value", JsonNumber(value)}});
  };
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    add(params.max_dets[k], 0, mean.ar_by_max_dets[k]);
  }
  for (std::size_t a = 1; a < params.areas(); ++a) {
    add(params.max_dets.back(), a, mean.ar[a]);
  }
  return list;
}

// One row per operating point and exposed threshold; the first is the headline.
template <class Fill>
Json OperatingPoints(const EvaluationParams& params, Fill&& fill) {
  Json list = Json::array();
  for (std::size_t c = 0; c < params.operating_points.size(); ++c) {
    for (const std::size_t t : ExposedIous(params)) {
      Json row = {{"confidence", ConfidenceText(params.operating_points[c])},
                  {"iou", IouText(params.iou_thresholds[t])}};
      fill(c, t, row);
      list.push_back(std::move(row));
    }
  }
  return list;
}

Json ToJson(const EvaluationParams& params, const MeanSummary& mean) {
  return OperatingPoints(params, [&](std::size_t c, std::size_t t, Json& row) {
    const MeanSummary::Macro& macro = mean.macro[c][t];
    row["micro"] = ToJson(mean.micro[c][t]);
    row["macro"] = {{"precision", JsonNumber(macro.precision)},
                    {"recall", JsonNumber(macro.recall)},
                    {"f1", JsonNumber(macro.f1)}};
  });
}

Json ToJson(const EvaluationParams& params, const ClassSummary& one, const snapshot::FrameOutcomes& frames) {
  Json ap = Json::object();
  Json recall = Json::object();
  for (std::size_t a = 0; a < params.areas(); ++a) {
    Json by_threshold = Json::array();
    for (std::size_t t = 0; t < params.thresholds(); ++t) {
      by_threshold.push_back(ToJson(one.ap[a][t]));
    }
    Append(ap, params.area_ranges[a].name, std::move(by_threshold));
    Append(recall, params.area_ranges[a].name, Numbers(one.recall[a], params.thresholds()));
  }
  Json by_max_dets = Json::object();
  for (std::size_t k = 0; k < params.max_dets.size(); ++k) {
    Append(by_max_dets, MaxDetsText(params.max_dets[k]),
           Numbers(one.recall_by_max_dets[k], params.thresholds()));
  }
  return {{"exact", one.exact},
          {"ground_truths", GroundTruths(params, one.ground_truths)},
          {"detections", one.detections},
          {"ap", std::move(ap)},
          {"recall", std::move(recall)},
          {"recall_by_max_dets", std::move(by_max_dets)},
          {"operating_points",
           OperatingPoints(params, [&](std::size_t c, std::size_t t,
                                       Json& row) { row.update(ToJson(one.operating[c][t])); })},
          {"frames", ToJson(params, frames)},
          {"iou_mean", JsonNumber(one.iou_mean)},
          {"best_f1", JsonNumber(one.best_f1)},
          {"best_f1_confidence", JsonNumber(one.best_f1_confidence)},
          {"calibration_error", JsonNumber(one.calibration_error)}};
}

}  // namespace

Json JsonNumber(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json JsonTime(TimePoint time) {
  return time == TimePoint{} ? Json(nullptr) : Json(ToUnixSeconds(time));
}

Json JsonWindow(const ViewSpec& spec, const snapshot::Group& group, const snapshot::Window& window) {
  const EvaluationParams& params = *group.params;
  Json out = {{"window", window.name},
              {"frames", window.frames},
              {"exact", window.mean.exact},
              {"classes", window.mean.classes},
              {"ground_truths", GroundTruths(params, window.mean.ground_truths)},
              {"oldest_capture", JsonTime(window.oldest_capture)},
              {"newest_capture", JsonTime(window.newest_capture)},
              {"stats", Stats(params, window.mean)},
              {"map", MeanAveragePrecision(params, window.mean)},
              {"ar", AverageRecall(params, window.mean)},
              {"operating_points", ToJson(params, window.mean)},
              {"frame_outcomes", ToJson(params, window.mean.frames)},
              {"iou_mean", JsonNumber(window.mean.iou_mean)}};
  if (spec.classes) {
    Json classes = Json::object();
    for (std::size_t c = 0; c < group.class_names.size() && c < window.classes.size(); ++c) {
      const ClassSummary* one = window.classes[c].get();
      if (one != nullptr) {
        Json row = ToJson(params, *one, FramesOfClass(window, c));
        if (&window == &group.windows.front() && c < group.iou_quantiles.size()) {
          row["iou_quantiles"] = {{"0.1", JsonNumber(group.iou_quantiles[c].tenth)},
                                  {"0.5", JsonNumber(group.iou_quantiles[c].median)}};
        }
        Append(classes, group.class_names[c], std::move(row));
      } else if (c < window.judged_frames.size() && window.judged_frames[c] > 0) {
        Append(classes, group.class_names[c], Json(nullptr));  // judged, and never there
      }
    }
    out["per_class"] = std::move(classes);
  }
  return out;
}

}  // namespace detwatch::expose
