#include "lib/pipeline/class_registry.h"

#include <algorithm>

namespace detwatch::pipeline {
namespace {

// A table by id where ids are dense enough, so that a list with a huge id costs no memory.
std::size_t DenseIds(std::size_t entries) {
  return 4 * entries + 256;
}

}  // namespace

ClassTable::ClassTable(std::vector<std::pair<std::uint32_t, ClassId>> entries)
    : entries_(std::move(entries)) {
  const std::size_t dense_ids = DenseIds(entries_.size());
  for (const auto& [id, class_id] : entries_) {
    if (id < dense_ids) {
      dense_.resize(std::max(dense_.size(), std::size_t{id} + 1), kUnknown);
      dense_[id] = Index(class_id);
    }
  }
}

std::uint32_t ClassTable::Find(std::uint32_t id) const {
  if (id < dense_.size()) {
    return dense_[id];
  }
  const auto at =
      std::lower_bound(entries_.begin(), entries_.end(), id,
                       [](const auto& entry, std::uint32_t wanted) { return entry.first < wanted; });
  return at != entries_.end() && at->first == id ? Index(at->second) : kUnknown;
}

Result<bool, Reject> ClassRegistry::Announce(const ClassList& list) {
  const auto hash = static_cast<std::uint64_t>(list.hash);
  if (lists_.contains(hash)) {
    return false;
  }
  if (lists_.size() >= max_lists_) {
    return tl::unexpected(Reject{RejectReason::kTooManyClasses, "class_list: " + std::to_string(max_lists_) +
                                                                    " different lists are known already"});
  }
  std::size_t added = 0;
  for (const auto& [id, name] : list.entries) {
    added += ids_.contains(name) ? 0 : 1;
  }
  if (names_.size() + added > max_classes_) {
    return tl::unexpected(
        Reject{RejectReason::kTooManyClasses,
               "class_list.entries: more than " + std::to_string(max_classes_) + " class names"});
  }
  Add(list);
  return true;
}

void ClassRegistry::Restore(const ClassList& list) {
  if (!lists_.contains(static_cast<std::uint64_t>(list.hash))) {
    Add(list);
  }
}

void ClassRegistry::Add(const ClassList& list) {
  std::vector<std::pair<std::uint32_t, ClassId>> entries;
  entries.reserve(list.entries.size());
  for (const auto& [id, name] : list.entries) {
    const auto [it, is_new] = ids_.try_emplace(name, static_cast<ClassId>(names_.size()));
    if (is_new) {
      names_.push_back(name);
    }
    entries.emplace_back(id, it->second);
  }
  lists_.emplace(static_cast<std::uint64_t>(list.hash), ClassTable(std::move(entries)));
}

const ClassTable* ClassRegistry::Find(ClassListHash hash) const {
  const auto it = lists_.find(static_cast<std::uint64_t>(hash));
  return it == lists_.end() ? nullptr : &it->second;
}

const JudgedClasses& ClassRegistry::Judged(ClassListHash model, ClassListHash labels) {
  const auto [it, is_new] =
      judged_.try_emplace({static_cast<std::uint64_t>(model), static_cast<std::uint64_t>(labels)});
  JudgedClasses& judged = it->second;
  if (is_new) {
    std::vector<std::uint8_t> labelled(names_.size(), 0);
    for (const auto& [id, class_id] : Find(labels)->entries()) {
      labelled[Index(class_id)] = 1;
    }
    judged.contains.assign(names_.size(), 0);
    for (const auto& [id, class_id] : Find(model)->entries()) {
      if (labelled[Index(class_id)] != 0) {
        judged.contains[Index(class_id)] = 1;
        judged.classes.push_back(class_id);
      }
    }
    std::sort(judged.classes.begin(), judged.classes.end());
    judged.set = static_cast<std::uint32_t>(sets_.size());
    sets_.push_back(&judged);
  }
  return judged;
}

}  // namespace detwatch::pipeline
