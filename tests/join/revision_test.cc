// The decision about labels, as a whole.
#include "lib/join/revision.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace detwatch::join {
namespace {

constexpr std::array kAgainst = {Against::kNone, Against::kSame, Against::kOther, Against::kLower,
                                 Against::kHigher};
constexpr std::array kHeld = {Held::kNothing, Held::kWaiting, Held::kCorrectable, Held::kSpent, Held::kFinal};

template <class Visit>
void ForEachQuestion(Visit visit) {
  for (const Against against : kAgainst) {
    for (const Held held : kHeld) {
      for (const bool meets : {false, true}) {
        for (const bool was_here : {false, true}) {
          visit(Question{against, held, meets, was_here});
        }
      }
    }
  }
}

TEST(RevisionTest, EveryQuestionHasOneAnswer) {
  ForEachQuestion([](const Question& question) {
    int fits = 0;
    for (const Rule& rule : kRules) {
      fits += rule.against == question.against && rule.held.value_or(question.held) == question.held &&
                      rule.meets.value_or(question.meets) == question.meets &&
                      rule.was_here.value_or(question.was_here) == question.was_here
                  ? 1
                  : 0;
    }
    EXPECT_EQ(fits, 1) << Name(question.against) << " " << Name(question.held);
    EXPECT_NE(Decide(question), Verdict::kTooLarge);
  });
}

TEST(RevisionTest, RefusedLabelsJudgeNothing) {
  ForEachQuestion([](const Question& question) {
    const Verdict verdict = Decide(question);
    const bool must_be_refused = question.against == Against::kOther || question.against == Against::kLower;
    EXPECT_TRUE(!must_be_refused || !Accepted(verdict));
    if (question.against == Against::kSame) {
      EXPECT_EQ(verdict, question.meets ? Verdict::kJudge : Verdict::kDuplicate);
    }
    if (question.held == Held::kFinal && question.against == Against::kHigher) {
      EXPECT_FALSE(Accepted(verdict));
    }
  });
  for (const Verdict verdict :
       {Verdict::kConflict, Verdict::kStale, Verdict::kTooLate, Verdict::kFinal, Verdict::kTooLarge}) {
    EXPECT_FALSE(Accepted(verdict));
    EXPECT_FALSE(RejectOf(verdict).detail.empty());
  }
}

std::string Row(const Rule& rule) {
  const auto either = [](const std::optional<bool>& value) {
    return value ? (*value ? "yes" : "no") : "any";
  };
  return "| " + std::string(Name(rule.against)) + " | " + std::string(rule.held ? Name(*rule.held) : "any") +
         " | " + either(rule.meets) + " | " + either(rule.was_here) + " | " +
         std::string(Name(rule.verdict)) + " |";
}

// The one a person reads is the one that is asked.
TEST(RevisionTest, TheDocumentHasThisTable) {
  std::ifstream file(std::string(DETWATCH_SOURCE_DIR) + "/ARCHITECTURE.md");
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| labels in hand |")) {
      inside = true;
      std::getline(file, line);  // the rule below the head
    } else if (inside && line.starts_with("|")) {
      rows.push_back(line);
    } else {
      inside = false;
    }
  }
  ASSERT_EQ(rows.size(), kRules.size());
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    EXPECT_EQ(rows[i], Row(kRules[i]));
  }
}

}  // namespace
}  // namespace detwatch::join
