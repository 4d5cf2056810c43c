#pragma once
// lib/join -- the one decision about labels of a frame: what they are to those that are known already, and
// what is done with them. A table, so that it can be read, checked and printed (ARCHITECTURE.md has the same
// one, and a test compares them).
//
// Laws (tests of the same name): EveryQuestionHasOneAnswer, RefusedLabelsJudgeNothing,
//   TheDocumentHasThisTable. Threads: pure.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::join {

// The labels in hand against those that are known of the frame: held ones, else what dedup keys remember.
enum class Against : std::uint8_t {
  kNone,    // none are known: the first ones
  kSame,    // the same revision, source and content
  kOther,   // the same revision with other content or from another source
  kLower,   // of a lower revision
  kHigher,  // of a higher revision
};

// What is held of the labels that are known.
enum class Held : std::uint8_t {
  kNothing,
  kWaiting,      // they have judged nothing yet
  kCorrectable,  // they judged predictions that are kept with them
  kSpent,        // they linger or are kept, and nothing they judged is held any more
  kFinal,        // they linger, and said that no correction would come
};

struct Question {
  Against against = Against::kNone;
  Held held = Held::kNothing;
  bool meets = false;     // predictions of the frame wait, came with the labels, or were judged by them
  bool was_here = false;  // the frame was judged, or given up, before
};

enum class Verdict : std::uint8_t {
  kJudge,      // what they meet, and take the place of held ones
  kWait,       // for predictions
  kReplace,    // those that wait
  kCorrect,    // what was judged by the held ones, and judge what they meet
  kDuplicate,  // nothing is left to do
  kConflict,   // refused, as are all below
  kStale,
  kTooLate,
  kFinal,
  kTooLarge,  // the only one that is not in the table: larger than all that may be held
};

struct Rule {
  Against against;
  std::optional<Held> held;      // none: any
  std::optional<bool> meets;     // none: either
  std::optional<bool> was_here;  // none: either
  Verdict verdict;
};

// The first rule that fits decides.
inline constexpr std::optional<Held> kAny = std::nullopt;
inline constexpr std::optional<bool> kEither = std::nullopt;
inline constexpr std::array kRules = {
    Rule{Against::kNone, kAny, true, kEither, Verdict::kJudge},
    Rule{Against::kNone, kAny, false, true, Verdict::kTooLate},
    Rule{Against::kNone, kAny, false, false, Verdict::kWait},
    Rule{Against::kSame, kAny, true, kEither, Verdict::kJudge},
    Rule{Against::kSame, kAny, false, kEither, Verdict::kDuplicate},
    Rule{Against::kOther, kAny, kEither, kEither, Verdict::kConflict},
    Rule{Against::kLower, kAny, kEither, kEither, Verdict::kStale},
    Rule{Against::kHigher, Held::kNothing, true, kEither, Verdict::kJudge},
    Rule{Against::kHigher, Held::kNothing, false, kEither, Verdict::kTooLate},
    Rule{Against::kHigher, Held::kWaiting, true, kEither, Verdict::kJudge},
    Rule{Against::kHigher, Held::kWaiting, false, kEither, Verdict::kReplace},
    Rule{Against::kHigher, Held::kCorrectable, kEither, kEither, Verdict::kCorrect},
    Rule{Against::kHigher, Held::kSpent, true, kEither, Verdict::kJudge},
    Rule{Against::kHigher, Held::kSpent, false, kEither, Verdict::kTooLate},
    Rule{Against::kHigher, Held::kFinal, kEither, kEither, Verdict::kFinal},
};

[[nodiscard]] Verdict Decide(const Question& question);
// False: the labels judge nothing, and whoever was judged by them was not.
[[nodiscard]] constexpr bool Accepted(Verdict verdict) {
  return verdict <= Verdict::kDuplicate;
}
// For the publisher. Requires: not accepted.
[[nodiscard]] Reject RejectOf(Verdict verdict);

// As the table in ARCHITECTURE.md calls them: "none", "waiting", "too late".
[[nodiscard]] std::string_view Name(Against against);
[[nodiscard]] std::string_view Name(Held held);
[[nodiscard]] std::string_view Name(Verdict verdict);

}  // namespace detwatch::join
