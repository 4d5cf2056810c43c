#pragma once
// lib/judge -- announced class lists as look-up tables. Models and label sources number their classes as they
// like and matching is by name, so for every pair of a model's and a label source's list it is worked out
// once which classes can be judged.
//
// Judged: known to the model, and in the label source's list, and (decided per frame) examined. Which classes
// a frame judges is nearly always one of a few sets, so a set has an id made from its content: frames are
// counted per set, and a model of 5 000 classes costs a frame one increment instead of 5 000. Whoever has the
// same lists gives a set the same id.
//
// Laws (tests of the same name): TheSameClassesAreTheSameSet, ASetBeyondTheLimitIsCountedClassByClass.
// Cost: O(1) an id. Threads: none; ingest and settling have one each.

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/outcome.h"

namespace detwatch::judge {

// A class list by dense ClassId: (the list's id, ours), ascending in the list's id.
using ClassEntries = std::vector<std::pair<std::uint32_t, ClassId>>;

class ClassTable {
 public:
  static constexpr std::uint32_t kUnknown = UINT32_MAX;

  explicit ClassTable(ClassEntries entries);
  // Index of the class, kUnknown when the id is not in the list.
  [[nodiscard]] std::uint32_t Find(std::uint32_t id) const;
  [[nodiscard]] const ClassEntries& entries() const { return entries_; }

 private:
  ClassEntries entries_;
  std::vector<std::uint32_t> dense_;  // by id, for small ids
};

// Names a set of classes by its content.
enum class ClassSetId : std::uint64_t {};
// Requires: ascending.
[[nodiscard]] ClassSetId HashClassSet(const std::vector<ClassId>& classes);

struct ClassSet {
  ClassSetId id{};
  std::vector<ClassId> classes;  // ascending
};

// The classes that two lists have in common.
struct JudgedClasses {
  ClassSetId set{};
  bool by_set = true;                  // false: too many sets are known, count class by class
  std::vector<ClassId> classes;        // ascending
  std::vector<std::uint8_t> contains;  // by class index
  [[nodiscard]] bool Contains(std::uint32_t class_index) const {
    return class_index < contains.size() && contains[class_index] != 0;
  }
};

class ClassLists {
 public:
  // Sets of judged classes beyond `max_sets` are not given an id.
  explicit ClassLists(std::size_t max_sets) : max_sets_(max_sets) {}

  // Requires: ids ascend. A list that is known already stays as it is.
  void Add(ClassListHash hash, const ClassEntries& entries);
  void Remove(ClassListHash hash);
  // Null when the list is not known. Stable until it is removed.
  [[nodiscard]] const ClassTable* Find(ClassListHash hash) const;
  // Requires: both lists are known. Stable until one of them is removed, or SetMaxSets.
  [[nodiscard]] const JudgedClasses& Judged(ClassListHash model, ClassListHash labels);

  // Sets that were met for the first time since the last call.
  [[nodiscard]] std::vector<ClassSet> TakeNewSets() { return std::exchange(new_sets_, {}); }
  // Sets that have an id keep it. Sets that were refused one are looked at again.
  void SetMaxSets(std::size_t max_sets);
  // A set that somebody remembers from before.
  void KnowSet(ClassSetId id) { sets_.insert(id); }
  [[nodiscard]] std::size_t size() const { return lists_.size(); }

 private:
  std::size_t max_sets_;
  std::unordered_map<ClassListHash, ClassTable> lists_;
  std::map<std::pair<ClassListHash, ClassListHash>, JudgedClasses> judged_;
  std::unordered_set<ClassSetId> sets_;
  std::vector<ClassSet> new_sets_;
};

}  // namespace detwatch::judge
