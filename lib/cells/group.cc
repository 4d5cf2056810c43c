#include "lib/cells/group.h"

#include <algorithm>
#include <map>

namespace detwatch::cells {

Group::Group(GroupSpec spec, const GroupLayout& layout, const Dictionary& dictionary)
    : spec_(std::move(spec)),
      layout_(layout),
      dictionary_(dictionary),
      fingerprint_(spec_.params->Fingerprint()),
      fine_(accumulate::Shape::Fine(*spec_.params)),
      windows_from_(layout.windows.size()),
      shown_(layout.windows.size() + 1) {
  for (const WindowSpec& window : layout_.windows) {
    windows_.emplace_back(window.panes);
  }
}

Group::Class& Group::ClassOf(ClassId class_id) {
  const std::size_t index = detwatch::Index(class_id);
  if (index >= slot_of_class_.size()) {
    slot_of_class_.resize(index + 1, 0);
  }
  std::uint32_t& slot = slot_of_class_[index];
  if (slot == 0) {
    classes_.push_back({class_id, nullptr});
    slot = static_cast<std::uint32_t>(classes_.size());
    known_touched_ = touched_ = true;
  }
  return classes_[slot - 1];
}

Cell& Group::CellOf(ClassId class_id, bool in_memory) {
  Class& known = ClassOf(class_id);
  if (known.cell == nullptr) {
    known.cell = std::make_unique<Cell>(spec_.id, class_id, *spec_.params, layout_);
    ++cell_count_;
    Account(*known.cell, in_memory);
  }
  return *known.cell;
}

void Group::Account(Cell& cell, bool in_memory) {
  const std::size_t bytes = cell.Bytes(in_memory);
  cell_bytes_ += bytes - cell.accounted_bytes;
  cell.accounted_bytes = bytes;
}

void Group::Know(const std::vector<ClassId>& classes) {
  for (const ClassId class_id : classes) {
    ClassOf(class_id);
  }
}

std::vector<std::int64_t> Group::PanesOf(std::int64_t quantum) const {
  std::vector<std::int64_t> panes;
  panes.reserve(layout_.windows.size());
  for (std::size_t w = 0; w < layout_.windows.size(); ++w) {
    panes.push_back(layout_.PaneOf(w, quantum));
  }
  return panes;
}

void Group::Apply(const GroupChange& change, std::int64_t quantum, KeyValue& store) {
  std::vector<std::int64_t> panes = PanesOf(quantum);
  const TimePoint start{layout_.quantum * quantum};
  for (std::size_t w = 0; w < panes.size(); ++w) {
    if (start < windows_from_[w]) {
      panes[w] = Cell::kNoPane;
    } else {
      windows_[w].Apply(panes[w], change.frames);
    }
  }
  frames_ += change.frames;
  retracted_sets_ += change.retracted_sets;
  for (const auto& changed : change.cells) {
    Cell& cell = CellOf(changed->class_id, !store.outlives_process());
    cell.Apply(*changed, start, panes, store);
    Account(cell, !store.outlives_process());
    Touch(slot_of_class_[detwatch::Index(changed->class_id)] - 1);
  }
  touched_ = true;
}

void Group::Touch(std::uint32_t slot) {
  const Class& one = classes_[slot];
  if (!one.touched) {
    classes_[slot].touched = true;
    touched_cells_.push_back(slot);
  }
  if (!one.unshown) {
    one.unshown = true;
    unshown_.push_back(slot);
  }
}

void Group::AddPredictions(const PredictionStats& stats) {
  predictions_ += stats;
  shown_predictions_.reset();
  touched_ = true;
}

void Group::Advance(TimePoint now, KeyValue& store) {
  const std::vector<std::int64_t> panes = PanesOf(QuantumAt(now, layout_.quantum));
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    touched_ = windows_[w].Advance(panes[w]) || touched_;
  }
  // Within a pane only what came can be behind it.
  if (panes == panes_) {
    for (const std::uint32_t slot : touched_cells_) {
      AdvanceCell(slot, panes, store);
    }
    return;
  }
  panes_ = panes;
  for (std::uint32_t slot = 0; slot < classes_.size(); ++slot) {
    if (classes_[slot].cell != nullptr) {
      AdvanceCell(slot, panes, store);
    }
  }
}

