#pragma once
// lib/judge -- gives class names their dense ClassIds, and decides which announced lists are known.
//
// Names and lists come from outside, so both are bounded, and a list that nobody has used for long leaves. A
// name stays what it is for the life of the process, because counts may speak of it; but only names that some
// list has count against the limit. A start forgets the names that neither a list nor a count has.
//
// Laws (tests of the same name): AListThatIsIdleLeaves, OnlyNamesOfKnownListsCount, ANameKeepsItsId.
// Cost: O(1) a look-up. Threads: none, owned by ingest.

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/outcome.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/judge/class_lists.h"

namespace detwatch::judge {

struct NamedClass {
  ClassId class_id{};
  std::string name;
};

// An announced list in our ids.
struct KnownList {
  ClassListHash hash{};
  ClassEntries entries;
};

class ClassRegistry {
 public:
  // Sets of judged classes are bounded by `max_lists` as well.
  ClassRegistry(std::size_t max_classes, std::size_t max_lists)
      : max_classes_(max_classes), max_lists_(max_lists), lists_(max_lists) {}

  // Requires: the list was checked (hash, unique names). Returns whether it was new.
  [[nodiscard]] Result<bool, Reject> Announce(const ClassList& list, TimePoint now);
  // What a store held, whatever the limits are now. Requires: nothing else was called before.
  void Restore(const std::vector<NamedClass>& names, const std::vector<KnownList>& lists, ClassId next,
               TimePoint now);
  // Null when the list is not known. Using a list keeps it.
  [[nodiscard]] const ClassTable* Use(ClassListHash hash, TimePoint now);
  // Forgets lists that were not used for `age`, and says which.
  std::vector<ClassListHash> Expire(TimePoint now, Duration age);
  void SetLimits(std::size_t max_classes, std::size_t max_lists) {
    max_classes_ = max_classes;
    max_lists_ = max_lists;
    lists_.SetMaxSets(max_lists);
  }

  [[nodiscard]] ClassLists& lists() { return lists_; }
  [[nodiscard]] const ClassLists& lists() const { return lists_; }
  // What became known since the last call, for the state.
  [[nodiscard]] std::vector<NamedClass> TakeNewNames() { return std::exchange(new_names_, {}); }
  [[nodiscard]] std::vector<KnownList> TakeNewLists() { return std::exchange(new_lists_, {}); }
  [[nodiscard]] std::size_t names_in_use() const { return in_use_; }

 private:
  struct Name {
    ClassId class_id{};
    std::size_t lists = 0;  // that have it
  };
  void Count(const std::string& name, std::ptrdiff_t by);

  std::size_t max_classes_;
  std::size_t max_lists_;
  ClassLists lists_;
  std::unordered_map<std::string, Name> names_;
  std::vector<const std::string*> name_of_;  // by class index; keys of names_
  std::uint32_t next_ = 0;
  std::size_t in_use_ = 0;
  std::unordered_map<ClassListHash, TimePoint> last_used_;
  std::vector<NamedClass> new_names_;
  std::vector<KnownList> new_lists_;
};

}  // namespace detwatch::judge
