// What is counted, from scratch; and what a snapshot says of it.
#include <algorithm>
#include <cstdio>

#include "tests/pipeline/history_model_support.h"
#include "tests/pipeline/rig_support.h"

namespace detwatch::test {
namespace {

constexpr float kOperatingPoint = 0.5F;

std::int64_t PaneOf(TimePoint at, Duration pane) {
  return ToUnixNanos(at) / pane.count();
}

std::string Show(double iou) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%.2f", iou);
  return text.data();
}

// Zero is not in the numbers, so that what nobody speaks of is no difference.
void Add(Numbers& numbers, const std::string& name, std::int64_t n) {
  if (n != 0) {
    numbers[name] += n;
  }
}

// Of the boxes of a place, which are 40 wide and differ by a shift to the right alone.
double Overlap(double shift) {
  return shift >= 40 ? 0 : (40 - shift) / (40 + shift);
}

const std::string& NameOf(int list, int entry) {
  return ClassesOf(list)[static_cast<std::size_t>(entry)].second;
}

// Both lists have the class, and the labels looked for it.
bool IsJudged(const Judged& judged, const std::string& name) {
  const auto& of_model = ClassesOf(judged.predictions.list);
  const bool known =
      std::any_of(of_model.begin(), of_model.end(), [&](const auto& entry) { return entry.second == name; });
  const auto& of_labels = ClassesOf(judged.labels.list);
  for (std::size_t i = 0; i < of_labels.size(); ++i) {
    if (of_labels[i].second == name) {
      return known && (judged.labels.examined == 0 || (judged.labels.examined >> i & 1U) != 0);
    }
  }
  return false;
}

// True positives: at each place as many as there are both ground truths and detections that overlap enough.
std::int64_t TruePositives(const Judged& judged, const std::string& name, double iou) {
  std::int64_t matched = 0;
  for (const int place : {0, 1}) {
    std::int64_t ground_truths = 0;
    std::int64_t detections = 0;
    for (const SaidObject& object : ObjectsOf(judged.labels)) {
      ground_truths += object.place == place && NameOf(judged.labels.list, object.entry) == name ? 1 : 0;
    }
    for (const SaidObject& object : ObjectsOf(judged.predictions)) {
      detections += object.place == place && NameOf(judged.predictions.list, object.entry) == name &&
                            object.score >= kOperatingPoint && Overlap(object.shift) >= iou
                        ? 1
                        : 0;
    }
    matched += std::min(ground_truths, detections);
  }
  return matched;
}

void AddCounts(const std::string& name, const accumulate::OperatingCounts& counts, Numbers& numbers) {
  Add(numbers, name + " true positives", counts.true_positives);
  Add(numbers, name + " false positives", counts.false_positives);
  Add(numbers, name + " false negatives", counts.false_negatives);
}

void AddFrames(const std::string& name, const accumulate::FrameCounts& frames, Numbers& numbers) {
  Add(numbers, name + " frames tp", frames.tp);
  Add(numbers, name + " frames fp", frames.fp);
  Add(numbers, name + " frames fn", frames.fn);
  Add(numbers, name + " frames tn", frames.tn);
}

std::string NameOf(const snapshot::Group& group) {
  return group.labels.front().second;  // the model, or the stream
}

void AddWindow(const snapshot::Group& group, const snapshot::Window& window, Numbers& numbers) {
  const std::string in = window.name + " " + NameOf(group);
  Add(numbers, in + " frames", window.frames);
  for (std::size_t i = 0; i < window.classes.size(); ++i) {
    if (window.classes[i] == nullptr) {
      continue;
    }
    const accumulate::ClassSummary& values = *window.classes[i];
    const std::string name = in + " " + group.class_names[i];
    Add(numbers, name + " ground truths", values.ground_truths[0]);
    AddFrames(name, values.frames[0], numbers);
    for (std::size_t t = 0; t < group.params->thresholds(); ++t) {
      AddCounts(name + " at " + Show(group.params->iou_thresholds[t]), values.operating[0][t], numbers);
    }
  }
}

// Exported counters less what was retracted.
void AddCounters(const snapshot::Group& group, const snapshot::ClassCounters& counters,
                 const std::string& class_name, std::int64_t sign, Numbers& numbers) {
  const std::string name = "counters " + NameOf(group) + " " + class_name;
  Add(numbers, name + " ground truths", sign * counters.ground_truths);
  accumulate::FrameCounts frames = counters.frames[0];
  frames = {sign * frames.tp, sign * frames.fp, sign * frames.fn, sign * frames.tn};
  AddFrames(name, frames, numbers);
  for (std::size_t t = 0; t < group.params->thresholds(); ++t) {
    const accumulate::OperatingCounts& at = counters.operating[0][t];
    AddCounts(name + " at " + Show(group.params->iou_thresholds[t]),
              {sign * at.true_positives, sign * at.false_positives, sign * at.false_negatives}, numbers);
  }
}

void AddGroup(const snapshot::Group& group, Numbers& numbers) {
  for (const snapshot::Window& window : group.windows) {
    AddWindow(group, window, numbers);
  }
  for (std::size_t i = 0; i < group.counters.size(); ++i) {
    AddCounters(group, *group.counters[i], group.class_names[i], 1, numbers);
  }
  for (std::size_t i = 0; i < group.retracted.size(); ++i) {
    AddCounters(group, *group.retracted[i], group.class_names[i], -1, numbers);
  }
}

}  // namespace

