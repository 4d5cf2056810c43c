#include "lib/accumulate/layout.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace detwatch::accumulate {
namespace {

constexpr std::uint32_t kMantissaBits = 23;
constexpr std::uint32_t kMantissa = (1U << kMantissaBits) - 1;
// Biased exponent of [0.25, 0.5) plus one: octave = this - biased exponent.
constexpr std::uint32_t kOctaveZero = 126;

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

int BinLayout::Bin(float score) const noexcept {
  assert(score >= 0 && score <= 1);
  if (score < 0.5F) {
    // Adding zero turns -0 into 0; subnormals have the exponent 0 and fall into bin 0 with the rest.
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
    const std::uint32_t o = kOctaveZero - (bits >> kMantissaBits);
    if (o > low_octaves_) {
      return 0;
    }
    const Octave octave = low_[o];
    return octave.first + static_cast<int>((bits & kMantissa) >> octave.shift);
  }
  // 1 - score is exact here (Sterbenz). Bins are closed below in score, so open below in 1 - score: the
  // float just under it, which is one less as bits, falls into the right sub-bin.
  const float rest = 1 - score;
  if (rest <= 0) {
    return bins() - 1;
  }
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(rest) - 1;
  const std::uint32_t o = kOctaveZero - (bits >> kMantissaBits);
  if (o > high_octaves_) {
    return bins() - 1;
  }
  const Octave octave = high_[o];
  return octave.first - static_cast<int>((bits & kMantissa) >> octave.shift);
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
