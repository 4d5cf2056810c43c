// What a checkpoint writes: what the cut changed, and nothing else.
#include <utility>

#include "lib/pipeline/cell_journal.h"
#include "lib/pipeline/state.h"
#include "lib/pipeline/state_parts.h"

namespace detwatch::pipeline {
namespace {

// Additions behind a base before it is written anew: a start reads at most so many.
constexpr std::uint32_t kMostChunks = 64;

std::string BaseKey(const std::string& cell) {
  return cell + 'b';
}
std::string ChunkKey(const std::string& cell, std::uint32_t n) {
  std::string key = cell + 'd';
  AppendFixed32(key, n);
  return key;
}

void AppendTags(std::string& out, const Tags& tags) {
  AppendVarint(out, tags.size());
  for (const auto& [key, value] : tags) {
    AppendText(out, key);
    AppendText(out, value);
  }
}

}  // namespace

void State::PersistCell(Group& group, Cell& cell) {
  const std::string key = keys::Cell(group.id, cell.class_id);
  cell.touched = false;
  if (!cell.rewrite && cell.chunks < kMostChunks &&
      cell.chunk_bytes + cell.unsaved.size() <= std::max<std::size_t>(cell.base_bytes, 4096)) {
    store_.Put(ChunkKey(key, cell.chunks++), cell.unsaved);
    cell.chunk_bytes += cell.unsaved.size();
    cell.unsaved.clear();
    return;
  }
  CellWriter writer(cell.total, cell.retracted.get(), cell.ring);
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const window::CellWindow& window = cell.windows[i];
    writer.AddWindow(keys::WindowTag(config_.windows[windows[i]]), window.open_pane(), window.open());
  }
  const std::string base = writer.Take();
  store_.Put(BaseKey(key), base);
  for (std::uint32_t n = 0; n < cell.chunks; ++n) {
    store_.Delete(ChunkKey(key, n));
  }
  cell.rewrite = false;
  cell.chunks = 0;
  cell.chunk_bytes = 0;
  cell.base_bytes = base.size();
  cell.unsaved = {};
}

void State::PersistGroup(Group& group) {
  std::string out;
  AppendText(out, config_.views[group.view].name);
  AppendVarint(out, group.labels.size());
  for (const auto& [name, value] : group.labels) {
    AppendText(out, name);
    AppendText(out, value);
  }
  AppendText(out, group.model);
  AppendFixed64(out, group.params->Fingerprint());
  AppendVarint(out, group.first_ordinal);
  out.push_back(group.correctable ? 1 : 0);
  AppendVarint(out, group.predictions.frames);
  Serialise(group.predictions.confidence, out);
  Serialise(group.predictions.per_frame, out);
  Serialise(group.predictions.inference_seconds, out);
  window::Serialise(group.total_frames, out);
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  AppendVarint(out, windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    std::string frames;
    group.frame_windows[i].Serialise(frames);
    AppendFixed64(out, keys::WindowTag(config_.windows[windows[i]]));
    AppendSigned(out, ToUnixNanos(group.windows_from[i]));
    AppendText(out, frames);
  }
  store_.Put(keys::Group(group.id), out);
  group.touched = false;
  for (const auto& cell : group.cells) {
    if (cell->touched) {
      PersistCell(group, *cell);
    }
  }
}

void State::PersistDefinitions(const Cut& cut) {
  for (const ClassList& list : cut.class_lists) {
    std::string out;
    AppendFixed64(out, static_cast<std::uint64_t>(list.hash));
    for (const auto& [id, name] : list.entries) {
      AppendVarint(out, id);
      AppendText(out, name);
    }
    store_.Put(keys::ClassList(class_lists_++), out);
  }
  for (const ModelDelta& delta : cut.models) {
    const Model& model = *models_[delta.model];
    std::string out;
    AppendText(out, model.values.key.model);
    AppendText(out, model.values.key.version);
    AppendTags(out, model.tags);
    out.push_back(model.labels_expected ? 1 : 0);
    AppendDouble(out, static_cast<double>(model.values.score_threshold));
    AppendSigned(out, model.values.max_detections);
    AppendSigned(out, ToUnixNanos(model.values.last_frame));
    AppendSigned(out, ToUnixNanos(model.values.last_label));
    AppendVarint(out, model.values.frames);
    AppendVarint(out, model.values.judged);
    AppendVarint(out, model.values.expired);
    store_.Put(keys::Model(delta.model), out);
  }
  // First: one that was forgotten may have come back since.
  for (const std::string& stream : cut.retired_streams) {
    store_.Delete(keys::Stream(stream));
  }
  for (const StreamInfo& info : cut.stream_infos) {
    std::string out;
    AppendTags(out, info.tags);
    store_.Put(keys::Stream(info.stream), out);
  }
  for (const ParkedChange& change : cut.parked) {
    if (change.bytes.empty()) {
      store_.Delete(keys::Parked(change.number));
    } else {
      store_.Put(keys::Parked(change.number), change.bytes);
    }
  }
}

