// What a start reads: the state as the last checkpoint left it, and what ingest has to have again.
#include <algorithm>
#include <utility>

#include "lib/pipeline/cell_journal.h"
#include "lib/pipeline/state.h"
#include "lib/pipeline/state_parts.h"

namespace detwatch::pipeline {
namespace {

tl::unexpected<Error> Damaged(const std::string& what) {
  return Fail("the store is damaged: its " + what + " cannot be read");
}

std::uint32_t NumberOf(std::string_view key) {
  ByteReader in(key.substr(1));
  return in.Fixed32();
}

Tags ReadTags(ByteReader& in) {
  Tags tags;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string key(in.Text());
    tags.emplace_back(std::move(key), in.Text());
  }
  return tags;
}

std::int64_t PaneOf(const WindowSpec& window, TimePoint at) {
  const std::int64_t ns = ToUnixNanos(at);
  return ns / window.pane.count() - (ns % window.pane.count() < 0 ? 1 : 0);
}

}  // namespace

Result<void> State::RestoreDefinitions(Restored& restored) {
  bool sound = true;
  store_.ScanPrefix("l", [&](std::string_view, std::string_view value) {
    ByteReader in(value);
    ClassList list;
    list.hash = static_cast<ClassListHash>(in.Fixed64());
    while (in.ok() && in.left() > 0) {
      const auto id = static_cast<std::uint32_t>(in.Varint());
      list.entries.emplace_back(id, in.Text());
    }
    sound = in.ok() && HashClassList(list.entries) == list.hash;
    classes_.Restore(list);
    restored.class_lists.push_back(std::move(list));
    ++class_lists_;
    return sound;
  });
  if (!sound) {
    return Damaged("class lists");
  }
  class_names_ = classes_.names();
  store_.ScanPrefix("m", [&](std::string_view key, std::string_view value) {
    ByteReader in(value);
    auto model = std::make_unique<Model>();
    const std::uint32_t id = NumberOf(key);
    snapshot::Model& values = model->values;
    values.key.model = in.Text();
    values.key.version = in.Text();
    model->tags = ReadTags(in);
    model->labels_expected = in.Byte() != 0;
    values.score_threshold = static_cast<float>(in.Double());
    values.max_detections = in.Signed();
    values.last_frame = FromUnixNanos(in.Signed());
    values.last_label = FromUnixNanos(in.Signed());
    values.frames = in.Varint();
    values.judged = in.Varint();
    values.expired = in.Varint();
    sound = in.AtEnd() && id < restored.next_model;
    if (sound) {
      restored.models.push_back({id, values.key, model->tags, model->labels_expected});
      models_.resize(std::max<std::size_t>(models_.size(), id + 1U));
      models_[id] = std::move(model);
    }
    return sound;
  });
  if (!sound) {
    return Damaged("models");
  }
  store_.ScanPrefix("s", [&](std::string_view key, std::string_view value) {
    ByteReader in(value);
    restored.streams.push_back({std::string(key.substr(1)), ReadTags(in)});
    sound = in.AtEnd();
    return sound;
  });
  store_.ScanPrefix("p", [&](std::string_view key, std::string_view value) {
    ByteReader in(key.substr(1));
    restored.parked.emplace_back(in.Fixed64(), value);
    return true;
  });
  store_.ScanPrefix("q", [&](std::string_view key, std::string_view value) {
    ByteReader in(value);
    Publisher row;
    row.mark.transport = key[1] == 0 ? Transport::kSubscribe : Transport::kReliable;
    row.mark.publisher = key.substr(2);
    row.mark.epoch = in.Varint();
    row.mark.received = in.Varint();
    row.last_seen = FromUnixNanos(in.Signed());
    row.labels_epoch = in.Varint();
    for (std::uint64_t* n : {&row.labels.joined, &row.labels.waiting, &row.labels.corrected,
                             &row.labels.duplicate, &row.labels.late, &row.labels.refused}) {
      *n = in.Varint();
    }
    sound = sound && in.AtEnd();
    row.labels_changed = row.mark.transport == Transport::kReliable && row.labels_epoch != 0;
    restored.publishers.push_back({row.mark, row.last_seen});
    publishers_.emplace(key, std::move(row));
    return sound;
  });
  for (const char which : {'p', 'l'}) {
    store_.ScanPrefix(std::string{'d', which}, [&](std::string_view key, std::string_view value) {
      ByteReader in(key.substr(2));
      const std::uint64_t generation = in.Fixed64();
      (which == 'p' ? restored.seen_predictions : restored.seen_labels)
          .push_back({generation, std::string(value)});
      sound = sound && value.size() % 16 == 8;
      return sound;
    });
  }
  return sound ? Result<void>() : Damaged("publishers, streams or dedup keys");
}

