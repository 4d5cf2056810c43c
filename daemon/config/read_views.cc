#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/names.h"
#include "daemon/config/sections.h"
#include "daemon/config/window.h"

namespace detwatch::config {
namespace {

std::vector<std::string> WindowNames(const Config& config) {
  std::vector<std::string> names;
  for (const WindowSpec& window : config.windows) {
    names.push_back(window.name);
  }
  return names;
}

void ReadFamilies(const Field& field, Families& families) {
  std::vector<bool Families::*> chosen;
  IntoOneOf(kFamilyNames, chosen)(field);
  for (const auto& [name, member] : kFamilyNames) {
    families.*member = std::find(chosen.begin(), chosen.end(), member) != chosen.end();
  }
}

// mAP and AP50, precision and recall, all without classes: enough to compare sites or cameras.
ViewSpec FurtherView() {
  ViewSpec view;
  view.classes = false;
  view.counters = false;
  view.families = Families{};
  for (const auto& [name, member] : kFamilyNames) {
    view.families.*member =
        name == "mean_average_precision" || name == "precision" || name == "recall" || name == "micro_macro";
  }
  return view;
}

}  // namespace

void ReadWindows(const Field& field, Config& config) {
  std::vector<WindowSpec> windows;
  const bool list = field.EachItem([&](const Field& item) {
    std::string text;
    if (!item.To(text)) {
      return;
    }
    Result<WindowSpec> window = MakeWindow(text);
    if (!window) {
      item.Note(std::move(window.error().message));
    }
    // A bad one keeps its place and name, so that views which list it are not called wrong too.
    windows.push_back(window ? *std::move(window) : WindowSpec{text, {}, 0});
  });
  if (list) {
    config.windows = std::move(windows);
    config.views[0].windows = WindowNames(config);
  }
}

void ReadViews(const Field& field, Config& config) {
  std::vector<ViewSpec> views;
  const bool list = field.EachItem([&](const Field& item) {
    ViewSpec view = views.empty() ? ViewSpec{} : FurtherView();
    view.name.clear();
    view.windows = WindowNames(config);
    item.Map({{"name", Into(view.name)},
              {"group_by", Into(view.group_by)},
              {"classes", Into(view.classes)},
              {"families", [&](const Field& value) { ReadFamilies(value, view.families); }},
              {"windows", Into(view.windows)}});
    // "total" is always there; naming it is no mistake.
    std::erase(view.windows, "total");
    views.push_back(std::move(view));
  });
  if (list) {
    config.views = std::move(views);
  }
}

}  // namespace detwatch::config
