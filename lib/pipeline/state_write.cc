// What a checkpoint writes: what the cut changed, and nothing else.
#include <utility>

#include "lib/pipeline/state.h"

namespace detwatch::pipeline {

void State::WriteDefinitions(const Cut& cut, const settle::Settled& settled) {
  for (const judge::NamedClass& known : cut.new_classes) {
    store_.Put(keys::ClassName(known.class_id), EncodeClassName(known.name));
  }
  for (const judge::KnownList& list : cut.new_lists) {
    store_.Put(keys::ClassList(list.hash), EncodeClassList(list.entries));
  }
  for (const auto* sets : {&cut.new_sets, &settled.new_sets}) {
    for (const judge::ClassSet& set : *sets) {
      store_.Put(keys::ClassSet(static_cast<std::uint64_t>(set.id)), EncodeClassSet(set.classes));
    }
  }
  const auto write_model = [&](std::uint32_t id) {
    if (id < models_.size() && models_[id] != nullptr) {
      store_.Put(keys::Model(id), Encode(*models_[id]));
    }
  };
  for (const ModelChange& change : cut.models) {
    write_model(change.model);
  }
  for (const auto& [model, counts] : settled.models) {
    write_model(model);
  }
  // First: one that was forgotten may have come back since.
  for (const std::string& stream : cut.retired_streams) {
    store_.Delete(keys::Stream(stream));
  }
  for (const StreamInfo& info : cut.stream_infos) {
    store_.Put(keys::Stream(info.stream), EncodeStream(info.tags));
  }
  for (const ParkedChange& change : cut.parked) {
    if (change.row.empty()) {
      store_.Delete(keys::Parked(change.number));
    } else {
      store_.Put(keys::Parked(change.number), change.row);
    }
  }
}

// A refusal is durable with the cut it is of: what was inserted for it is put back in the same step.
void State::WriteSeen(std::string_view kind, join::Seen::Changes changes, const settle::Settled& settled,
                      const Cut& cut, std::uint64_t& oldest) {
  for (const settle::RefusedKey& refused : settled.refused_keys) {
    if (refused.labels == (kind == keys::kSeenLabels)) {
      join::Seen::PutBack(changes, refused.key, refused.before);
    }
  }
  for (const join::Seen::Change& change : changes.changes) {
    store_.Put(keys::Seen(kind, change.generation, cut.number), EncodeSeen(change.bytes));
  }
  for (; oldest < changes.oldest; ++oldest) {
    store_.DeletePrefix(keys::Seen(kind, oldest));
  }
}

void State::Write(const Cut& cut, const settle::Settled& settled,
                  const std::vector<std::string>& publishers) {
  WriteDefinitions(cut, settled);
  for (const auto& [transport, name] : cut.retired_publishers) {
    store_.Delete(keys::Publisher(transport, name));
  }
  for (const std::string& key : publishers) {
    store_.Put(key, Encode(publishers_.at(key).row));
  }
  WriteSeen(keys::kSeenPredictions, cut.seen_predictions, settled, cut, head_.oldest_seen_predictions);
  WriteSeen(keys::kSeenLabels, cut.seen_labels, settled, cut, head_.oldest_seen_labels);
  for (const auto& group : groups_) {
    if (group != nullptr) {
      group->Write(store_);
    }
  }
  settler_.Checkpoint(cut.number);
  store_.Put(keys::kCounters, Serialise(counters_));
  store_.Put(keys::kHead, Encode(head_));
}

}  // namespace detwatch::pipeline
