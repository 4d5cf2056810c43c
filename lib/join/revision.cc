#include "lib/join/revision.h"

#include <algorithm>

namespace detwatch::join {

Verdict Decide(const Question& question) {
  const auto* const rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) {
    return r.against == question.against && r.held.value_or(question.held) == question.held &&
           r.meets.value_or(question.meets) == question.meets &&
           r.was_here.value_or(question.was_here) == question.was_here;
  });
  return rule->verdict;
}

Reject RejectOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kStale:
      return {RejectReason::kStaleRevision, "revision: a higher one was seen already"};
    case Verdict::kTooLate:
      return {RejectReason::kTooLate, "labels: the frame was here, and is no longer held"};
    case Verdict::kFinal:
      return {RejectReason::kTooLate, "revision: the frame was judged by labels that said they were final"};
    case Verdict::kTooLarge:
      return {RejectReason::kMemory, "frame: larger than all that may wait for a join"};
    default:
      return {RejectReason::kConflict, "labels: seen before with other content or source; the first stays"};
  }
}

std::string_view Name(Against against) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "same", "other", "lower", "higher"};
  return kNames[static_cast<std::size_t>(against)];
}

std::string_view Name(Held held) {
  static constexpr std::array<std::string_view, 5> kNames = {"nothing", "waiting", "correctable", "spent",
                                                             "final"};
  return kNames[static_cast<std::size_t>(held)];
}

std::string_view Name(Verdict verdict) {
  static constexpr std::array<std::string_view, 10> kNames = {"judge",     "wait",     "replace", "correct",
                                                              "duplicate", "conflict", "stale",   "too late",
                                                              "final",     "too large"};
  return kNames[static_cast<std::size_t>(verdict)];
}

}  // namespace detwatch::join
