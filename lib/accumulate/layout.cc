#include "lib/accumulate/layout.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace detwatch::accumulate {
namespace {

int SubBins(int sub, int min_sub, int octave) {
  return std::max(min_sub, sub >> (octave - 1));
}

}  // namespace

// All of them, built once; a struct so that BinLayout's constructor can stay private.
struct Layouts {
  BinLayout fine{LayoutId::k128_8_14_20, "128/8/14/20", 128, 8, 14, 20};
  BinLayout window{LayoutId::k64_8_13_20, "64/8/13/20", 64, 8, 13, 20};
  BinLayout area{LayoutId::k32_4_12_17, "32/4/12/17", 32, 4, 12, 17};
  BinLayout small{LayoutId::k16_2_8_14, "16/2/8/14", 16, 2, 8, 14};
};

const BinLayout& BinLayout::Get(LayoutId id) {
  static const Layouts layouts;
  switch (id) {
    case LayoutId::k64_8_13_20:
      return layouts.window;
    case LayoutId::k32_4_12_17:
      return layouts.area;
    case LayoutId::k16_2_8_14:
      return layouts.small;
    case LayoutId::k128_8_14_20:
      break;
  }
  return layouts.fine;
}

BinLayout::BinLayout(LayoutId id, std::string_view name, int sub, int min_sub, int low_octaves,
                     int high_octaves)
    : id_(id),
      name_(name),
      low_octaves_(static_cast<std::uint32_t>(low_octaves)),
      high_octaves_(static_cast<std::uint32_t>(high_octaves)) {
  // Every number here is a sum of few powers of two, so all arithmetic is exact.
  const auto octave = [&](int o, std::size_t first) {
    const auto bins = static_cast<std::uint32_t>(SubBins(sub, min_sub, o));
    return Octave{static_cast<std::uint16_t>(first),
                  static_cast<std::uint8_t>(kMantissaBits - std::countr_zero(bins))};
  };
  edges_.push_back(0);
  for (int o = low_octaves; o >= 1; --o) {
    low_[static_cast<std::size_t>(o)] = octave(o, edges_.size());
    const double lower = 1.0 / static_cast<double>(std::uint64_t{2} << o);
    const int bins = SubBins(sub, min_sub, o);
    for (int k = 0; k < bins; ++k) {
      edges_.push_back(lower + lower * k / bins);
    }
  }
  for (int o = 1; o <= high_octaves; ++o) {
    const double lower = 1.0 / static_cast<double>(std::uint64_t{2} << o);
    const int bins = SubBins(sub, min_sub, o);
    high_[static_cast<std::size_t>(o)] = octave(o, edges_.size() + static_cast<std::size_t>(bins) - 1);
    for (int k = bins; k >= 1; --k) {
      edges_.push_back(1 - (lower + lower * k / bins));
    }
  }
  edges_.push_back(1 - 1.0 / static_cast<double>(std::uint64_t{2} << high_octaves));
  edges_.push_back(1);
}

std::vector<std::uint16_t> BinLayout::CoarseningTo(const BinLayout& coarser) const {
  std::vector<std::uint16_t> map(static_cast<std::size_t>(bins()));
  std::size_t target = 0;
  for (std::size_t b = 0; b < map.size(); ++b) {
    while (coarser.edges_[target + 1] <= edges_[b]) {
      ++target;
    }
    assert(edges_[b + 1] <= coarser.edges_[target + 1]);
    map[b] = static_cast<std::uint16_t>(target);
  }
  return map;
}

}  // namespace detwatch::accumulate
