// What groups in a store were counted by: their numbers there are held for ever.
#include "lib/core/evaluation.h"

#include <gtest/gtest.h>

namespace detwatch {
namespace {

// A group whose fingerprint changes starts again at zero.
TEST(EvaluationTest, TheFingerprintOfEveryProtocolIsFrozen) {
  EXPECT_EQ(EvaluationParams::Coco().Fingerprint(), 11559321385439604802U);
  EXPECT_EQ(EvaluationParams::Voc(Protocol::kVoc2007, false).Fingerprint(), 17864100466316310772U);
  EXPECT_EQ(EvaluationParams::Voc(Protocol::kVoc2007, true).Fingerprint(), 4917487790019714519U);
  EXPECT_EQ(EvaluationParams::Voc(Protocol::kVoc2012, false).Fingerprint(), 361431145535519266U);
  EXPECT_EQ(EvaluationParams::Voc(Protocol::kVoc2012, true).Fingerprint(), 18263470971597621277U);
}

}  // namespace
}  // namespace detwatch
