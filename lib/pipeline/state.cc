#include "lib/pipeline/state.h"

#include <algorithm>
#include <cassert>

#include "lib/pipeline/cell_journal.h"
#include "lib/pipeline/state_parts.h"

namespace detwatch::pipeline {

namespace {

// Frames that were accepted once are read again whatever the limits are now.
wire::WireLimits StoredLimits() {
  wire::WireLimits limits;
  limits.message_bytes = std::size_t{1} << 30;
  limits.boxes_per_frame = 65535;
  limits.classes_per_list = SIZE_MAX;
  return limits;
}

}  // namespace

State::State(const PipelineConfig& config, KeyValue* store, bool on_disk)
    : config_(config),
      quantum_(config.Quantum()),
      own_store_(store == nullptr ? std::make_unique<MemoryKeyValue>() : nullptr),
      on_disk_(on_disk),
      store_(store == nullptr ? *own_store_ : *store),
      ledger_(config.join, store_),
      classes_(SIZE_MAX, SIZE_MAX),
      decoder_(StoredLimits()) {
  for (const ViewSpec& view : config_.views) {
    std::vector<std::size_t> windows;
    for (std::size_t w = 0; w < config_.windows.size(); ++w) {
      if (std::find(view.windows.begin(), view.windows.end(), config_.windows[w].name) !=
          view.windows.end()) {
        windows.push_back(w);
      }
    }
    view_windows_.push_back(std::move(windows));
  }
}

State::~State() = default;

State::Group* State::FindGroup(GroupId id) {
  return Index(id) < groups_.size() ? groups_[Index(id)].get() : nullptr;
}

State::Group& State::GroupOf(GroupId id) {
  assert(FindGroup(id) != nullptr);
  return *groups_[Index(id)];
}

void State::AddGroup(GroupId id, std::size_t view, std::vector<std::pair<std::string, std::string>> labels,
                     std::string model, std::shared_ptr<const EvaluationParams> params) {
  groups_.resize(std::max<std::size_t>(groups_.size(), Index(id) + 1U));
  auto group = std::make_unique<Group>();
  group->id = id;
  group->view = view;
  group->labels = std::move(labels);
  group->model = std::move(model);
  group->fine = accumulate::Shape::Fine(*params);
  group->params = std::move(params);
  for (const std::size_t w : view_windows_[view]) {
    group->frame_windows.emplace_back(config_.windows[w].panes);
  }
  groups_[Index(id)] = std::move(group);
  next_group_ = std::max(next_group_, Index(id) + 1U);
}

void State::DropGroup(GroupId id) {
  for (const auto& cell : GroupOf(id).cells) {
    cell_bytes_ -= cell->accounted_bytes;
    --cells_;
  }
  groups_[Index(id)].reset();
  store_.Delete(keys::Group(id));
  store_.DeletePrefix(keys::Cells(id));
  store_.DeletePrefix(keys::Panes(id));
}

State::Cell& State::CellOf(Group& group, ClassId class_id) {
  const std::size_t index = detwatch::Index(class_id);
  if (index >= group.cell_of_class.size()) {
    group.cell_of_class.resize(index + 1, 0);
  }
  std::uint32_t& slot = group.cell_of_class[index];
  if (slot == 0) {
    std::vector<std::pair<std::int64_t, std::string>> panes;
    for (const std::size_t w : view_windows_[group.view]) {
      panes.emplace_back(config_.windows[w].panes, keys::Panes(group.id, class_id, config_.windows[w]));
    }
    group.cells.push_back(std::make_unique<Cell>(class_id, *group.params, panes, config_.ring_capacity));
    group.class_names.push_back(class_names_[index]);
    slot = static_cast<std::uint32_t>(group.cells.size());
    ++cells_;
  }
  return *group.cells[slot - 1];
}

void State::Account(Cell& cell) {
  const std::size_t bytes = cell.Bytes(!on_disk_);
  cell_bytes_ += bytes - cell.accounted_bytes;
  cell.accounted_bytes = bytes;
}

std::int64_t State::PaneAt(const WindowSpec& window, std::int64_t quantum) const {
  const std::int64_t quanta = window.pane / quantum_;
  return quantum / quanta - (quantum % quanta < 0 ? 1 : 0);
}

void State::Absorb(Group& group, GroupDelta& delta, std::int64_t quantum) {
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  const accumulate::Shape coarse = accumulate::Shape::Coarse(*group.params);
  std::vector<std::int64_t> panes;
  panes.reserve(windows.size());
  for (const std::size_t w : windows) {
    panes.push_back(PaneAt(config_.windows[w], quantum));
  }
  // Frames are counted per set of judged classes; here they become a tally of each class.
  for (const auto& [set, frames] : delta.frames_by_set) {
    for (const ClassId class_id : sets_[set]) {
      delta.Cell(class_id, group.fine).counts.AddTally(group.fine.Frames(), frames);
    }
  }
  const TimePoint start{quantum_ * quantum};
  for (const auto& changed : delta.cells) {
    std::stable_sort(changed->inserted.begin(), changed->inserted.end(),
                     [](const auto& a, const auto& b) { return a.ordinal() < b.ordinal(); });
    Cell& cell = CellOf(group, changed->class_id);
    ApplyToRing(*changed, cell.ring);
    cell.total.Add(changed->counts);
    if (changed->retracted != nullptr) {
      if (cell.retracted == nullptr) {
        cell.retracted = std::make_unique<accumulate::Histogram>(group.fine);
      }
      cell.retracted->Add(*changed->retracted);
    }
    accumulate::Histogram change(coarse);
    change.Add(changed->counts);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      cell.windows[i].Apply(store_, panes[i], change);
    }
    cell.Touch();
    cell.touched = true;
    // So many new records are as much as the ring itself.
    cell.rewrite = cell.rewrite || changed->records.size() >= config_.ring_capacity / 2;
    if (!cell.rewrite) {
      AppendDelta(cell.unsaved, start, *changed);
    }
    Account(cell);
  }
  group.touched = true;
  if (delta.frames.frames == 0) {
    return;  // corrections: no frame came or went
  }
  group.total_frames += delta.frames;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    group.frame_windows[i].Apply(panes[i], delta.frames);
  }
}

