#include "daemon/config/load.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "daemon/config/reader.h"
#include "daemon/config/window.h"

namespace detwatch::config {
namespace {

constexpr std::array<std::pair<std::string_view, Protocol>, 3> kProtocols = {
    {{"coco", Protocol::kCoco}, {"voc2007", Protocol::kVoc2007}, {"voc2012", Protocol::kVoc2012}}};
constexpr std::array<std::pair<std::string_view, LabelSource>, 4> kSources = {
    {{"human", LabelSource::kHuman},
     {"auto", LabelSource::kAuto},
     {"simulator", LabelSource::kSimulator},
     {"unknown", LabelSource::kUnknown}}};
constexpr std::array<std::pair<std::string_view, Sampling>, 3> kSamplings = {
    {{"random", Sampling::kRandom}, {"triggered", Sampling::kTriggered}, {"unknown", Sampling::kUnknown}}};
constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels = {{{"debug", LogLevel::kDebug},
                                                                           {"info", LogLevel::kInfo},
                                                                           {"warn", LogLevel::kWarn},
                                                                           {"error", LogLevel::kError}}};
constexpr std::array<std::pair<std::string_view, LogFormat>, 2> kFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
constexpr std::array<std::pair<std::string_view, bool Families::*>, 10> kFamilies = {
    {{"mean_average_precision", &Families::mean_average_precision},
     {"average_precision", &Families::average_precision},
     {"average_recall", &Families::average_recall},
     {"precision", &Families::precision},
     {"recall", &Families::recall},
     {"f1_score", &Families::f1_score},
     {"micro_macro", &Families::micro_macro},
     {"frame_outcomes", &Families::frame_outcomes},
     {"localization", &Families::localization},
     {"calibration", &Families::calibration}}};

// Reads a list of names as a list of what they mean.
template <class Names, class T>
Field::Read IntoOneOf(const Names& names, std::vector<T>& values) {
  return [&](const Field& field) {
    std::vector<T> read;
    if (field.EachItem([&](const Field& item) {
          T value{};
          if (item.ToOneOf(names, value)) {
            read.push_back(value);
          }
        })) {
      values = std::move(read);
    }
  };
}

template <class Names, class T>
Field::Read IntoOneOf(const Names& names, T& value) {
  return [&](const Field& field) { field.ToOneOf(names, value); };
}

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
void ReadEvaluation(const Field& field, EvaluationParams& params, std::string* model) {
  const auto protocol = [&](const Field& value) {
    Protocol chosen = params.protocol;
    if (value.ToOneOf(kProtocols, chosen)) {
      // Everything the protocol defines starts from it; operating points are not the protocol's.
      const std::vector<float> points = params.operating_points;
      params = chosen == Protocol::kCoco ? EvaluationParams::Coco() : EvaluationParams::Voc(chosen, false);
      params.operating_points = points;
    }
  };
  const auto thresholds = [&](const Field& value) {
    if (value.To(params.iou_thresholds)) {
      std::transform(params.iou_thresholds.begin(), params.iou_thresholds.end(),
                     params.iou_thresholds.begin(), SnapToCoco);
    }
  };
  const auto name = [&](const Field& value) {
    if (model != nullptr) {
      value.To(*model);
    } else {
      value.Note("belongs under models, not here");
    }
  };
  field.Map({{"model", name},
             {"protocol", protocol},
             {"inclusive_pixels", Into(params.inclusive_pixels)},
             {"iou_thresholds", thresholds},
             {"area_ranges", [&](const Field& value) { ReadAreas(value, params.area_ranges); }},
             {"max_dets", Into(params.max_dets)},
             {"operating_points", Into(params.operating_points)}});
}

void ReadModels(const Field& field, Config& config) {
  field.EachItem([&](const Field& item) {
    ModelOverride override{"", config.evaluation};
    ReadEvaluation(item, override.evaluation, &override.model);
    config.models.push_back(std::move(override));
  });
}

void ReadWindows(const Field& field, Config& config) {
  std::vector<WindowSpec> windows;
  const bool list = field.EachItem([&](const Field& item) {
    std::string text;
    if (!item.To(text)) {
      return;
    }
    Result<WindowSpec> window = MakeWindow(text);
    if (window) {
      windows.push_back(*std::move(window));
    } else {
      item.Note(std::move(window.error().message));
    }
  });
  if (list) {
    config.windows = std::move(windows);
  }
}

void ReadFamilies(const Field& field, Families& families) {
  std::vector<bool Families::*> chosen;
  IntoOneOf(kFamilies, chosen)(field);
  for (const auto& [name, member] : kFamilies) {
    families.*member = std::find(chosen.begin(), chosen.end(), member) != chosen.end();
  }
}

std::vector<std::string> WindowNames(const Config& config) {
  std::vector<std::string> names;
  for (const WindowSpec& window : config.windows) {
    names.push_back(window.name);
  }
  return names;
}

// mAP and AP50, precision and recall, all without classes: enough to compare sites or cameras.
ViewSpec FurtherView() {
  ViewSpec view;
  view.classes = false;
  view.counters = false;
  view.families = Families{};
  for (const auto& [name, member] : kFamilies) {
    view.families.*member = name == "mean_average_precision" || name == "precision" || name == "recall";
  }
  return view;
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

// Fleet thresholds are meant to be the evaluated ones to the bit; unless given, those that exist.
void SettleFleet(const std::vector<double>& evaluated, bool given, std::vector<double>& iou) {
  std::vector<double> settled;
  for (const double wanted : iou) {
    const auto same = [&](double t) { return std::abs(t - wanted) < 1e-9; };
    const auto found = std::find_if(evaluated.begin(), evaluated.end(), same);
    if (found != evaluated.end() || given) {
      settled.push_back(found != evaluated.end() ? *found : wanted);
    }
  }
  if (settled.empty() && !given && !evaluated.empty()) {
    settled.push_back(evaluated.front());
  }
  iou = std::move(settled);
}

void ReadRoot(const Field& root, Config& c) {
  bool fleet_given = false;
  const auto fleet_iou = [&](const Field& f) { fleet_given = f.To(c.fleet.iou); };
  root.Map({
      {"web",
       [&](const Field& f) {
         f.Map({{"listen_address", Into(c.web.listen_address)},
                {"max_connections", Into(c.web.max_connections)},
                {"max_connections_per_ip", Into(c.web.max_connections_per_ip)},
                {"timeout", Into(c.web.timeout)}});
       }},
      {"ingest",
       [&](const Field& f) {
         f.Map({{"subscribe", Into(c.ingest.subscribe)},
                {"reliable", Into(c.ingest.reliable)},
                {"message_bytes", IntoBytes(c.ingest.message_bytes)},
                {"boxes_per_frame", Into(c.ingest.boxes_per_frame)},
                {"high_water_mark", Into(c.ingest.high_water_mark)},
                {"reliable_high_water_mark", Into(c.ingest.reliable_high_water_mark)},
                {"credit_bytes", IntoBytes(c.ingest.credit_bytes)},
                {"insecure", Into(c.ingest.insecure)}});
       }},
      {"evaluation", [&](const Field& f) { ReadEvaluation(f, c.evaluation, nullptr); }},
      {"models", [&](const Field& f) { ReadModels(f, c); }},
      {"windows",
       [&](const Field& f) {
         ReadWindows(f, c);
         c.views[0].windows = WindowNames(c);
       }},
      {"views", [&](const Field& f) { ReadViews(f, c); }},
      {"join",
       [&](const Field& f) {
         f.Map({{"retention", Into(c.join.retention)},
                {"bytes", IntoBytes(c.join.bytes)},
                {"linger", Into(c.join.linger)},
                {"class_list_wait", Into(c.join.class_list_wait)}});
       }},
      {"dedup",
       [&](const Field& f) {
         f.Map({{"horizon", Into(c.dedup.horizon)}, {"frames", Into(c.dedup.frames)}});
       }},
      {"limits",
       [&](const Field& f) {
         f.Map({{"models", Into(c.limits.models)},
                {"groups", Into(c.limits.groups)},
                {"streams", Into(c.limits.streams)},
                {"publishers", Into(c.limits.publishers)},
                {"classes", Into(c.limits.classes)},
                {"cell_bytes", IntoBytes(c.limits.cell_bytes)},
                {"series", Into(c.limits.series)}});
       }},
      {"labels",
       [&](const Field& f) {
         f.Map({{"sources", IntoOneOf(kSources, c.labels.sources)},
                {"sampling", IntoOneOf(kSamplings, c.labels.sampling)}});
       }},
      {"fleet",
       [&](const Field& f) {
         f.Map({{"bins", Into(c.fleet.bins)}, {"iou", fleet_iou}});
       }},
      {"log",
       [&](const Field& f) {
         f.Map({{"level", IntoOneOf(kLevels, c.log.level)}, {"format", IntoOneOf(kFormats, c.log.format)}});
       }},
  });
  SettleFleet(c.evaluation.iou_thresholds, fleet_given, c.fleet.iou);
}

}  // namespace

std::vector<std::string> LoadResult::Messages() const {
  std::vector<std::string> messages;
  messages.reserve(problems.size());
  for (const Problem& problem : problems) {
    messages.push_back(Describe(problem, file));
  }
  return messages;
}

LoadResult LoadText(std::string_view yaml, std::string file) {
  LoadResult result;
  result.file = std::move(file);
  Findings findings;
  try {
    const Field root(YAML::Load(std::string(yaml)), "", findings);
    ReadRoot(root, result.config);
  } catch (const YAML::Exception& e) {  // only for text that is not YAML; values are parsed by us
    result.problems.push_back({e.mark.line + 1, "", "is not YAML: " + e.msg});
    return result;
  }
  result.problems = std::move(findings.problems);
  for (Problem& problem : Problems(result.config)) {
    problem.line = findings.LineOf(problem.field);
    result.problems.push_back(std::move(problem));
  }
  std::stable_sort(result.problems.begin(), result.problems.end(),
                   [](const Problem& a, const Problem& b) { return a.line < b.line; });
  return result;
}

LoadResult LoadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  if (stream) {
    text.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  if (!stream || stream.bad()) {
    LoadResult result;
    result.file = path;
    result.problems.push_back({0, "", "cannot be read: " + std::generic_category().message(errno)});
    return result;
  }
  return LoadText(text, path);
}

}  // namespace detwatch::config
