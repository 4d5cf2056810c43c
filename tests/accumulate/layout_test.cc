#include "lib/accumulate/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <vector>

#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

constexpr LayoutId kAll[] = {LayoutId::k128_8_14_20, LayoutId::k64_8_13_20, LayoutId::k32_4_12_17,
                             LayoutId::k16_2_8_14};

struct Numbers {
  int sub, min_sub, low, high;
};

Numbers NumbersOf(LayoutId id) {
  switch (id) {
    case LayoutId::k128_8_14_20:
      return {128, 8, 14, 20};
    case LayoutId::k64_8_13_20:
      return {64, 8, 13, 20};
    case LayoutId::k32_4_12_17:
      return {32, 4, 12, 17};
    case LayoutId::k16_2_8_14:
      break;
  }
  return {16, 2, 8, 14};
}

// The definition, read literally.
std::vector<double> DefinedEdges(LayoutId id) {
  const Numbers n = NumbersOf(id);
  std::set<double> edges = {0, 0.5, 1};
  for (int o = 1; o <= std::max(n.low, n.high); ++o) {
    const int sub = std::max(n.min_sub, n.sub >> (o - 1));
    const double lower = std::exp2(-(o + 1));
    for (int k = 0; k <= sub; ++k) {
      const double edge = lower + lower * k / sub;
      if (o <= n.low) {
        edges.insert(edge);
      }
      if (o <= n.high) {
        edges.insert(1 - edge);
      }
    }
  }
  return {edges.begin(), edges.end()};
}

int BinBySearch(const std::vector<double>& edges, float score) {
  const auto above = std::upper_bound(edges.begin(), edges.end(), static_cast<double>(score));
  const auto bin = static_cast<int>(above - edges.begin()) - 1;
  return std::min(bin, static_cast<int>(edges.size()) - 2);
}

TEST(LayoutTest, NumbersOfBinsAreTheFrozenOnes) {
  EXPECT_EQ(BinLayout::Get(LayoutId::k128_8_14_20).bins(), 690);
  EXPECT_EQ(BinLayout::Get(LayoutId::k64_8_13_20).bins(), 442);
  EXPECT_EQ(BinLayout::Get(LayoutId::k32_4_12_17).bins(), 206);
  EXPECT_EQ(BinLayout::Get(LayoutId::k16_2_8_14).bins(), 90);
}

TEST(LayoutTest, NamesAndIdsAreTheFrozenOnes) {
  const std::string_view names[] = {"128/8/14/20", "64/8/13/20", "32/4/12/17", "16/2/8/14"};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(BinLayout::Get(kAll[i]).name(), names[i]);
    EXPECT_EQ(BinLayout::Get(kAll[i]).id(), kAll[i]);
    EXPECT_EQ(static_cast<int>(kAll[i]), static_cast<int>(i) + 1);
  }
}

TEST(LayoutTest, EdgesAreExactlyTheDefinedBinaryFractions) {
  for (const LayoutId id : kAll) {
    const auto edges = BinLayout::Get(id).edges();
    EXPECT_EQ(std::vector<double>(edges.begin(), edges.end()), DefinedEdges(id));
    for (const double edge : edges) {
      EXPECT_EQ(static_cast<double>(static_cast<float>(edge)), edge) << "not a float";
    }
  }
}

TEST(LayoutTest, BinAgreesWithBinarySearchOverTheEdges) {
  for (const LayoutId id : kAll) {
    const BinLayout& layout = BinLayout::Get(id);
    const std::vector<double> edges = DefinedEdges(id);
    const auto check = [&](float score) {
      ASSERT_EQ(layout.Bin(score), BinBySearch(edges, score)) << layout.name() << " at " << score;
    };
    for (const double edge : edges) {
      const auto at = static_cast<float>(edge);
      check(at);
      check(std::max(0.0F, std::nextafter(at, 0.0F)));
      check(std::min(1.0F, std::nextafter(at, 1.0F)));
    }
    Random random(1);
    for (int i = 0; i < 1'000'000; ++i) {
      switch (i % 4) {
        case 0:
          check(static_cast<float>(random.Unit()));
          break;
        case 1:
          check(static_cast<float>(std::ldexp(random.Unit(), -static_cast<int>(random.Below(30)))));
          break;
        case 2:
          check(1.0F - static_cast<float>(std::ldexp(random.Unit(), -static_cast<int>(random.Below(25)))));
          break;
        default:  // any float from 0 to 1 by its bits, subnormals too
          check(std::bit_cast<float>(static_cast<std::uint32_t>(random.Below(0x3f800001))));
      }
    }
  }
}

TEST(LayoutTest, OneHalfOpensABinAndOneClosesTheLast) {
  for (const LayoutId id : kAll) {
    const BinLayout& layout = BinLayout::Get(id);
    EXPECT_EQ(layout.edges()[static_cast<std::size_t>(layout.Bin(0.5F))], 0.5);
    EXPECT_EQ(layout.Bin(std::nextafter(0.5F, 0.0F)), layout.Bin(0.5F) - 1);
    EXPECT_EQ(layout.Bin(1.0F), layout.bins() - 1);
  }
}

TEST(LayoutTest, ZeroOfEitherSignAndSubnormalsAreInTheFirstBin) {
  for (const LayoutId id : kAll) {
    EXPECT_EQ(BinLayout::Get(id).Bin(0.0F), 0);
    EXPECT_EQ(BinLayout::Get(id).Bin(-0.0F), 0);
    EXPECT_EQ(BinLayout::Get(id).Bin(1e-45F), 0);
  }
}

TEST(LayoutTest, CoarserEdgesAreASubsetOfFinerOnes) {
  for (std::size_t fine = 0; fine < 4; ++fine) {
    for (std::size_t coarse = fine; coarse < 4; ++coarse) {
      const auto a = BinLayout::Get(kAll[fine]).edges();
      const auto b = BinLayout::Get(kAll[coarse]).edges();
      EXPECT_TRUE(std::includes(a.begin(), a.end(), b.begin(), b.end())) << fine << " to " << coarse;
    }
  }
}

TEST(LayoutTest, CoarseningMapsEveryScoreToItsCoarseBin) {
  Random random(2);
  for (std::size_t fine = 0; fine < 4; ++fine) {
    for (std::size_t coarse = fine; coarse < 4; ++coarse) {
      const BinLayout& a = BinLayout::Get(kAll[fine]);
      const BinLayout& b = BinLayout::Get(kAll[coarse]);
      const std::vector<std::uint16_t> map = a.CoarseningTo(b);
      ASSERT_EQ(map.size(), static_cast<std::size_t>(a.bins()));
      for (int i = 0; i < 20'000; ++i) {
        const auto score = std::bit_cast<float>(static_cast<std::uint32_t>(random.Below(0x3f800001)));
        ASSERT_EQ(map[static_cast<std::size_t>(a.Bin(score))], b.Bin(score));
      }
      for (const double edge : a.edges()) {
        const auto score = static_cast<float>(edge);
        ASSERT_EQ(map[static_cast<std::size_t>(a.Bin(score))], b.Bin(score));
      }
    }
  }
}

}  // namespace
}  // namespace detwatch::accumulate
