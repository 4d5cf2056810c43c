// What models, streams and a start tell the routes.
#include <algorithm>

#include "lib/pipeline/routes.h"
#include "lib/pipeline/routes_names.h"

namespace detwatch::pipeline {

// What was there counts as seen now: the time in which nobody could have been heard is not held against it.
void Routes::Restore(const Restored& restored) {
  next_model_ = restored.next_model;
  next_group_ = restored.next_group;
  for (const RestoredModel& held : restored.models) {
    auto model = MakeModel(held.id, held.key, restored.started);
    model->tags = held.tags;
    model->labels_expected = held.labels_expected;
    model->class_list = held.class_list;
    models_.emplace(held.key, std::move(model));
  }
  for (const StreamInfo& info : restored.streams) {
    streams_[info.stream] = {info.tags, restored.started};
  }
  for (const RestoredGroup& held : restored.groups) {
    std::string key;
    AppendKey(key, std::to_string(held.view));
    for (const auto& [name, value] : held.labels) {
      AppendKey(key, value);
    }
    auto group = std::make_unique<Group>();
    group->id = held.id;
    const auto own = evaluation_of_model_.find(held.model);
    group->evaluation = own == evaluation_of_model_.end() ? evaluations_.front().get() : own->second;
    group->last_seen = restored.started;
    groups_.emplace(std::move(key), std::move(group));
  }
}

Result<void, Reject> Routes::Announce(const ModelInfo& info, TimePoint now, Cut& cut) {
  const auto model = FindOrAddModel(info.model, now, cut);
  if (!model) {
    return tl::unexpected(model.error());
  }
  (*model)->labels_expected = info.labels_expected;
  (*model)->class_list = info.class_list;
  ModelChange& change = Change(**model, cut);
  change.described = true;
  change.score_threshold = info.score_threshold;
  change.max_detections = info.max_detections;
  change.tags = info.tags;
  change.labels_expected = info.labels_expected;
  change.class_list = info.class_list;
  if ((*model)->tags != info.tags) {
    (*model)->tags = info.tags;
    std::erase_if(routes_, [&](const auto& entry) { return entry.second.route.model == *model; });
  }
  return {};
}

Result<void, Reject> Routes::Announce(const StreamInfo& info, TimePoint now, Cut& cut) {
  if (auto seen = SeeStream(info.stream, now); !seen) {
    return seen;
  }
  Stream& stream = streams_[info.stream];
  if (stream.tags != info.tags) {
    stream.tags = info.tags;
    cut.stream_infos.push_back(info);
    const std::string suffix = '\x1f' + info.stream;
    std::erase_if(routes_, [&](const auto& entry) { return entry.first.ends_with(suffix); });
  }
  return {};
}

bool Routes::NeedsStream(const ViewSpec& view, const KnownModel& model) const {
  return std::any_of(view.group_by.begin(), view.group_by.end(), [&](const std::string& key) {
    return key != "model" && key != "version" && FindTag(model.tags, key) == nullptr;
  });
}

void Routes::LearnList(Group& group, ClassListHash list, Cut& cut) {
  if (std::find(group.lists.begin(), group.lists.end(), list) == group.lists.end()) {
    group.lists.push_back(list);
    cut.known_classes.push_back({group.id, list});
  }
}

void Routes::LearnList(ClassListHash list, TimePoint now, Cut& cut) {
  for (const auto& [key, model] : models_) {
    if (model->class_list != list) {
      continue;
    }
    for (std::size_t view = 0; view < views_.size(); ++view) {
      // A group that is refused here is refused, and counted, when its first frame comes.
      const auto group = NeedsStream(views_[view], *model) ? Result<Group*, Reject>(nullptr)
                                                           : FindOrAddGroup(view, *model, {}, now, cut);
      if (group && *group != nullptr) {
        LearnList(**group, list, cut);
      }
    }
  }
}

}  // namespace detwatch::pipeline