// Names, lists, groups: what arrivals may speak of.
void State::Define(const Cut& cut) {
  for (const ClassList& list : cut.class_lists) {
    classes_.Restore(list);
  }
  class_names_.insert(class_names_.end(), cut.new_classes.begin(), cut.new_classes.end());
  sets_.insert(sets_.end(), cut.new_sets.begin(), cut.new_sets.end());
  for (const GroupDefinition& definition : cut.new_groups) {
    AddGroup(definition.group, definition.view, definition.labels, definition.model, definition.params);
  }
  if (cut.join_limits) {
    ledger_.SetLimits(*cut.join_limits);
  }
}

void State::Absorb(Cut& cut) {
  Define(cut);
  for (const ModelDelta& delta : cut.models) {
    models_.resize(std::max<std::size_t>(models_.size(), delta.model + 1U));
    next_model_ = std::max(next_model_, delta.model + 1U);
    if (models_[delta.model] == nullptr) {
      models_[delta.model] = std::make_unique<Model>();
      models_[delta.model]->values.key = delta.model_key;
    }
  }
  Settle(cut);
  for (const Segment& segment : cut.segments) {
    for (const auto& delta : segment.groups) {
      Absorb(GroupOf(delta->group), *delta, segment.quantum);
    }
  }
  for (const auto& [quantum, segment] : cut.corrections) {
    for (const auto& delta : segment.groups) {
      Absorb(GroupOf(delta->group), *delta, quantum);
    }
  }
  for (const auto& [group, stats] : cut.predictions) {
    GroupOf(group).predictions += stats;
    GroupOf(group).touched = true;
  }
  for (const ModelDelta& delta : cut.models) {
    models_[delta.model]->Add(delta);
  }
  counters_ += cut.counters;
  gauges_ = cut.gauges;
  const join::Ledger::Totals& held = ledger_.totals();
  gauges_.pending_predictions = held.waiting_predictions;
  gauges_.pending_labels = held.waiting_labels;
  gauges_.pending_bytes = held.waiting_bytes;
  gauges_.lingering_labels = ledger_.lingering();
  gauges_.kept_frames = held.kept;
  gauges_.kept_bytes = held.kept_bytes;
  ++cuts_;
  Persist(cut);
  // Last: a group may have had its last frames in this very cut.
  for (const GroupId retired : cut.retired_groups) {
    DropGroup(retired);
  }
  for (const std::uint32_t retired : cut.retired_models) {
    models_[retired].reset();
    store_.Delete(keys::Model(retired));
  }
}

std::vector<State::Tally> State::TakeTallies() {
  std::vector<Tally> changed;
  for (auto& [key, publisher] : publishers_) {
    if (publisher.labels_changed) {
      publisher.labels_changed = false;
      changed.push_back({publisher.mark.publisher, publisher.labels_epoch, publisher.labels});
    }
  }
  return changed;
}

}  // namespace detwatch::pipeline
