#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/names.h"
#include "daemon/config/sections.h"

namespace detwatch::config {
namespace {

// COCO's ninth threshold is 0.8999999999999999: who writes 0.9 means that one, or nothing would compare.
double SnapToCoco(double threshold) {
  static const std::vector<double> coco = CocoIouThresholds();
  for (const double t : coco) {
    if (std::abs(t - threshold) < 1e-12) {
      return t;
    }
  }
  return threshold;
}

void ReadAreas(const Field& field, std::vector<AreaRange>& ranges) {
  std::vector<AreaRange> read;
  if (field.IsMap()) {  // {all: [0, 1e10], small: [0, 1024]}
    field.EachEntry([&](const std::string& name, const Field& bounds) {
      std::vector<double> ends;
      if (bounds.To(ends) && ends.size() == 2) {
        read.push_back({name, ends[0], ends[1]});
      } else {
        bounds.Note("must be [lower, upper] in square pixels");
      }
    });
    ranges = std::move(read);
    return;
  }
  if (field.EachItem([&](const Field& item) {
        AreaRange range;
        item.Map({{"name", Into(range.name)}, {"lower", Into(range.lower)}, {"upper", Into(range.upper)}});
        read.push_back(std::move(range));
      })) {
    ranges = std::move(read);
  }
}

// `model` is where a per-model override keeps its name; null for `evaluation` itself.
void Read(const Field& field, EvaluationParams& params, std::string* model) {
  const auto protocol = [&](const Field& value) {
    Protocol chosen = params.protocol();
    if (value.ToOneOf(kProtocolNames, chosen)) {
      // Everything the protocol defines starts from it; operating points are not the protocol's.
      const std::vector<float> points = params.operating_points;
      params = chosen.matching_rule == MatchingRule::kCoco
                   ? EvaluationParams::Coco()
                   : EvaluationParams::Voc(chosen.interpolation, false);
      params.operating_points = points;
    }
  };
  const auto thresholds = [&](const Field& value) {
    if (value.To(params.iou_thresholds)) {
      std::transform(params.iou_thresholds.begin(), params.iou_thresholds.end(),
                     params.iou_thresholds.begin(), SnapToCoco);
    }
  };
  std::vector<Field::Key> keys = {
      {"protocol", protocol},
      {"inclusive_pixels", Into(params.inclusive_pixels)},
      {"iou_thresholds", thresholds},
      {"area_ranges", [&](const Field& value) { ReadAreas(value, params.area_ranges); }},
      {"max_dets", Into(params.max_dets)},
      {"operating_points", Into(params.operating_points)}};
  if (model != nullptr) {
    keys.push_back({"model", Into(*model)});
  }
  field.Map(keys);
}

}  // namespace

void ReadEvaluation(const Field& field, EvaluationParams& params) {
  Read(field, params, nullptr);
}

void ReadModels(const Field& field, Config& config) {
  field.EachItem([&](const Field& item) {
    ModelOverride override{"", config.evaluation};
    Read(item, override.evaluation, &override.model);
    config.models.push_back(std::move(override));
  });
}

}  // namespace detwatch::config