void CountFrame(const std::string& prefix, const Judged& judged, const std::vector<double>& ious,
                Numbers& numbers) {
  for (const auto& [id, name] : ClassesOf(judged.labels.list)) {
    if (!IsJudged(judged, name)) {
      continue;
    }
    std::int64_t ground_truths = 0;
    std::int64_t detections = 0;
    for (const SaidObject& object : ObjectsOf(judged.labels)) {
      ground_truths += NameOf(judged.labels.list, object.entry) == name ? 1 : 0;
    }
    for (const SaidObject& object : ObjectsOf(judged.predictions)) {
      detections += NameOf(judged.predictions.list, object.entry) == name && object.score >= kOperatingPoint;
    }
    const std::string in = prefix + " " + name;
    Add(numbers, in + " ground truths", ground_truths);
    AddFrames(in,
              {ground_truths > 0 && detections > 0, ground_truths == 0 && detections > 0,
               ground_truths > 0 && detections == 0, ground_truths == 0 && detections == 0},
              numbers);
    for (const double iou : ious) {
      const std::int64_t found = TruePositives(judged, name, iou);
      AddCounts(in + " at " + Show(iou), {found, detections - found, ground_truths - found}, numbers);
    }
  }
}

std::pair<std::int64_t, std::int64_t> Unjudged(const Judged& judged) {
  std::pair<std::int64_t, std::int64_t> unjudged;
  for (const SaidObject& object : ObjectsOf(judged.predictions)) {
    unjudged.first += IsJudged(judged, NameOf(judged.predictions.list, object.entry)) ? 0 : 1;
  }
  for (const SaidObject& object : ObjectsOf(judged.labels)) {
    unjudged.second += IsJudged(judged, NameOf(judged.labels.list, object.entry)) ? 0 : 1;
  }
  return unjudged;
}

