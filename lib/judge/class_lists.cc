#include "lib/judge/class_lists.h"

#include <algorithm>

namespace detwatch::judge {
namespace {

// A table by id where ids are dense enough, so that a list with a huge id costs no memory.
std::size_t DenseIds(std::size_t entries) {
  return 4 * entries + 256;
}

}  // namespace

ClassTable::ClassTable(ClassEntries entries) : entries_(std::move(entries)) {
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

// FNV-1a over the numbers.
ClassSetId HashClassSet(const std::vector<ClassId>& classes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const ClassId class_id : classes) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ ((Index(class_id) >> shift) & 0xffU)) * 0x100000001b3ULL;
    }
  }
  return static_cast<ClassSetId>(hash);
}

void ClassLists::Add(ClassListHash hash, const ClassEntries& entries) {
  lists_.try_emplace(hash, entries);
}

void ClassLists::Remove(ClassListHash hash) {
  lists_.erase(hash);
  std::erase_if(judged_,
                [&](const auto& entry) { return entry.first.first == hash || entry.first.second == hash; });
}

const ClassTable* ClassLists::Find(ClassListHash hash) const {
  const auto it = lists_.find(hash);
  return it == lists_.end() ? nullptr : &it->second;
}

const JudgedClasses& ClassLists::Judged(ClassListHash model, ClassListHash labels) {
  const auto [it, is_new] = judged_.try_emplace({model, labels});
  JudgedClasses& judged = it->second;
  if (!is_new) {
    return judged;
  }
  std::vector<std::uint8_t> labelled;
  const auto mark = [](std::vector<std::uint8_t>& marks, ClassId class_id) {
    marks.resize(std::max(marks.size(), std::size_t{Index(class_id)} + 1), 0);
    marks[Index(class_id)] = 1;
  };
  for (const auto& [id, class_id] : Find(labels)->entries()) {
    mark(labelled, class_id);
  }
  for (const auto& [id, class_id] : Find(model)->entries()) {
    if (Index(class_id) < labelled.size() && labelled[Index(class_id)] != 0) {
      mark(judged.contains, class_id);
      judged.classes.push_back(class_id);
    }
  }
  std::sort(judged.classes.begin(), judged.classes.end());
  judged.set = HashClassSet(judged.classes);
  if (!sets_.contains(judged.set)) {
    judged.by_set = sets_.size() < max_sets_;
    if (judged.by_set) {
      sets_.insert(judged.set);
      new_sets_.push_back({judged.set, judged.classes});
    }
  }
  return judged;
}

void ClassLists::SetMaxSets(std::size_t max_sets) {
  max_sets_ = max_sets;
  std::erase_if(judged_, [](const auto& entry) { return !entry.second.by_set; });
}

}  // namespace detwatch::judge