Result<void> State::RestoreCell(Group& group, ClassId class_id, std::string_view base) {
  auto stored = ParseCell(base, config_.ring_capacity);
  if (!stored) {
    return tl::unexpected(stored.error());
  }
  if (!(stored->total.shape() == group.fine) || Index(class_id) >= class_names_.size()) {
    return Damaged("classes");
  }
  Cell& cell = CellOf(group, class_id);
  cell.total = std::move(stored->total);
  cell.retracted = std::move(stored->retracted);
  cell.ring = std::move(stored->ring);
  cell.base_bytes = base.size();
  cell.rewrite = false;
  std::vector<StoredDelta> deltas;
  Result<void> read;
  store_.ScanPrefix(keys::Cell(group.id, class_id) + 'd', [&](std::string_view, std::string_view value) {
    auto chunk = ParseDeltas(value);
    if (!chunk) {
      read = tl::unexpected(chunk.error());
      return false;
    }
    std::move(chunk->begin(), chunk->end(), std::back_inserter(deltas));
    ++cell.chunks;
    cell.chunk_bytes += value.size();
    return true;
  });
  if (!read) {
    return read;
  }
  for (const StoredDelta& stored_delta : deltas) {
    const CellDelta& delta = stored_delta.delta;
    ApplyToRing(delta, cell.ring);
    cell.total.Add(delta.counts);
    if (delta.retracted != nullptr) {
      if (cell.retracted == nullptr) {
        cell.retracted = std::make_unique<accumulate::Histogram>(group.fine);
      }
      cell.retracted->Add(*delta.retracted);
    }
  }
  const std::vector<std::size_t>& windows = view_windows_[group.view];
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const WindowSpec& spec = config_.windows[windows[i]];
    const auto held =
        std::find_if(stored->windows.begin(), stored->windows.end(),
                     [&](const StoredWindow& window) { return window.tag == keys::WindowTag(spec); });
    if (held == stored->windows.end()) {
      cell.rewrite = cell.touched = true;  // a window that is new in the configuration starts empty
      continue;
    }
    const auto counts = [&](const StoredDelta& delta) { return delta.quantum >= group.windows_from[i]; };
    // What came later may have opened another pane; then the one before is among the closed ones.
    std::int64_t open_pane = held->open_pane;
    for (const StoredDelta& delta : deltas) {
      open_pane = counts(delta) ? std::max(open_pane, PaneOf(spec, delta.quantum)) : open_pane;
    }
    accumulate::Histogram open(held->open.shape());
    if (open_pane == held->open_pane) {
      open = std::move(held->open);
    }
    for (const StoredDelta& delta : deltas) {
      if (counts(delta) && PaneOf(spec, delta.quantum) == open_pane) {
        open.Add(delta.delta.counts);
      }
    }
    if (auto restored = cell.windows[i].Restore(store_, open_pane, std::move(open)); !restored) {
      return restored;
    }
  }
  for (const StoredWindow& window : stored->windows) {
    const bool configured = std::any_of(windows.begin(), windows.end(), [&](std::size_t w) {
      return keys::WindowTag(config_.windows[w]) == window.tag;
    });
    if (!configured) {
      std::string prefix = keys::Panes(group.id);
      AppendFixed32(prefix, Index(class_id));
      AppendFixed64(prefix, window.tag);
      store_.DeletePrefix(prefix);
      cell.rewrite = cell.touched = true;
    }
  }
  group.touched = group.touched || cell.touched;
  Account(cell);
  return {};
}

Result<void> State::RestoreCells(Group& group) {
  // The keys first: reading a cell also writes, where windows have gone.
  std::vector<std::pair<ClassId, std::string>> bases;
  store_.ScanPrefix(keys::Cells(group.id), [&](std::string_view key, std::string_view value) {
    if (key.size() == 10 && key.back() == 'b') {
      ByteReader in(key.substr(5));
      bases.emplace_back(static_cast<ClassId>(in.Fixed32()), value);
    }
    return true;
  });
  for (const auto& [class_id, base] : bases) {
    if (auto restored = RestoreCell(group, class_id, base); !restored) {
      return restored;
    }
  }
  return {};
}

