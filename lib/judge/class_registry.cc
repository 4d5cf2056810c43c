#include "lib/judge/class_registry.h"

#include <algorithm>

namespace detwatch::judge {

void ClassRegistry::Count(const std::string& name, std::ptrdiff_t by) {
  Name& known = names_.at(name);
  const bool before = known.lists > 0;
  known.lists += static_cast<std::size_t>(by);
  if (before != (known.lists > 0)) {
    in_use_ = before ? in_use_ - 1 : in_use_ + 1;
  }
}

Result<bool, Reject> ClassRegistry::Announce(const ClassList& list, TimePoint now) {
  const auto known = last_used_.find(list.hash);
  if (known != last_used_.end()) {
    known->second = now;
    return false;
  }
  if (last_used_.size() >= max_lists_) {
    return tl::unexpected(Reject{RejectReason::kTooManyClasses, "class_list: " + std::to_string(max_lists_) +
                                                                    " different lists are known already"});
  }
  std::size_t added = 0;
  for (const auto& [id, name] : list.entries) {
    const auto at = names_.find(name);
    added += at == names_.end() || at->second.lists == 0 ? 1 : 0;
  }
  if (in_use_ + added > max_classes_) {
    return tl::unexpected(
        Reject{RejectReason::kTooManyClasses,
               "class_list.entries: more than " + std::to_string(max_classes_) + " class names"});
  }
  KnownList entries{list.hash, {}};
  entries.entries.reserve(list.entries.size());
  for (const auto& [id, name] : list.entries) {
    const auto [at, is_new] = names_.try_emplace(name, Name{static_cast<ClassId>(next_), 0});
    if (is_new) {
      ++next_;
      name_of_.resize(next_, nullptr);
      name_of_.back() = &at->first;
      new_names_.push_back({at->second.class_id, name});
    }
    Count(name, 1);
    entries.entries.emplace_back(id, at->second.class_id);
  }
  last_used_[list.hash] = now;
  lists_.Add(list.hash, entries.entries);
  new_lists_.push_back(std::move(entries));
  return true;
}

void ClassRegistry::Restore(const std::vector<NamedClass>& names, const std::vector<KnownList>& lists,
                            ClassId next, TimePoint now) {
  next_ = Index(next);
  name_of_.resize(next_, nullptr);
  for (const NamedClass& known : names) {
    const auto at = names_.emplace(known.name, Name{known.class_id, 0}).first;
    name_of_[Index(known.class_id)] = &at->first;
  }
  for (const KnownList& list : lists) {
    for (const auto& [id, class_id] : list.entries) {
      Count(*name_of_[Index(class_id)], 1);
    }
    last_used_[list.hash] = now;
    lists_.Add(list.hash, list.entries);
  }
}

const ClassTable* ClassRegistry::Use(ClassListHash hash, TimePoint now) {
  const auto known = last_used_.find(hash);
  if (known == last_used_.end()) {
    return nullptr;
  }
  known->second = now;
  return lists_.Find(hash);
}

std::vector<ClassListHash> ClassRegistry::Expire(TimePoint now, Duration age) {
  std::vector<ClassListHash> left;
  for (const auto& [hash, last_used] : last_used_) {
    if (now - last_used >= age) {
      left.push_back(hash);
    }
  }
  for (const ClassListHash hash : left) {
    for (const auto& [id, class_id] : lists_.Find(hash)->entries()) {
      Count(*name_of_[Index(class_id)], -1);
    }
    last_used_.erase(hash);
    lists_.Remove(hash);
  }
  return left;
}

}  // namespace detwatch::judge