Numbers PlainModel::Expected(TimePoint now) const {
  Numbers numbers = counters_;
  Add(numbers, "waiting for a class list", static_cast<std::int64_t>(parked_.size()));
  for (const auto& [key, frame] : frames_) {
    Add(numbers, "pending predictions", static_cast<std::int64_t>(frame.waiting.size()));
    Add(numbers, "pending labels", frame.waiting_labels ? 1 : 0);
    for (const auto& [model, judgement] : frame.judged) {
      const Judged judged{judgement.predictions, judgement.labels};
      const std::vector<double>& ious = config_.evaluation.iou_thresholds;
      const auto [detections, ground_truths] = Unjudged(judged);
      Add(numbers, "kept frames", judgement.kept ? 1 : 0);
      Add(numbers, "unjudged detections", detections);
      Add(numbers, "unjudged ground truths", ground_truths);
      CountFrame("counters " + model, judged, ious, numbers);
      std::vector<std::string> windows = {"total"};
      for (const WindowSpec& window : config_.windows) {
        if (PaneOf(judgement.at, window.pane) > PaneOf(now, window.pane) - window.panes) {
          windows.push_back(window.name);
        }
      }
      for (const std::string& window : windows) {
        for (const std::string& group : {model, key.first}) {
          Add(numbers, window + " " + group + " frames", 1);
          CountFrame(window + " " + group, judged, ious, numbers);
        }
      }
    }
  }
  return numbers;
}

Numbers Observed(const snapshot::Snapshot& snapshot) {
  Numbers numbers;
  const snapshot::Snapshot whole = Whole(snapshot);
  for (const snapshot::View& view : whole.views) {
    for (const snapshot::Group& group : view.groups) {
      AddGroup(group, numbers);
    }
  }
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  for (const snapshot::Model& model : snapshot.models) {
    Add(numbers, "model " + model.key.model + " frames", number(model.frames));
    Add(numbers, "model " + model.key.model + " judged", number(model.judged));
    Add(numbers, "model " + model.key.model + " expired", number(model.expired));
  }
  const IngestCounters& counters = snapshot.counters;
  for (std::size_t i = 0; i < kRejectReasons; ++i) {
    Add(numbers, "rejected " + std::string(Name(static_cast<RejectReason>(i))),
        number(counters.rejected[i][0] + counters.rejected[i][1]));
  }
  Add(numbers, "frames", number(counters.frames[1]));
  Add(numbers, "labels", number(counters.labels[1]));
  Add(numbers, "duplicate frames", number(counters.duplicate_frames[1]));
  Add(numbers, "duplicate labels", number(counters.duplicate_labels[1]));
  Add(numbers, "filtered labels", number(counters.filtered_labels));
  Add(numbers, "judged frames", number(counters.judged_frames));
  Add(numbers, "corrected frames", number(counters.corrected_frames));
  Add(numbers, "expired predictions", number(counters.expired_labels_missing));
  Add(numbers, "expired labels", number(counters.expired_predictions_missing));
  Add(numbers, "never expected", number(counters.never_expected));
  Add(numbers, "unjudged detections",
      number(counters.unjudged_detections) - number(counters.retracted_unjudged_detections));
  Add(numbers, "unjudged ground truths",
      number(counters.unjudged_ground_truths) - number(counters.retracted_unjudged_ground_truths));
  Add(numbers, "pending predictions", number(snapshot.gauges.pending_predictions));
  Add(numbers, "pending labels", number(snapshot.gauges.pending_labels));
  Add(numbers, "kept frames", number(snapshot.gauges.kept_frames));
  Add(numbers, "waiting for a class list", number(snapshot.gauges.class_list_waiting));
  return numbers;
}

std::string Differences(const Numbers& expected, const Numbers& observed) {
  std::string words;
  const auto of = [](const Numbers& numbers, const std::string& name) {
    const auto found = numbers.find(name);
    return found == numbers.end() ? 0 : found->second;
  };
  constexpr int kMostLines = 12;
  int lines = 0;
  Numbers names = expected;
  names.insert(observed.begin(), observed.end());
  for (const auto& [name, n] : names) {
    if (of(expected, name) != of(observed, name) && ++lines <= kMostLines) {
      words += "   " + name + ": " + std::to_string(of(observed, name)) + ", by the rules " +
               std::to_string(of(expected, name)) + "\n";
    }
  }
  return lines <= kMostLines ? words : words + "   and " + std::to_string(lines - kMostLines) + " more\n";
}

}  // namespace detwatch::test
