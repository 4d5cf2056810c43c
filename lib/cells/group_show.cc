// The numbers of a group as plain values: which need making anew, and which still stand.
#include <algorithm>

#include "lib/cells/group.h"

namespace detwatch::cells {
namespace {

// Sums of parts are kept where there are more classes than this: for 80 they would cost more memory than
// making them anew costs time. For thousands they are some 3 kB a class.
constexpr std::size_t kFewClasses = 256;
// A frame touches a few dozen classes anywhere; so many others are summed again with each.
constexpr std::size_t kClassesAPart = 16;

}  // namespace

std::vector<std::int64_t> Group::JudgedFrames(const window::SetCounts& sets) const {
  std::vector<std::int64_t> judged;
  for (const auto& [set, frames] : sets.counts()) {
    judged.resize(classes_.size(), 0);
    for (const ClassId class_id : dictionary_.sets.at(set)) {
      const std::size_t index = detwatch::Index(class_id);
      if (index < slot_of_class_.size() && slot_of_class_[index] != 0) {
        judged[slot_of_class_[index] - 1] += frames;
      }
    }
  }
  return judged;
}

// A class's values change with its counts; and, whatever its counts, with whether single detections cover the
// window, which depends on the first frame inside.
void Group::ShowClasses(std::size_t w, const window::FrameStats& frames) const {
  Shown& shown = shown_[w];
  const bool any = frames.frames != 0;
  const accumulate::Ordinal first = w == 0 ? 0 : frames.first;
  const bool all = !shown.fresh || shown.any != any || shown.first != first;
  shown.any = any;
  shown.first = first;
  shown.fresh = true;
  shown.classes.resize(classes_.size());
  std::vector<std::uint32_t> changed;
  const auto show = [&](std::uint32_t slot) {
    if (classes_[slot].cell == nullptr) {
      return;
    }
    auto values = classes_[slot].cell->Summarise(*spec_.params, w, any, first);
    if (values != shown.classes[slot]) {
      shown.classes[slot] = std::move(values);
      changed.push_back(slot);
    }
  };
  if (all) {
    for (std::uint32_t slot = 0; slot < classes_.size(); ++slot) {
      show(slot);
    }
    ShowMean(shown, changed);
    return;
  }
  std::for_each(unshown_.begin(), unshown_.end(), show);
  if (!changed.empty()) {
    ShowMean(shown, changed);
  }
}

void Group::ShowMean(Shown& shown, const std::vector<std::uint32_t>& changed) const {
  const std::size_t parts = (classes_.size() + kClassesAPart - 1) / kClassesAPart;
  std::vector<bool> stale(parts, shown.parts.empty());
  for (const std::uint32_t slot : changed) {
    stale[slot / kClassesAPart] = true;
  }
  const bool keep = classes_.size() > kFewClasses;
  shown.parts.resize(keep ? parts : 0);
  accumulate::MeanSums all;
  for (std::size_t part = 0; part < parts; ++part) {
    accumulate::MeanSums made;
    accumulate::MeanSums& sums = keep ? shown.parts[part] : made;
    if (!keep || stale[part]) {
      sums = {};
      const std::size_t end = std::min(shown.classes.size(), (part + 1) * kClassesAPart);
      for (std::size_t slot = part * kClassesAPart; slot < end; ++slot) {
        if (shown.classes[slot] != nullptr) {
          sums.Add(*spec_.params, *shown.classes[slot]);
        }
      }
    }
    all.Add(sums);
  }
  shown.mean = all.Mean(*spec_.params);
}

snapshot::Window Group::ShowWindow(std::size_t w) const {
  const window::FrameStats& frames = w == 0 ? frames_ : windows_[w - 1].Sum();
  snapshot::Window out;
  out.name = w == 0 ? "total" : layout_.windows[w - 1].name;
  out.frames = frames.frames;
  out.oldest_capture = frames.oldest_capture;
  out.newest_capture = frames.newest_capture;
  out.judged_frames = JudgedFrames(frames.by_set);
  ShowClasses(w, frames);
  const Shown& shown = shown_[w];
  out.classes = shown.classes;
  out.mean = shown.mean;
  for (const auto& [set, n] : frames.by_set.counts()) {
    const auto classes = static_cast<std::int64_t>(dictionary_.sets.at(set).size());
    for (std::size_t c = 0; c < spec_.params->operating_points.size(); ++c) {
      out.mean.frames[c].tn += n * classes;
    }
  }
  return out;
}

void Group::ShowCounters(const std::vector<double>& fleet_ious, snapshot::Group& out) const {
  out.judged_frames = JudgedFrames(frames_.by_set);
  if (correctable_) {
    // What was added is what stands and what was taken out again.
    out.retracted_judged_frames = JudgedFrames(retracted_sets_);
    out.judged_frames.resize(classes_.size(), 0);
    for (std::size_t i = 0; i < out.retracted_judged_frames.size(); ++i) {
      out.judged_frames[i] += out.retracted_judged_frames[i];
    }
  }
  for (const Class& known : classes_) {
    const Cell::Counters counters =
        known.cell == nullptr ? Cell::Counters{} : known.cell->Count(*spec_.params, fleet_ious);
    out.counters.push_back(counters.added);
    if (correctable_) {
      out.retracted.push_back(counters.retracted);
    }
  }
  if (shown_predictions_ == nullptr) {
    shown_predictions_ = std::make_shared<const PredictionStats>(predictions_);
  }
  out.predictions = shown_predictions_;
}

snapshot::Group Group::Show(const ViewSpec& view, const std::vector<double>& fleet_ious) const {
  snapshot::Group out;
  out.labels = spec_.labels;
  out.params = spec_.params;
  out.class_names.reserve(classes_.size());
  for (const Class& known : classes_) {
    out.class_names.push_back(dictionary_.class_names[detwatch::Index(known.class_id)]);
  }
  for (std::size_t w = 0; w <= windows_.size(); ++w) {
    out.windows.push_back(ShowWindow(w));
  }
  shown_iou_.resize(classes_.size());
  for (const std::uint32_t slot : unshown_) {
    classes_[slot].unshown = false;
    shown_iou_[slot] = classes_[slot].cell->ShowIou();
  }
  unshown_.clear();
  out.iou_quantiles = shown_iou_;
  if (view.counters) {
    ShowCounters(fleet_ious, out);
  }
  return out;
}

void Group::ForgetCounters() {
  for (const Class& known : classes_) {
    if (known.cell != nullptr) {
      known.cell->ForgetCounters();
    }
  }
}

}  // namespace detwatch::cells
