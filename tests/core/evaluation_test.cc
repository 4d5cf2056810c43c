// What groups in a store were counted by: their numbers there are held for ever.
#include "lib/core/evaluation.h"

#include <gtest/gtest.h>

#include <set>

namespace detwatch {
namespace {

// A group whose fingerprint changes starts again at zero.
TEST(EvaluationTest, TheFingerprintOfEveryProtocolIsFrozen) {
  EXPECT_EQ(EvaluationParams::Coco().Fingerprint(), 11559321385439604802U);
  EXPECT_EQ(EvaluationParams::Voc(Interpolation::k11Points, false).Fingerprint(), 17864100466316310772U);
  EXPECT_EQ(EvaluationParams::Voc(Interpolation::k11Points, true).Fingerprint(), 4917487790019714519U);
  EXPECT_EQ(EvaluationParams::Voc(Interpolation::kAllPoints, false).Fingerprint(), 361431145535519266U);
  EXPECT_EQ(EvaluationParams::Voc(Interpolation::kAllPoints, true).Fingerprint(), 18263470971597621277U);
}

TEST(EvaluationTest, NoTwoPairsShareAFingerprint) {
  std::set<std::uint64_t> fingerprints;
  for (const MatchingRule rule : {MatchingRule::kCoco, MatchingRule::kVoc}) {
    for (const Interpolation interpolation :
         {Interpolation::k101Points, Interpolation::k11Points, Interpolation::kAllPoints}) {
      for (const bool inclusive : {false, true}) {
        EvaluationParams params = EvaluationParams::Coco();
        params.matching_rule = rule;
        params.interpolation = interpolation;
        params.inclusive_pixels = inclusive;
        fingerprints.insert(params.Fingerprint());
      }
    }
  }
  EXPECT_EQ(fingerprints.size(), 2U * 3 * 2);
}

TEST(EvaluationTest, AProtocolIsTheNameOfARuleAndAnInterpolation) {
  EXPECT_EQ(Name(EvaluationParams::Coco().protocol()), "coco");
  EXPECT_EQ(Name(EvaluationParams::Voc(Interpolation::k11Points, false).protocol()), "voc2007");
  EXPECT_EQ(Name(EvaluationParams::Voc(Interpolation::kAllPoints, true).protocol()), "voc2012");
  EXPECT_EQ(Name(Protocol{MatchingRule::kCoco, Interpolation::k11Points}), "custom");
}

}  // namespace
}  // namespace detwatch