void Group::AdvanceCell(std::uint32_t slot, const std::vector<std::int64_t>& panes, KeyValue& store) {
  Cell& cell = *classes_[slot].cell;
  if (cell.Advance(panes, store)) {
    Account(cell, !store.outlives_process());
    if (!classes_[slot].unshown) {
      classes_[slot].unshown = true;
      unshown_.push_back(slot);
    }
  }
}

void Group::Write(KeyValue& store) {
  if (!touched_) {
    return;
  }
  touched_ = false;
  GroupRow row;
  row.view = spec_.view;
  row.labels = spec_.labels;
  row.model = spec_.model;
  row.fingerprint = fingerprint_;
  row.first_ordinal = first_ordinal_;
  row.correctable = correctable_;
  row.predictions = predictions_;
  row.frames = frames_;
  row.retracted_sets = retracted_sets_;
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    GroupRow::Window& window = row.windows.emplace_back();
    window.tag = WindowTag(layout_.windows[w]);
    window.from = windows_from_[w];
    windows_[w].Serialise(window.frames);
  }
  store.Put(GroupKey(spec_.id), Encode(row));
  if (known_touched_) {
    known_touched_ = false;
    std::vector<ClassId> known;
    known.reserve(classes_.size());
    for (const Class& one : classes_) {
      known.push_back(one.class_id);
    }
    store.Put(KnownKey(spec_.id), EncodeKnown(known));
  }
  for (const std::uint32_t slot : touched_cells_) {
    classes_[slot].touched = false;
    if (classes_[slot].cell->changed()) {
      classes_[slot].cell->Write(layout_, store);
    }
  }
  touched_cells_.clear();
}

void Group::EraseCounts(GroupId id, KeyValue& store) {
  store.DeletePrefix(CellsKey(id));
  store.DeletePrefix(PanesKey(id));
}

void Group::Erase(GroupId id, KeyValue& store) {
  EraseCounts(id, store);
  store.Delete(GroupKey(id));
  store.Delete(KnownKey(id));
}

Result<void> Group::Read(const GroupRow& row, TimePoint taken, KeyValue& store) {
  first_ordinal_ = row.first_ordinal;
  correctable_ = row.correctable;
  predictions_ = row.predictions;
  frames_ = row.frames;
  retracted_sets_ = row.retracted_sets;
  touched_ = row.windows.size() != windows_.size();
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    const auto held = std::find_if(
        row.windows.begin(), row.windows.end(),
        [&](const GroupRow::Window& window) { return window.tag == WindowTag(layout_.windows[w]); });
    if (held == row.windows.end()) {
      windows_from_[w] = TimePoint{(QuantumAt(taken, layout_.quantum) + 1) * layout_.quantum};
      touched_ = true;
      continue;
    }
    windows_from_[w] = held->from;
    ByteReader frames(held->frames);
    if (!windows_[w].Restore(frames)) {
      return Fail("the store is damaged: the windows of a group cannot be read");
    }
  }
  const auto known = ParseKnown(store.Get(KnownKey(spec_.id)).value_or(""));
  if (!known) {
    return tl::unexpected(known.error());
  }
  Know(*known);
  known_touched_ = false;
  return ReadCells(store);
}

// In two passes over what belongs to the group, not one for each class: a store with 5 000 classes is read in
// a fraction of the time.
Result<void> Group::ReadCells(KeyValue& store) {
  std::map<ClassId, Cell::Stored> stored;
  store.ScanPrefix(CellsKey(spec_.id), [&](std::string_view key, std::string_view value) {
    const CellKeyParts parts = ParseCellKey(key);
    if (parts.kind == 'b') {
      stored[parts.class_id].base = value;
    } else {
      stored[parts.class_id].additions.emplace_back(value);
    }
    return true;
  });
  store.ScanPrefix(PanesKey(spec_.id), [&](std::string_view key, std::string_view value) {
    stored[ParsePaneKey(key).class_id].panes.emplace_back(key, value);
    return true;
  });
  for (const auto& [class_id, rows] : stored) {
    if (detwatch::Index(class_id) >= dictionary_.class_names.size()) {
      return Fail("the store is damaged: counts of a class without a name");
    }
    Cell& cell = CellOf(class_id, !store.outlives_process());
    if (auto read = cell.Read(rows, layout_, windows_from_, store); !read) {
      return read;
    }
    touched_ = touched_ || cell.changed();
    Touch(slot_of_class_[detwatch::Index(class_id)] - 1);
    Account(cell, !store.outlives_process());
  }
  return {};
}

}  // namespace detwatch::cells
