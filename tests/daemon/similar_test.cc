#include "daemon/config/similar.h"

#include <gtest/gtest.h>

namespace detwatch::config {
namespace {

TEST(SimilarTest, TheNearestWordWasMeant) {
  EXPECT_EQ(DidYouMean("evall", {"serve", "eval", "label"}), " (did you mean \"eval\"?)");
  EXPECT_EQ(DidYouMean("--formt", {"--format", "--method"}), " (did you mean \"--format\"?)");
  EXPECT_EQ(DidYouMean("completely-different", {"eval"}), "");
}

}  // namespace
}  // namespace detwatch::config
