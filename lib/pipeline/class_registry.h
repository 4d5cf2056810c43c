#pragma once
// lib/pipeline -- class names. Models and label sources number their classes as they like; matching is by
// name. Here names become dense ClassIds, announced lists become look-up tables, and for every pair of a
// model's and a label source's list it is worked out once which classes can be judged.
//
// Judged: known to the model, and in the label source's list, and (decided per frame) examined.
// Cost: O(1) an id. Threads: none, owned by ingest.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/outcome.h"
#include "lib/core/result.h"

namespace detwatch::pipeline {

// One announced list.
class ClassTable {
 public:
  static constexpr std::uint32_t kUnknown = UINT32_MAX;

  explicit ClassTable(std::vector<std::pair<std::uint32_t, ClassId>> entries);
  // Index of the class, kUnknown when the id is not in the list.
  [[nodiscard]] std::uint32_t Find(std::uint32_t id) const;
  [[nodiscard]] const std::vector<std::pair<std::uint32_t, ClassId>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::uint32_t, ClassId>> entries_;  // ascending id
  std::vector<std::uint32_t> dense_;                        // by id, for small ids
};

// The classes that two lists have in common.
struct JudgedClasses {
  std::uint32_t set = 0;               // number of this set in cuts
  std::vector<ClassId> classes;        // ascending
  std::vector<std::uint8_t> contains;  // by class index
  [[nodiscard]] bool Contains(std::uint32_t class_index) const {
    return class_index < contains.size() && contains[class_index] != 0;
  }
};

class ClassRegistry {
 public:
  ClassRegistry(std::size_t max_classes, std::size_t max_lists)
      : max_classes_(max_classes), max_lists_(max_lists) {}

  // Requires: the list was checked (hash, unique names). Returns whether it was new.
  [[nodiscard]] Result<bool, Reject> Announce(const ClassList& list);
  // A list that was accepted before, whatever the limits are now: ClassIds follow from the order of the
  // lists.
  void Restore(const ClassList& list);
  // Null when the list was never announced. Stable for the life of the registry.
  [[nodiscard]] const ClassTable* Find(ClassListHash hash) const;
  // Requires: both lists are announced.
  [[nodiscard]] const JudgedClasses& Judged(ClassListHash model, ClassListHash labels);

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }  // by class index
  [[nodiscard]] const std::vector<const JudgedClasses*>& sets() const { return sets_; }

 private:
  void Add(const ClassList& list);

  std::size_t max_classes_;
  std::size_t max_lists_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, ClassId> ids_;
  std::unordered_map<std::uint64_t, ClassTable> lists_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, JudgedClasses> judged_;
  std::vector<const JudgedClasses*> sets_;
};

}  // namespace detwatch::pipeline