Result<void> State::RestoreGroup(GroupId id, std::string_view value, Restored& restored) {
  ByteReader in(value);
  const std::string view_name(in.Text());
  std::vector<std::pair<std::string, std::string>> labels;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string name(in.Text());
    labels.emplace_back(std::move(name), in.Text());
  }
  const std::string model(in.Text());
  const std::uint64_t fingerprint = in.Fixed64();
  const accumulate::Ordinal first_ordinal = in.Varint();
  const bool correctable = in.Byte() != 0;
  PredictionStats predictions;
  predictions.frames = in.Varint();
  detwatch::Restore(in, predictions.confidence);
  detwatch::Restore(in, predictions.per_frame);
  detwatch::Restore(in, predictions.inference_seconds);
  const window::FrameStats total_frames = window::ReadFrameStats(in);
  struct Held {
    std::uint64_t tag = 0;
    TimePoint from;
    std::string_view frames;
  };
  std::vector<Held> frame_windows;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Held held;
    held.tag = in.Fixed64();
    held.from = FromUnixNanos(in.Signed());
    held.frames = in.Text();
    frame_windows.push_back(held);
  }
  if (!in.AtEnd()) {
    return Damaged("groups");
  }
  std::string name = view_name;
  for (const auto& [key, label] : labels) {
    name.append(" ").append(key).append("=").append(label);
  }
  const auto view = std::find_if(config_.views.begin(), config_.views.end(), [&](const ViewSpec& spec) {
    return spec.name == view_name &&
           std::equal(spec.group_by.begin(), spec.group_by.end(), labels.begin(), labels.end(),
                      [](const auto& wanted, const auto& held) { return wanted == held.first; });
  });
  const auto drop = [&](const std::string& why) {
    store_.DeletePrefix(keys::Cells(id));
    store_.DeletePrefix(keys::Panes(id));
    restored.notes.push_back("group " + name + ": " + why);
  };
  if (view == config_.views.end()) {
    drop("its view is not configured any more; its counts are given up");
    store_.Delete(keys::Group(id));
    return {};
  }
  const auto own = config_.model_evaluation.find(model);
  const auto params = std::make_shared<const EvaluationParams>(
      own == config_.model_evaluation.end() ? config_.evaluation : own->second);
  const auto view_index = static_cast<std::size_t>(view - config_.views.begin());
  AddGroup(id, view_index, labels, model, params);
  restored.groups.push_back({id, view_index, std::move(labels), model});
  Group& group = GroupOf(id);
  if (params->Fingerprint() != fingerprint) {
    drop("it is evaluated by other rules than before; its counts start again");
    group.first_ordinal = restored.next_ordinal;
    ++counters_.groups_restarted;
    return {};
  }
  group.first_ordinal = first_ordinal;
  group.correctable = correctable;
  group.predictions = predictions;
  group.total_frames = total_frames;
  const std::vector<std::size_t>& windows = view_windows_[view_index];
  group.touched = frame_windows.size() != windows.size();
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto held = std::find_if(frame_windows.begin(), frame_windows.end(), [&](const Held& window) {
      return window.tag == keys::WindowTag(config_.windows[windows[i]]);
    });
    if (held == frame_windows.end()) {
      // New in the configuration: it starts with the next quantum.
      group.windows_from[i] = TimePoint{(restored.taken.time_since_epoch() / quantum_ + 1) * quantum_};
      group.touched = true;
      continue;
    }
    group.windows_from[i] = held->from;
    ByteReader frames(held->frames);
    if (!group.frame_windows[i].Restore(frames)) {
      return Damaged("windows");
    }
  }
  return RestoreCells(group);
}

Result<Restored> State::Restore(TimePoint now) {
  Restored restored;
  restored.started = now;
  const auto head = store_.Get(keys::kHead);
  if (!head) {
    return restored;
  }
  ByteReader in(*head);
  restored.fresh = false;
  restored.cut = in.Varint();
  restored.taken = FromUnixNanos(in.Signed());
  restored.next_ordinal = in.Varint();
  restored.next_model = next_model_ = static_cast<std::uint32_t>(in.Varint());
  restored.next_group = next_group_ = static_cast<std::uint32_t>(in.Varint());
  seen_oldest_[0] = in.Varint();
  seen_oldest_[1] = in.Varint();
  cuts_ = in.Varint();
  if (!in.AtEnd()) {
    return Damaged("head");
  }
  auto counters = ParseIngestCounters(store_.Get(keys::kCounters).value_or(""));
  if (!counters) {
    return tl::unexpected(counters.error());
  }
  counters_ = *counters;
  if (auto done = RestoreDefinitions(restored); !done) {
    return tl::unexpected(done.error());
  }
  std::vector<std::pair<GroupId, std::string>> groups;
  store_.ScanPrefix("g", [&](std::string_view key, std::string_view value) {
    groups.emplace_back(static_cast<GroupId>(NumberOf(key)), value);
    return true;
  });
  for (const auto& [id, value] : groups) {
    if (auto done = RestoreGroup(id, value, restored); !done) {
      return tl::unexpected(done.error());
    }
  }
  // Time does not fall, also where the wall clock was set back meanwhile.
  if (auto done = ledger_.Restore(std::max(now, restored.taken)); !done) {
    return tl::unexpected(done.error());
  }
  // Somebody may look before the first cut.
  GaugeLedger();
  gauges_.publishers = restored.publishers.size();
  gauges_.models = restored.models.size();
  gauges_.groups = restored.groups.size();
  gauges_.class_list_waiting = restored.parked.size();
  return restored;
}

}  // namespace detwatch::pipeline
