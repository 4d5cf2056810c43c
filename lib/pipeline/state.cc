#include "lib/pipeline/state.h"

#include <algorithm>
#include <cassert>

#include "lib/pipeline/state_parts.h"

namespace detwatch::pipeline {

State::State(const PipelineConfig& config) : config_(config), quantum_(config.Quantum()) {
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

State::Group& State::GroupOf(GroupId id) {
  assert(Index(id) < groups_.size() && groups_[Index(id)] != nullptr);
  return *groups_[Index(id)];
}

State::Cell& State::CellOf(Group& group, ClassId class_id) {
  const std::size_t index = detwatch::Index(class_id);
  if (index >= group.cell_of_class.size()) {
    group.cell_of_class.resize(index + 1, 0);
  }
  std::uint32_t& slot = group.cell_of_class[index];
  if (slot == 0) {
    std::vector<std::int64_t> panes;
    for (const std::size_t w : view_windows_[group.view]) {
      panes.push_back(config_.windows[w].panes);
    }
    group.cells.push_back(std::make_unique<Cell>(*group.params, panes, config_.ring_capacity));
    group.class_names.push_back(class_names_[index]);
    slot = static_cast<std::uint32_t>(group.cells.size());
    ++cells_;
  }
  return *group.cells[slot - 1];
}

void State::Account(Cell& cell) {
  const std::size_t bytes = cell.Bytes();
  cell_bytes_ += bytes - cell.accounted_bytes;
  cell.accounted_bytes = bytes;
}

std::int64_t State::PaneAt(const WindowSpec& window, std::int64_t quantum) const {
  const std::int64_t quanta = window.pane / quantum_;
  return quantum / quanta - (quantum % quanta < 0 ? 1 : 0);
}

void State::Absorb(Group& group, const GroupDelta& delta, std::int64_t quantum) {
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  const accumulate::Shape coarse = accumulate::Shape::Coarse(*group.params);
  std::vector<std::int64_t> panes;
  panes.reserve(windows.size());
  for (const std::size_t w : windows) {
    panes.push_back(PaneAt(config_.windows[w], quantum));
  }
  const auto absorb = [&](Cell& cell, const accumulate::Histogram& fine) {
    cell.total.Add(fine);
    accumulate::Histogram change(coarse);
    change.Add(fine);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      cell.windows[i].Apply(panes[i], change);
    }
    cell.Touch();
    Account(cell);
  };
  for (const auto& changed : delta.cells) {
    Cell& cell = CellOf(group, changed->class_id);
    if (changed->dropped) {
      cell.ring.MarkEvicted(changed->dropped_through);
    }
    cell.ring.Append(changed->records);
    absorb(cell, changed->counts);
  }
  // Frames are counted per set of judged classes; here they become a tally of each class.
  for (const auto& [set, frames] : delta.frames_by_set) {
    accumulate::Histogram tally(group.fine);
    tally.AddTally(group.fine.Frames(), frames);
    for (const ClassId class_id : sets_[set]) {
      absorb(CellOf(group, class_id), tally);
    }
  }
  group.total_frames += delta.frames;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    group.frame_windows[i].Apply(panes[i], delta.frames);
  }
}

void State::Absorb(const Cut& cut) {
  class_names_.insert(class_names_.end(), cut.new_classes.begin(), cut.new_classes.end());
  sets_.insert(sets_.end(), cut.new_sets.begin(), cut.new_sets.end());
  for (const GroupDefinition& definition : cut.new_groups) {
    groups_.resize(std::max<std::size_t>(groups_.size(), Index(definition.group) + 1U));
    auto group = std::make_unique<Group>();
    group->view = definition.view;
    group->labels = definition.labels;
    group->params = definition.params;
    group->fine = accumulate::Shape::Fine(*definition.params);
    for (const std::size_t w : view_windows_[definition.view]) {
      group->frame_windows.emplace_back(config_.windows[w].panes);
    }
    groups_[Index(definition.group)] = std::move(group);
  }
  for (const Segment& segment : cut.segments) {
    for (const auto& delta : segment.groups) {
      Absorb(GroupOf(delta->group), *delta, segment.quantum);
    }
  }
  for (const auto& [group, stats] : cut.predictions) {
    GroupOf(group).predictions += stats;
  }
  for (const ModelDelta& delta : cut.models) {
    models_.resize(std::max<std::size_t>(models_.size(), delta.model + 1U));
    if (models_[delta.model] == nullptr) {
      models_[delta.model] = std::make_unique<Model>();
      models_[delta.model]->values.key = delta.model_key;
    }
    models_[delta.model]->Add(delta);
  }
  // Last: a group may have had its last frames in this very cut.
  for (const GroupId retired : cut.retired_groups) {
    for (const auto& cell : GroupOf(retired).cells) {
      cell_bytes_ -= cell->accounted_bytes;
      --cells_;
    }
    groups_[Index(retired)].reset();
  }
  for (const std::uint32_t retired : cut.retired_models) {
    models_[retired].reset();
  }
  counters_ += cut.counters;
  gauges_ = cut.gauges;
  ++cuts_;
}

}  // namespace detwatch::pipeline
