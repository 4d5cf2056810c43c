#include "lib/snapshot/snapshot.h"

#include <algorithm>

namespace detwatch::snapshot {
namespace {

// By class name: zeros where the class is new.
using Counters = std::vector<std::shared_ptr<const ClassCounters>>;

Counters Keep(const Counters& durable, std::size_t classes) {
  static const auto kNone = std::make_shared<const ClassCounters>();
  Counters kept(classes, kNone);
  std::copy_n(durable.begin(), std::min(durable.size(), classes), kept.begin());
  return kept;
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

void KeepCounters(const Snapshot* durable, Snapshot& to) {
  static const Group kNoGroup;
  for (View& view : to.views) {
    for (Group& group : view.groups) {
      const Group* found = FindGroup(durable, view.spec.name, group);
      const Group& held = found == nullptr ? kNoGroup : *found;
      if (!group.counters.empty()) {
        group.counters = Keep(held.counters, group.class_names.size());
      }
      if (!group.retracted.empty()) {
        group.retracted = Keep(held.retracted, group.class_names.size());
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
