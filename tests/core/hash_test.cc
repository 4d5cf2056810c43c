// Numbers that stores hold for ever.
#include <gtest/gtest.h>

#include <set>

#include "lib/core/frame.h"

namespace detwatch {
namespace {

TEST(HashTest, AFramesNumberIsFrozen) {
  EXPECT_EQ(HashFrame({"gate", "000001"}), (FrameHash{0xcf72ad261f192ff4U, 0xd4ed80cccdf75f9aU}));
  EXPECT_EQ(HashFrame({"", "a"}), (FrameHash{0x10ea138bc57040b9U, 0x587ee6754e9abccaU}));
  EXPECT_EQ(HashFrame({"", ""}), (FrameHash{0x6f7d89197553c5c7U, 0x914d704fb509d662U}));
}

TEST(HashTest, AModelsNumberIsFrozen) {
  EXPECT_EQ(HashModel({"yolo", "1"}), 1000139199923289607U);
  EXPECT_EQ(HashModel({"yolo", ""}), 15846063902326012689U);
}

TEST(HashTest, WhereTheStreamEndsAndTheFrameBeginsMatters) {
  const FrameHash hash = HashFrame({"ab", "c"});
  EXPECT_NE(hash, HashFrame({"a", "bc"}));
  EXPECT_NE(hash, HashFrame({"abc", ""}));
  EXPECT_NE(hash, HashFrame({"", "abc"}));
  EXPECT_NE(hash, HashFrame({"c", "ab"}));
  EXPECT_NE(HashModel({"ab", "c"}), HashModel({"a", "bc"}));
  EXPECT_NE(HashModel({"ab", ""}), HashModel({"", "ab"}));
}

TEST(HashTest, NeighboursShareNeitherHalf) {
  std::set<std::uint64_t> high;
  std::set<std::uint64_t> low;
  for (int i = 0; i < 100'000; ++i) {
    const FrameHash hash = HashFrame({"gate", std::to_string(i)});
    high.insert(hash.high);
    low.insert(hash.low);
  }
  EXPECT_EQ(high.size(), 100'000U);
  EXPECT_EQ(low.size(), 100'000U);
}

}  // namespace
}  // namespace detwatch
