#include "lib/expose/group.h"

#include <algorithm>
#include <cmath>

namespace detwatch::expose {

std::vector<std::size_t> ExposedIous(const EvaluationParams& params) {
  std::vector<std::size_t> chosen = {params.HeadlineIou()};
  for (std::size_t t = 0; t < params.thresholds(); ++t) {
    if (t != chosen.front() && IouText(params.iou_thresholds[t]) == "0.75") {
      chosen.push_back(t);
      break;
    }
  }
  return chosen;
}

GroupContext::GroupContext(const snapshot::View& view, const snapshot::Group& of_group)
    : spec(view.spec), group(of_group), params(*of_group.params), ious(ExposedIous(params)) {
  base.Add("view", spec.name);
  for (const auto& [name, value] : group.labels) {
    base.Add(name, value);
  }
  for (const snapshot::Window& window : group.windows) {
    windows.push_back(base.With("window", window.name));
  }
  for (const std::size_t t : ious) {
    iou_labels.emplace_back("iou", IouText(params.iou_thresholds[t]));
  }
  if (params.thresholds() > 1) {
    iou_labels.emplace_back("iou", IouRangeText(params.iou_thresholds));
  }
  for (const float confidence : params.operating_points) {
    const std::string text = ConfidenceText(confidence);
    points.emplace_back("confidence", text);
    auto& labels = operating.emplace_back();
    for (std::size_t i = 0; i < ious.size(); ++i) {
      labels.push_back(iou_labels[i].With("confidence", text));
    }
  }
}

}  // namespace detwatch::expose
