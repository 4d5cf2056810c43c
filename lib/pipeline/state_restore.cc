// What a start reads: the state as the last checkpoint left it, and what ingest has to have again.
#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "lib/pipeline/state.h"

namespace detwatch::pipeline {
namespace {

// Calls read(key, value), a Result<void>, for all rows of a kind until one fails.
template <class Read>
Result<void> ForEachRow(const KeyValue& store, std::string_view prefix, Read read) {
  Result<void> done;
  store.ScanPrefix(prefix, [&](std::string_view key, std::string_view value) {
    done = read(key, value);
    return done.has_value();
  });
  return done;
}

tl::unexpected<Error> Damaged(const char* what) {
  return Fail(std::string("the store is damaged: ") + what);
}

}  // namespace

Result<void> State::RestoreClasses(Restored& restored) {
  auto done = ForEachRow(
      store_, keys::kClassNames, [&](std::string_view key, std::string_view value) -> Result<void> {
        auto name = ParseClassName(value);
        const std::uint32_t index = keys::Number32(key, keys::kClassNames);
        if (!name || index >= head_.next_class) {
          return name ? Damaged("a class name has no place") : Result<void>(tl::unexpected(name.error()));
        }
        dictionary_.class_names.resize(std::max<std::size_t>(dictionary_.class_names.size(), index + 1U));
        dictionary_.class_names[index] = *name;
        restored.class_names.push_back({static_cast<ClassId>(index), std::move(*name)});
        return {};
      });
  if (!done) {
    return done;
  }
  const auto named = [&](ClassId class_id) {
    const std::size_t index = detwatch::Index(class_id);
    return index < dictionary_.class_names.size() && !dictionary_.class_names[index].empty();
  };
  done = ForEachRow(
      store_, keys::kClassLists, [&](std::string_view key, std::string_view value) -> Result<void> {
        auto entries = ParseClassList(value);
        if (!entries) {
          return tl::unexpected(entries.error());
        }
        judge::KnownList list{static_cast<ClassListHash>(keys::Number64(key, keys::kClassLists)),
                              *std::move(entries)};
        std::vector<std::pair<std::uint32_t, std::string>> by_name;
        for (const auto& [id, class_id] : list.entries) {
          if (!named(class_id)) {
            return Damaged("a class list has classes without a name");
          }
          by_name.emplace_back(id, dictionary_.class_names[detwatch::Index(class_id)]);
        }
        if (HashClassList(by_name) != list.hash) {
          return Damaged("a class list is not what it was");
        }
        settler_.lists().Add(list.hash, list.entries);
        restored.class_lists.push_back(std::move(list));
        return {};
      });
  if (!done) {
    return done;
  }
  return ForEachRow(store_, keys::kClassSets,
                    [&](std::string_view key, std::string_view value) -> Result<void> {
                      auto classes = ParseClassSet(value);
                      if (!classes || !std::all_of(classes->begin(), classes->end(), named)) {
                        return classes ? Damaged("a set of classes has some without a name")
                                       : Result<void>(tl::unexpected(classes.error()));
                      }
                      dictionary_.sets.emplace(keys::Number64(key, keys::kClassSets), std::move(*classes));
                      return {};
                    });
}

Result<void> State::RestoreModels(Restored& restored) {
  return ForEachRow(store_, keys::kModels, [&](std::string_view key, std::string_view value) -> Result<void> {
    auto row = ParseModel(value);
    const std::uint32_t id = keys::Number32(key, keys::kModels);
    if (!row || id >= head_.next_model) {
      return row ? Damaged("a model has no place") : Result<void>(tl::unexpected(row.error()));
    }
    restored.models.push_back({id, row->values.key, row->tags, row->labels_expected, row->class_list});
    models_.resize(std::max<std::size_t>(models_.size(), id + 1U));
    models_[id] = std::make_unique<ModelRow>(std::move(*row));
    return {};
  });
}

Result<void> State::RestoreStreams(Restored& restored) {
  auto done =
      ForEachRow(store_, keys::kStreams, [&](std::string_view key, std::string_view value) -> Result<void> {
        auto tags = ParseStream(value);
        if (!tags) {
          return tl::unexpected(tags.error());
        }
        restored.streams.push_back({std::string(key.substr(keys::kStreams.size())), std::move(*tags)});
        return {};
      });
  if (!done) {
    return done;
  }
  return ForEachRow(
      store_, keys::kParkedMessages, [&](std::string_view key, std::string_view value) -> Result<void> {
        auto row = ParseParked(value);
        if (!row) {
          return tl::unexpected(row.error());
        }
        restored.parked.emplace_back(keys::Number64(key, keys::kParkedMessages), std::move(*row));
        return {};
      });
}

Result<void> State::RestorePublishers(Restored& restored) {
  return ForEachRow(
      store_, keys::kPublishers, [&](std::string_view key, std::string_view value) -> Result<void> {
        auto row = ParsePublisher(key, value);
        if (!row) {
          return tl::unexpected(row.error());
        }
        restored.publishers.push_back(*row);
        const bool changed = row->mark.transport == Transport::kReliable && row->labels_epoch != 0;
        publishers_.emplace(key, Publisher{std::move(*row), changed});
        return {};
      });
}

Result<void> State::RestoreSeen(Restored& restored) {
  for (const std::string_view kind : {keys::kSeenPredictions, keys::kSeenLabels}) {
    auto& changes = kind == keys::kSeenLabels ? restored.seen_labels : restored.seen_predictions;
    auto done = ForEachRow(store_, kind, [&](std::string_view key, std::string_view value) -> Result<void> {
      auto bytes = ParseSeen(value);
      if (!bytes) {
        return tl::unexpected(bytes.error());
      }
      changes.push_back({keys::Number64(key, kind), std::move(*bytes)});
      return {};
    });
    if (!done) {
      return done;
    }
  }
  return {};
}

Result<void> State::RestoreGroup(GroupId id, const cells::GroupRow& row, Restored& restored) {
  std::string name = row.view;
  for (const auto& [key, label] : row.labels) {
    name.append(" ").append(key).append("=").append(label);
  }
  const auto view = std::find_if(config_.views.begin(), config_.views.end(), [&](const ViewSpec& spec) {
    return spec.name == row.view &&
           std::equal(spec.group_by.begin(), spec.group_by.end(), row.labels.begin(), row.labels.end(),
                      [](const auto& wanted, const auto& held) { return wanted == held.first; });
  });
  if (view == config_.views.end()) {
    cells::Group::Erase(id, store_);
    restored.notes.push_back("group " + name +
                             ": its view is not configured any more; its counts are given up");
    return {};
  }
  const auto own = config_.model_evaluation.find(row.model);
  const auto params = std::make_shared<const EvaluationParams>(
      own == config_.model_evaluation.end() ? config_.evaluation : own->second);
  const auto view_index = static_cast<std::size_t>(view - config_.views.begin());
  AddGroup({id, view_index, row.labels, row.model, params});
  restored.groups.push_back({id, view_index, row.labels, row.model});
  cells::Group& group = *groups_[Index(id)];
  if (params->Fingerprint() != row.fingerprint) {
    cells::Group::EraseCounts(id, store_);
    store_.Delete(cells::KnownKey(id));
    restored.notes.push_back("group " + name +
                             ": it is evaluated by other rules than before; its counts start again");
    group.StartAgain(restored.next_ordinal);
    settler_.AddGroup(id, params, restored.next_ordinal);
    ++counters_.groups_restarted;
    return {};
  }
  settler_.AddGroup(id, params, row.first_ordinal);
  return group.Read(row, restored.taken, store_);
}

Result<void> State::RestoreGroups(Restored& restored) {
  // The rows first: reading a group also writes, where windows have gone.
  std::vector<std::pair<GroupId, cells::GroupRow>> rows;
  auto done = ForEachRow(store_, cells::kGroupPrefix,
                         [&](std::string_view key, std::string_view value) -> Result<void> {
                           auto row = cells::ParseGroup(value);
                           if (!row) {
                             return tl::unexpected(row.error());
                           }
                           rows.emplace_back(cells::ParseGroupKey(key), std::move(*row));
                           return {};
                         });
  for (const auto& [id, row] : rows) {
    if (done) {
      done = RestoreGroup(id, row, restored);
    }
  }
  return done;
}

// Names that neither a list nor a count has, and sets by which nothing is counted.
void State::ForgetUnused(Restored& restored) {
  std::unordered_set<std::uint64_t> sets;
  std::vector<bool> used(dictionary_.class_names.size(), false);
  const auto use = [&](ClassId class_id) { used[detwatch::Index(class_id)] = true; };
  for (const auto& group : groups_) {
    if (group != nullptr) {
      group->ForEachReference(use, [&](std::uint64_t set) { sets.insert(set); });
    }
  }
  std::erase_if(dictionary_.sets, [&](const auto& entry) {
    if (!sets.contains(entry.first)) {
      store_.Delete(keys::ClassSet(entry.first));
      return true;
    }
    std::for_each(entry.second.begin(), entry.second.end(), use);
    restored.class_sets.push_back(static_cast<judge::ClassSetId>(entry.first));
    settler_.lists().KnowSet(restored.class_sets.back());
    return false;
  });
  for (const judge::KnownList& list : restored.class_lists) {
    for (const auto& [id, class_id] : list.entries) {
      use(class_id);
    }
  }
  std::erase_if(restored.class_names, [&](const judge::NamedClass& known) {
    const bool forgotten = !used[detwatch::Index(known.class_id)];
    if (forgotten) {
      store_.Delete(keys::ClassName(known.class_id));
    }
    return forgotten;
  });
}

Result<Restored> State::Restore(TimePoint now) {
  Restored restored;
  restored.started = now;
  const auto stored = store_.Get(keys::kHead);
  if (!stored) {
    restored.labels_since = TimePoint::max();
    return restored;
  }
  const auto head = ParseHead(*stored);
  if (!head) {
    return tl::unexpected(head.error());
  }
  head_ = *head;
  restored.fresh = false;
  restored.cut = head_.cut;
  restored.taken = head_.taken;
  restored.next_ordinal = head_.next_ordinal;
  restored.next_model = head_.next_model;
  restored.next_group = head_.next_group;
  restored.next_class = head_.next_class;
  auto counters = ParseIngestCounters(store_.Get(keys::kCounters).value_or(""));
  if (!counters) {
    return tl::unexpected(counters.error());
  }
  counters_ = *counters;
  // Time does not fall, also where the wall clock was set back meanwhile.
  const TimePoint from = std::max(now, restored.taken);
  const std::array steps = {&State::RestoreClasses,    &State::RestoreModels, &State::RestoreStreams,
                            &State::RestorePublishers, &State::RestoreSeen,   &State::RestoreGroups};
  for (const auto step : steps) {
    if (auto done = (this->*step)(restored); !done) {
      return tl::unexpected(done.error());
    }
  }
  if (auto done = settler_.Restore(from); !done) {
    return tl::unexpected(done.error());
  }
  ForgetUnused(restored);
  restored.labels_since = settler_.ledger().HoldsLabelsSince(from);
  // Somebody may look before the first cut.
  Advance(from);
  wall_ahead_ = now - from;
  GaugeLedger();
  gauges_.publishers = restored.publishers.size();
  gauges_.models = restored.models.size();
  gauges_.groups = restored.groups.size();
  gauges_.class_list_waiting = restored.parked.size();
  return restored;
}

}  // namespace detwatch::pipeline
