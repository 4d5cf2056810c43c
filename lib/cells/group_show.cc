// The numbers of a group as plain values: which need making anew, and which still stand.
#include "lib/cells/group.h"

namespace detwatch::cells {

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

snapshot::Window Group::ShowWindow(std::size_t w) const {
  const window::FrameStats& frames = w == 0 ? frames_ : windows_[w - 1].Sum();
  snapshot::Window out;
  out.name = w == 0 ? "total" : layout_.windows[w - 1].name;
  out.frames = frames.frames;
  out.oldest_capture = frames.oldest_capture;
  out.newest_capture = frames.newest_capture;
  out.judged_frames = JudgedFrames(frames.by_set);
  bool changed = false;
  out.classes.reserve(classes_.size());
  std::vector<const accumulate::ClassSummary*> present;
  for (const Class& known : classes_) {
    out.classes.push_back(known.cell == nullptr ? nullptr
                                                : known.cell->Summarise(*spec_.params, w, frames.frames != 0,
                                                                        w == 0 ? 0 : frames.first, changed));
    if (out.classes.back() != nullptr) {
      present.push_back(out.classes.back().get());
    }
  }
  Shown& shown = shown_[w];
  if (changed || !shown.fresh) {
    shown.mean = accumulate::Mean(*spec_.params, present);
    shown.fresh = true;
  }
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
  out.iou_quantiles.reserve(classes_.size());
  for (const Class& known : classes_) {
    out.iou_quantiles.push_back(known.cell == nullptr ? snapshot::IouQuantiles{} : known.cell->ShowIou());
  }
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
