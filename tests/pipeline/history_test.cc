// Whatever happened, and in whatever order: the counts are those of the rules.
//
// A history is what publishers say, when cuts are taken, committed and heard of by ingest, when the process
// dies, and when time passes or the clock is set, all from a seed (history_generate_support.cc). It is played
// to the pipeline and to a plain model of the rules (history_model_support.h), which shares no code with lib/
// about halves of frames, and every count that a snapshot, a tally or a gauge has is compared. What differs
// is shortened, and told in words.
//
// CI plays 500. Many more, by hand, in a release build (20 000 take less than two minutes of processor time):
//
//   DETWATCH_HISTORIES=20000 build/release/tests/pipeline_test --gtest_filter='HistoryTest.*'
//
// DETWATCH_FIRST_HISTORY is the seed of the first: a history that failed again, or others than before. That
// the tests notice when a rule is broken is tested by tests/system/mutants.py, by hand as well.
//
// Left out is one thing that is not as it should be (PlainModel::DependsOnTheCut): labels of a frame that is
// gone, or that dedup keys have forgotten, judge predictions that come after them in the same cut, and are
// too late, or a duplicate, where a cut falls between.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/pipeline/history_play_support.h"

namespace detwatch::test {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(HistoryTest, ARandomHistoryEndsWithTheCountsOfThePlainModel) {
  const std::uint64_t first = FromEnvironment("DETWATCH_FIRST_HISTORY", 1);
  const std::uint64_t histories = FromEnvironment("DETWATCH_HISTORIES", 500);
  for (std::uint64_t seed = first; seed < first + histories; ++seed) {
    const History history = MakeHistory(seed);
    if (HistoryPlayer(history).Play().empty()) {
      continue;
    }
    const History shortest = Shortened(history);
    FAIL() << "differs from the rules, shortened:\n" << InWords(shortest) << HistoryPlayer(shortest).Play();
  }
}

}  // namespace
}  // namespace detwatch::test