std::vector<std::string> State::CountLabels(const Cut& cut) {
  std::vector<std::string> changed;
  const auto row_of = [&](Transport transport, const std::string& name) -> Publisher& {
    changed.push_back(keys::Publisher(transport, name));
    Publisher& row = publishers_[changed.back()];
    row.mark.publisher = name;
    row.mark.transport = transport;
    return row;
  };
  for (const auto& [transport, name] : cut.retired_publishers) {
    publishers_.erase(keys::Publisher(transport, name));
  }
  for (const delivery::Sequences::Mark& mark : cut.marks) {
    Publisher& row = row_of(mark.transport, mark.publisher);
    row.mark = mark;
    row.last_seen = cut.taken;
  }
  for (const auto& [name, of_run] : cut.label_tallies) {
    const auto& [epoch, tally] = of_run;
    Publisher& row = row_of(Transport::kReliable, name);
    if (epoch > row.labels_epoch) {
      row.labels_epoch = epoch;
      row.labels = {};
    }
    if (epoch == row.labels_epoch) {
      row.labels += tally;
      row.labels_changed = true;
    }
  }
  return changed;
}

void State::PersistPublishers(const Cut& cut) {
  const std::vector<std::string> changed = CountLabels(cut);
  for (const auto& [transport, name] : cut.retired_publishers) {
    if (!publishers_.contains(keys::Publisher(transport, name))) {
      store_.Delete(keys::Publisher(transport, name));
    }
  }
  for (const std::string& key : changed) {
    const Publisher& row = publishers_.at(key);
    std::string out;
    AppendVarint(out, row.mark.epoch);
    AppendVarint(out, row.mark.received);
    AppendSigned(out, ToUnixNanos(row.last_seen));
    AppendVarint(out, row.labels_epoch);
    for (const std::uint64_t n : {row.labels.joined, row.labels.waiting, row.labels.corrected,
                                  row.labels.duplicate, row.labels.late, row.labels.refused}) {
      AppendVarint(out, n);
    }
    store_.Put(key, out);
  }
}

void State::PersistDedup(char which, const join::Seen::Changes& changes, std::uint64_t cut) {
  for (const join::Seen::Change& change : changes.changes) {
    std::string key = keys::Dedup(which, change.generation);
    AppendFixed64(key, cut);
    store_.Put(key, change.bytes);
  }
  std::uint64_t& oldest = seen_oldest_[which == 'p' ? 0 : 1];
  for (; oldest < changes.oldest; ++oldest) {
    store_.DeletePrefix(keys::Dedup(which, oldest));
  }
}

void State::Persist(Cut& cut) {
  PersistDefinitions(cut);
  PersistPublishers(cut);
  PersistDedup('p', cut.seen_predictions, cut.number);
  PersistDedup('l', cut.seen_labels, cut.number);
  for (const auto& group : groups_) {
    if (group != nullptr && group->touched) {
      PersistGroup(*group);
    }
  }
  ledger_.Checkpoint(cut.number);
  store_.Put(keys::kCounters, Serialise(counters_));
  std::string head;
  AppendVarint(head, cut.number);
  AppendSigned(head, ToUnixNanos(cut.taken));
  AppendVarint(head, cut.next_ordinal);
  AppendVarint(head, next_model_);
  AppendVarint(head, next_group_);
  AppendVarint(head, seen_oldest_[0]);
  AppendVarint(head, seen_oldest_[1]);
  AppendVarint(head, cuts_);
  store_.Put(keys::kHead, head);
}

}  // namespace detwatch::pipeline
