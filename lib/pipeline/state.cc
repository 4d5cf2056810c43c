#include "lib/pipeline/state.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace detwatch::pipeline {

State::State(const PipelineConfig& config, KeyValue& store)
    : config_(config),
      store_(store),
      settler_(config.join, config.Quantum(), config.ring_capacity, config.limits.class_lists, store) {
  for (const ViewSpec& view : config_.views) {
    cells::GroupLayout& layout = layouts_.emplace_back();
    layout.quantum = config_.Quantum();
    layout.ring_capacity = config_.ring_capacity;
    for (const WindowSpec& window : config_.windows) {
      if (std::find(view.windows.begin(), view.windows.end(), window.name) != view.windows.end()) {
        layout.windows.push_back(window);
      }
    }
  }
}

void State::AddGroup(const GroupDefinition& definition) {
  const std::size_t index = Index(definition.group);
  groups_.resize(std::max(groups_.size(), index + 1));
  view_of_group_.resize(groups_.size(), 0);
  cells::GroupSpec spec{definition.group, config_.views[definition.view].name, definition.labels,
                        definition.model, definition.params};
  groups_[index] = std::make_unique<cells::Group>(std::move(spec), layouts_[definition.view], dictionary_);
  view_of_group_[index] = definition.view;
  settler_.AddGroup(definition.group, definition.params, 0);
  head_.next_group = std::max(head_.next_group, Index(definition.group) + 1U);
}

void State::DropGroup(GroupId id) {
  groups_[Index(id)].reset();
  settler_.DropGroup(id);
  cells::Group::Erase(id, store_);
}

void State::DefineModel(const ModelChange& change) {
  models_.resize(std::max<std::size_t>(models_.size(), change.model + 1U));
  head_.next_model = std::max(head_.next_model, change.model + 1U);
  if (models_[change.model] == nullptr) {
    models_[change.model] = std::make_unique<ModelRow>();
    models_[change.model]->values.key = change.key;
  }
  ModelRow& model = *models_[change.model];
  if (change.described) {
    model.values.score_threshold = change.score_threshold;
    model.values.max_detections = change.max_detections;
  }
  model.tags = change.tags;
  model.labels_expected = change.labels_expected;
  model.class_list = change.class_list;
}

// Names, lists, groups, models: what frames may speak of.
void State::Define(const Cut& cut) {
  if (cut.reload != nullptr) {
    Reload(*cut.reload);
  }
  for (const judge::NamedClass& known : cut.new_classes) {
    const std::size_t index = detwatch::Index(known.class_id);
    dictionary_.class_names.resize(std::max(dictionary_.class_names.size(), index + 1));
    dictionary_.class_names[index] = known.name;
    head_.next_class = std::max(head_.next_class, static_cast<std::uint32_t>(index) + 1U);
  }
  for (const judge::KnownList& list : cut.new_lists) {
    settler_.lists().Add(list.hash, list.entries);
  }
  for (const judge::ClassSet& set : cut.new_sets) {
    dictionary_.sets.emplace(static_cast<std::uint64_t>(set.id), set.classes);
  }
  for (const GroupDefinition& definition : cut.new_groups) {
    AddGroup(definition);
  }
  for (const KnownClasses& known : cut.known_classes) {
    const judge::ClassTable* list = settler_.lists().Find(known.list);
    std::vector<ClassId> classes;
    for (const auto& [id, class_id] : list->entries()) {
      classes.push_back(class_id);
    }
    groups_[Index(known.group)]->Know(classes);
  }
  for (const ModelChange& change : cut.models) {
    DefineModel(change);
  }
}

void State::Reload(const PipelineConfig& next) {
  config_.join = next.join;
  config_.limits = next.limits;
  config_.fleet_ious = next.fleet_ious;
  config_.views = next.views;
  settler_.SetLimits(next.join, next.limits.class_lists);
  for (const auto& group : groups_) {
    if (group != nullptr) {
      group->ForgetCounters();
    }
  }
}

Absorbed State::Absorb(const Cut& cut) {
  Define(cut);
  const settle::Settled settled = settler_.Settle(
      cut.arrivals, {cut.number, cut.taken, cut.reserved, cut.next_ordinal, cut.refusals_known});
  for (const judge::ClassSet& set : settled.new_sets) {
    dictionary_.sets.emplace(static_cast<std::uint64_t>(set.id), set.classes);
  }
  Apply(cut.changes);
  Apply(settled.changes);
  Apply(cut, settled);
  Advance(cut.taken);
  wall_ahead_ = cut.wall_ahead;
  head_.cut = cut.number;
  head_.taken = cut.taken;
  head_.next_ordinal = cut.next_ordinal;
  ++head_.cuts;
  const std::vector<std::string> publishers = CountPublishers(cut, settled);
  if (store_.outlives_process()) {
    Write(cut, settled, publishers);
  }
  // Last: a group may have had its last frames in this very cut.
  for (const GroupId retired : cut.retired_groups) {
    DropGroup(retired);
  }
  for (const std::uint32_t retired : cut.retired_models) {
    models_[retired].reset();
    store_.Delete(keys::Model(retired));
  }
  for (const ClassListHash retired : cut.retired_lists) {
    settler_.lists().Remove(retired);
    store_.Delete(keys::ClassList(retired));
  }
  GaugeLedger();
  Absorbed absorbed{cut.number,
                    cut.taken,
                    cut.marks,
                    cell_bytes(),
                    settler_.ledger().HoldsLabelsSince(cut.taken),
                    settled.refused_keys,
                    cut.late_rejects};
  absorbed.rejects.insert(absorbed.rejects.end(), settled.rejects.begin(), settled.rejects.end());
  return absorbed;
}

