#include "lib/pipeline/routes.h"

#include <algorithm>

#include "lib/pipeline/routes_names.h"

namespace detwatch::pipeline {
namespace {

tl::unexpected<Reject> Refuse(RejectReason reason, const std::string& field, const std::string& name,
                              std::size_t limit) {
  return tl::unexpected(
      Reject{reason, field + ": \"" + name + "\" is one more than the limit of " + std::to_string(limit)});
}

}  // namespace

Routes::Routes(const PipelineConfig& config) : limits_(config.limits), views_(config.views) {
  const auto add = [this](const EvaluationParams& params) {
    auto shared = std::make_shared<const EvaluationParams>(params);
    evaluations_.push_back(std::make_unique<cells::Evaluation>(std::move(shared)));
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

std::string Routes::LabelValue(const std::string& key, const KnownModel& model,
                               const std::string& stream) const {
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

Result<KnownModel*, Reject> Routes::FindOrAddModel(const ModelKey& key, TimePoint now, Cut& cut) {
  const auto it = models_.find(key);
  if (it != models_.end()) {
    it->second->last_seen = now;
    return it->second.get();
  }
  if (models_.size() >= limits_.models) {
    return Refuse(RejectReason::kTooManyModels, "model", key.model, limits_.models);
  }
  auto model = MakeModel(next_model_++, key, now);
  Change(*model, cut).described = true;
  return models_.emplace(key, std::move(model)).first->second.get();
}

std::unique_ptr<KnownModel> Routes::MakeModel(std::uint32_t id, const ModelKey& key, TimePoint now) {
  auto model = std::make_unique<KnownModel>();
  model->id = id;
  model->key = key;
  model->hash = HashModel(key);
  model->last_seen = now;
  const auto own = evaluation_of_model_.find(key.model);
  model->evaluation = own == evaluation_of_model_.end() ? evaluations_.front().get() : own->second;
  return model;
}

ModelChange& Routes::Change(KnownModel& model, Cut& cut) {
  if (model.change_cut != cut.number) {
    model.change_cut = cut.number;
    model.change_slot = cut.models.size();
    ModelChange change;
    change.model = model.id;
    change.key = model.key;
    change.tags = model.tags;
    change.labels_expected = model.labels_expected;
    change.class_list = model.class_list;
    cut.models.push_back(std::move(change));
  }
  return cut.models[model.change_slot];
}

KnownModel* Routes::FindModel(const ModelKey& key) {
  const auto it = models_.find(key);
  return it == models_.end() ? nullptr : it->second.get();
}

Result<Routes::Group*, Reject> Routes::FindOrAddGroup(std::size_t view, const KnownModel& model,
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

Result<Routes::RouteEntry*, Reject> Routes::FindOrAddRoute(KnownModel& model, const std::string& stream,
                                                           TimePoint now, Cut& cut) {
  std::string key = std::to_string(model.id);
  if (by_stream_) {
    key += '\x1f';
    key += stream;
  }
  const auto it = routes_.find(key);
  if (it != routes_.end()) {
    for (Group* group : it->second.groups) {
      group->last_seen = now;
    }
    return &it->second;
  }
  RouteEntry entry;
  entry.route.model = &model;
  for (std::size_t view = 0; view < views_.size(); ++view) {
    const auto group = FindOrAddGroup(view, model, stream, now, cut);
    if (group) {
      entry.route.groups.push_back((*group)->id);
      entry.groups.push_back(*group);
    } else if (view == 0) {
      return tl::unexpected(group.error());
    } else {
      entry.complete = false;
      ++cut.counters.groups_refused;
    }
  }
  return &routes_.emplace(key, std::move(entry)).first->second;
}

Result<Route*, Reject> Routes::Find(const ModelKey& model_key, const std::string& stream, ClassListHash list,
                                    TimePoint now, Cut& cut) {
  if (const auto seen = SeeStream(stream, now); !seen) {
    return tl::unexpected(seen.error());
  }
  const auto model = FindOrAddModel(model_key, now, cut);
  if (!model) {
    return tl::unexpected(model.error());
  }
  const auto entry = FindOrAddRoute(**model, stream, now, cut);
  if (!entry) {
    return tl::unexpected(entry.error());
  }
  std::vector<ClassListHash>& lists = (*entry)->lists;
  if (std::find(lists.begin(), lists.end(), list) == lists.end()) {
    lists.push_back(list);
    for (Group* group : (*entry)->groups) {
      LearnList(*group, list, cut);
    }
  }
  return &(*entry)->route;
}

void Routes::SetLimits(const Limits& limits) {
  limits_ = limits;
  std::erase_if(routes_, [](const auto& entry) { return !entry.second.complete; });
}

void Routes::Expire(TimePoint now, Cut& cut) {
  // Where there was no room for a group, there may be by now.
  std::erase_if(routes_, [](const auto& entry) { return !entry.second.complete; });
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
