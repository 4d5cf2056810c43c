#include "lib/snapshot/snapshot.h"

#include <algorithm>

namespace detwatch::snapshot {
namespace {

// Zeros where the class is new. Classes of a group only ever grow, so places stay what they are.
template <class T>
std::vector<T> Keep(const std::vector<T>& durable, std::size_t classes) {
  std::vector<T> kept(classes);
  std::copy_n(durable.begin(), std::min(durable.size(), classes), kept.begin());
  return kept;
}

// `values` may be null.
template <class Values>
FrameOutcomes WithJudged(const Values* values, const std::vector<std::int64_t>& judged_frames,
                         std::size_t c) {
  FrameOutcomes frames = values == nullptr ? FrameOutcomes{} : values->frames;
  const std::int64_t judged = c < judged_frames.size() ? judged_frames[c] : 0;
  for (accumulate::FrameCounts& at : frames) {
    at.tn += judged;
  }
  return frames;
}

const Group* FindGroup(const Snapshot* durable, const std::string& view, const Group& group) {
  if (durable == nullptr) {
    return nullptr;
  }
  for (const View& held : durable->views) {
    for (const Group& candidate : held.groups) {
      if (held.spec.name == view && candidate.labels == group.labels) {
        return &candidate;
      }
    }
  }
  return nullptr;
}

}  // namespace

FrameOutcomes FramesOfClass(const Window& window, std::size_t c) {
  return WithJudged(c < window.classes.size() ? window.classes[c].get() : nullptr, window.judged_frames, c);
}

FrameOutcomes FramesOfClass(const std::vector<std::shared_ptr<const ClassCounters>>& counters,
                            const std::vector<std::int64_t>& judged_frames, std::size_t c) {
  return WithJudged(c < counters.size() ? counters[c].get() : nullptr, judged_frames, c);
}

void KeepCounters(const Snapshot* durable, Snapshot& to) {
  static const Group kNoGroup;
  for (View& view : to.views) {
    for (Group& group : view.groups) {
      const Group* found = FindGroup(durable, view.spec.name, group);
      const Group& held = found == nullptr ? kNoGroup : *found;
      if (!group.counters.empty()) {
        group.counters = Keep(held.counters, group.class_names.size());
        group.judged_frames = Keep(held.judged_frames, group.class_names.size());
      }
      if (!group.retracted.empty()) {
        group.retracted = Keep(held.retracted, group.class_names.size());
        group.retracted_judged_frames = Keep(held.retracted_judged_frames, group.class_names.size());
      }
      if (group.predictions != nullptr) {
        group.predictions =
            held.predictions == nullptr ? std::make_shared<const PredictionStats>() : held.predictions;
      }
    }
  }
  for (Model& model : to.models) {
    const Model* held = nullptr;
    for (std::size_t i = 0; durable != nullptr && i < durable->models.size(); ++i) {
      held = durable->models[i].key == model.key ? &durable->models[i] : held;
    }
    model.frames = held == nullptr ? 0 : held->frames;
    model.judged = held == nullptr ? 0 : held->judged;
    model.expired = held == nullptr ? 0 : held->expired;
  }
  to.counters = durable == nullptr ? IngestCounters{} : durable->counters;
  to.cuts = durable == nullptr ? 0 : durable->cuts;
}

}  // namespace detwatch::snapshot