void State::Apply(const cells::Changes& changes) {
  for (const auto& [quantum, change] : changes) {
    for (const auto& of_group : change.groups()) {
      groups_[Index(of_group->group)]->Apply(of_group->change, quantum, store_);
    }
  }
}

void State::Apply(const Cut& cut, const settle::Settled& settled) {
  for (const auto& [group, stats] : cut.predictions) {
    groups_[Index(group)]->AddPredictions(stats);
  }
  for (const GroupId id : settled.correctable) {
    if (Index(id) < groups_.size() && groups_[Index(id)] != nullptr) {
      groups_[Index(id)]->SetCorrectable();
    }
  }
  for (const ModelChange& change : cut.models) {
    CountModel(change.model, change.counts);
  }
  for (const auto& [model, counts] : settled.models) {
    CountModel(model, counts);
  }
  counters_ += cut.counters;
  counters_ += settled.counters;
  gauges_ = cut.gauges;
}

void State::CountModel(std::uint32_t id, const settle::ModelCounts& counts) {
  if (id >= models_.size() || models_[id] == nullptr) {
    return;  // forgotten since
  }
  snapshot::Model& values = models_[id]->values;
  values.frames += counts.frames;
  values.judged += counts.judged;
  values.expired += counts.expired;
  values.last_frame = std::max(values.last_frame, counts.last_frame);
  values.last_label = std::max(values.last_label, counts.last_label);
}

void State::CountTallies(const settle::LabelTallies& tallies, std::vector<std::string>& changed) {
  for (const auto& [name, of_run] : tallies.all()) {
    const auto& [epoch, tally] = of_run;
    changed.push_back(keys::Publisher(Transport::kReliable, name));
    Publisher& publisher = publishers_[changed.back()];
    PublisherRow& row = publisher.row;
    row.mark.publisher = name;
    row.mark.transport = Transport::kReliable;
    if (epoch > row.labels_epoch) {
      row.labels_epoch = epoch;
      row.labels = {};
    }
    if (epoch == row.labels_epoch) {
      row.labels += tally;
      publisher.labels_changed = true;
    }
  }
}

std::vector<std::string> State::CountPublishers(const Cut& cut, const settle::Settled& settled) {
  std::vector<std::string> changed;
  for (const auto& [transport, name] : cut.retired_publishers) {
    publishers_.erase(keys::Publisher(transport, name));
  }
  for (const delivery::Sequences::Mark& mark : cut.marks) {
    changed.push_back(keys::Publisher(mark.transport, mark.publisher));
    PublisherRow& row = publishers_[changed.back()].row;
    row.mark = mark;
    row.last_seen = cut.taken;
  }
  CountTallies(cut.label_tallies, changed);
  CountTallies(settled.tallies, changed);
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  return changed;
}

void State::Advance(TimePoint now) {
  now_ = now;
  for (const auto& group : groups_) {
    if (group != nullptr) {
      group->Advance(now, store_);
    }
  }
}

std::size_t State::cell_bytes() const {
  std::size_t bytes = 0;
  for (const auto& group : groups_) {
    bytes += group == nullptr ? 0 : group->cell_bytes();
  }
  return bytes;
}

void State::GaugeLedger() {
  const join::Ledger::Totals& held = settler_.ledger().totals();
  gauges_.pending_predictions = held.waiting_predictions;
  gauges_.pending_labels = held.waiting_labels;
  gauges_.pending_bytes = held.waiting_bytes;
  gauges_.lingering_labels = settler_.ledger().lingering();
  gauges_.kept_frames = held.kept;
  gauges_.kept_bytes = held.kept_bytes;
}

std::vector<State::Tally> State::TakeTallies() {
  std::vector<Tally> changed;
  for (auto& [key, publisher] : publishers_) {
    if (publisher.labels_changed) {
      publisher.labels_changed = false;
      changed.push_back({publisher.row.mark.publisher, publisher.row.labels_epoch, publisher.row.labels});
    }
  }
  return changed;
}

std::shared_ptr<const snapshot::Snapshot> State::Take() const {
  auto snapshot = std::make_shared<snapshot::Snapshot>();
  snapshot->taken = now_;
  snapshot->wall_ahead = wall_ahead_;
  snapshot->cuts = head_.cuts;
  snapshot->fleet_ious = config_.fleet_ious;
  for (const ViewSpec& view : config_.views) {
    snapshot->views.push_back({view, {}});
  }
  snapshot->gauges = gauges_;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i] != nullptr) {
      const std::size_t view = view_of_group_[i];
      snapshot->views[view].groups.push_back(groups_[i]->Show(config_.views[view], config_.fleet_ious));
      snapshot->gauges.cells += groups_[i]->cells();
    }
  }
  for (const auto& model : models_) {
    if (model != nullptr) {
      snapshot->models.push_back(model->values);
    }
  }
  snapshot->counters = counters_;
  snapshot->gauges.cell_bytes = cell_bytes();
  snapshot->gauges.cell_bytes_limit = config_.limits.cell_bytes;
  return snapshot;
}

}  // namespace detwatch::pipeline
