#include "lib/pipeline/routes.h"

#include <algorithm>

namespace detwatch::pipeline {
namespace {

const std::string* FindTag(const Tags& tags, const std::string& key) {
  const auto it = std::find_if(tags.begin(), tags.end(), [&](const auto& tag) { return tag.first == key; });
  return it == tags.end() ? nullptr : &it->second;
}

tl::unexpected<Reject> Refuse(RejectReason reason, const std::string& field, const std::string& name,
                              std::size_t limit) {
  return tl::unexpected(
      Reject{reason, field + ": \"" + name + "\" is one more than the limit of " + std::to_string(limit)});
}

// Unit separators cannot occur in names, which are free of control characters.
void AppendKey(std::string& key, std::string_view part) {
  key += part;
  key += '\x1f';
}

}  // namespace

Routes::Routes(const PipelineConfig& config) : limits_(config.limits), views_(config.views) {
  const auto add = [this](const EvaluationParams& params) {
    auto shared = std::make_shared<const EvaluationParams>(params);
    evaluations_.push_back(std::make_unique<Evaluation>(
        Evaluation{shared, accumulate::Shape::Fine(params), match::Matcher(params)}));
    return evaluations_.back().get();
  };
  add(config.evaluation);
  for (const auto& [model, params] : config.model_evaluation) {
    evaluation_of_model_[model] = params == config.evaluation ? evaluations_.front().get() : add(params);
  }
  for (const ViewSpec& view : views_) {
    for (const std::string& key : view.group_by) {
      by_stream_ = by_stream_ || (key != "model" && key != "version");
    }
  }
}

std::string Routes::LabelValue(const std::string& key, const Model& model, const std::string& stream) const {
  if (key == "model") {
    return model.key.model;
  }
  if (key == "version") {
    return model.key.version;
  }
  if (key == "stream") {
    return stream;
  }
  if (const std::string* value = FindTag(model.tags, key)) {
    return *value;
  }
  const auto it = streams_.find(stream);
  if (it != streams_.end()) {
    if (const std::string* value = FindTag(it->second.tags, key)) {
      return *value;
    }
  }
  return {};
}

Result<void, Reject> Routes::SeeStream(const std::string& stream, TimePoint now) {
  const auto it = streams_.find(stream);
  if (it != streams_.end()) {
    it->second.last_seen = now;
    return {};
  }
  if (streams_.size() >= limits_.streams) {
    return Refuse(RejectReason::kTooManyStreams, "frame.stream", stream, limits_.streams);
  }
  streams_[stream].last_seen = now;
  return {};
}

Result<Model*, Reject> Routes::FindOrAddModel(const ModelKey& key, TimePoint now, Cut& cut) {
  const auto it = models_.find(key);
  if (it != models_.end()) {
    it->second->last_seen = now;
    return it->second.get();
  }
  if (models_.size() >= limits_.models) {
    return Refuse(RejectReason::kTooManyModels, "model", key.model, limits_.models);
  }
  auto model = MakeModel(next_model_++, key, now);
  ModelDelta& delta = Delta(*model, cut);
  delta.described = true;
  return models_.emplace(key, std::move(model)).first->second.get();
}

std::unique_ptr<Model> Routes::MakeModel(std::uint32_t id, const ModelKey& key, TimePoint now) {
  auto model = std::make_unique<Model>();
  model->id = id;
  model->key = key;
  model->hash = HashModel(key);
  model->last_seen = now;
  const auto own = evaluation_of_model_.find(key.model);
  model->evaluation = own == evaluation_of_model_.end() ? evaluations_.front().get() : own->second;
  return model;
}

// What was there counts as seen now: the time in which nobody could have been heard is not held against it.
void Routes::Restore(const Restored& restored) {
  next_model_ = restored.next_model;
  next_group_ = restored.next_group;
  for (const RestoredModel& held : restored.models) {
    auto model = MakeModel(held.id, held.key, restored.started);
    model->tags = held.tags;
    model->labels_expected = held.labels_expected;
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

ModelDelta& Routes::Delta(Model& model, Cut& cut) {
  if (model.delta_cut != cut.number) {
    model.delta_cut = cut.number;
    model.delta_slot = cut.models.size();
    ModelDelta delta;
    delta.model = model.id;
    delta.model_key = model.key;
    delta.tags = model.tags;
    delta.labels_expected = model.labels_expected;
    cut.models.push_back(delta);
  }
  return cut.models[model.delta_slot];
}

Model* Routes::FindModel(const ModelKey& key) {
  const auto it = models_.find(key);
  return it == models_.end() ? nullptr : it->second.get();
}

Result<Routes::Group*, Reject> Routes::FindOrAddGroup(std::size_t view, const Model& model,
                                                      const std::string& stream, TimePoint now, Cut& cut) {
  GroupDefinition definition;
  std::string key;
  AppendKey(key, std::to_string(view));
  for (const std::string& name : views_[view].group_by) {
    definition.labels.emplace_back(name, LabelValue(name, model, stream));
    AppendKey(key, definition.labels.back().second);
  }
  const auto it = groups_.find(key);
  if (it != groups_.end()) {
    if (it->second->evaluation != model.evaluation) {
      return tl::unexpected(Reject{RejectReason::kTooManyGroups,
                                   "model: \"" + model.key.model +
                                       "\" is evaluated by other rules than the rest of its group in view " +
                                       views_[view].name});
    }
    it->second->last_seen = now;
    return it->second.get();
  }
  if (groups_.size() >= limits_.groups) {
    return Refuse(RejectReason::kTooManyGroups, "model", model.key.model, limits_.groups);
  }
  if (cell_bytes_ >= limits_.cell_bytes) {
    return tl::unexpected(Reject{RejectReason::kMemory,
                                 "model: \"" + model.key.model + "\" needs a new group, and " +
                                     std::to_string(cell_bytes_) + " bytes of cells are in use already"});
  }
  auto group = std::make_unique<Group>();
  group->id = static_cast<GroupId>(next_group_++);
  group->evaluation = model.evaluation;
  group->last_seen = now;
  definition.group = group->id;
  definition.view = view;
  definition.model = model.key.model;
  definition.params = model.evaluation->params;
  cut.new_groups.push_back(std::move(definition));
  return groups_.emplace(key, std::move(group)).first->second.get();
}

Result<Route*, Reject> Routes::Find(const ModelKey& model_key, const std::string& stream, TimePoint now,
                                    Cut& cut) {
  if (const auto seen = SeeStream(stream, now); !seen) {
    return tl::unexpected(seen.error());
  }
  const auto model = FindOrAddModel(model_key, now, cut);
  if (!model) {
    return tl::unexpected(model.error());
  }
  std::string key = std::to_string((*model)->id);
  if (by_stream_) {
    key += '\x1f';
    key += stream;
  }
  const auto it = routes_.find(key);
  if (it != routes_.end()) {
    for (Group* group : it->second.groups) {
      group->last_seen = now;
    }
    return &it->second.route;
  }
  RouteEntry entry;
  entry.route.model = *model;
  for (std::size_t view = 0; view < views_.size(); ++view) {
    const auto group = FindOrAddGroup(view, **model, stream, now, cut);
    if (group) {
      entry.route.counted = entry.route.counted || view == 0;
      entry.route.groups.push_back((*group)->id);
      entry.groups.push_back(*group);
    } else if (view == 0) {
      return tl::unexpected(group.error());
    } else {
      ++cut.counters.groups_refused;
    }
  }
  return &routes_.emplace(key, std::move(entry)).first->second.route;
}

Result<void, Reject> Routes::Describe(const ModelInfo& info, TimePoint now, Cut& cut) {
  const auto model = FindOrAddModel(info.model, now, cut);
  if (!model) {
    return tl::unexpected(model.error());
  }
  ModelDelta& delta = Delta(**model, cut);
  delta.described = true;
  delta.score_threshold = info.score_threshold;
  delta.max_detections = info.max_detections;
  delta.tags = info.tags;
  delta.labels_expected = info.labels_expected;
  (*model)->labels_expected = info.labels_expected;
  if ((*model)->tags != info.tags) {
    (*model)->tags = info.tags;
    std::erase_if(routes_, [&](const auto& entry) { return entry.second.route.model == *model; });
  }
  return {};
}

Result<void, Reject> Routes::Describe(const StreamInfo& info, TimePoint now, Cut& cut) {
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

void Routes::Expire(TimePoint now, Cut& cut) {
  const auto idle = [&](TimePoint last_seen) { return now - last_seen >= limits_.idle; };
  std::erase_if(streams_, [&](const auto& entry) {
    const bool forgotten_now = idle(entry.second.last_seen);
    if (forgotten_now && !entry.second.tags.empty()) {
      cut.retired_streams.push_back(entry.first);
    }
    return forgotten_now;
  });
  bool forgotten = false;
  std::erase_if(models_, [&](const auto& entry) {
    if (idle(entry.second->last_seen)) {
      cut.retired_models.push_back(entry.second->id);
      forgotten = true;
      return true;
    }
    return false;
  });
  for (const auto& [key, group] : groups_) {
    if (idle(group->last_seen)) {
      cut.retired_groups.push_back(group->id);
    }
  }
  forgotten = forgotten || !cut.retired_groups.empty();
  if (forgotten) {
    routes_.clear();  // they point at models and groups; those in use are found again
    std::erase_if(groups_, [&](const auto& entry) { return idle(entry.second->last_seen); });
  }
}

}  // namespace detwatch::pipeline
