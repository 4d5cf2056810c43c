#pragma once
// lib/accumulate -- bin layouts: confidence -> bin. Mapping only; counts live in CountTable.
//
// Octaves from both ends, S/m/L/H: the low octave o = 1..L is [2^-(o+1), 2^-o), cut into max(m, S >> (o-1))
// equal sub-bins; below 2^-(L+1) one bin that starts at 0. The high side mirrors octaves 1..H around 0.5
// (edge e becomes 1 - e), and one last bin contains 1. Every bin is [lower, upper) in score, so 0.5 opens
// one. Edges are exact binary fractions. Resolution is where detectors need it: near 0 (clutter) and near
// 1 (over-confidence); uniform bins err by 0.008 mAP there.
//
// Layouts are frozen by name: a change is a new name, never a new meaning.
// Laws: BinAgreesWithBinarySearchOverTheEdges, CoarserEdgesAreASubsetOfFinerOnes.
// Cost: Bin() is a few integer operations, no libm. Threads: immutable.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace detwatch::accumulate {

// Serialised: values are frozen.
enum class LayoutId : std::uint8_t {
  k128_8_14_20 = 1,  // 690 bins: total, area all
  k64_8_13_20 = 2,   // 442 bins: windows, area all
  k32_4_12_17 = 3,   // 206 bins: total, other areas
  k16_2_8_14 = 4,    // 90 bins: windows, other areas; exported fleet counters
};

class BinLayout {
 public:
  // The one instance of each layout.
  [[nodiscard]] static const BinLayout& Get(LayoutId id);

  [[nodiscard]] LayoutId id() const { return id_; }
  [[nodiscard]] std::string_view name() const { return name_; }  // "128/8/14/20"
  [[nodiscard]] int bins() const { return static_cast<int>(edges_.size()) - 1; }
  // Requires: 0 <= score <= 1. Returns 0 <= bin < bins(), ascending in score.
  [[nodiscard]] int Bin(float score) const noexcept;
  // Bin b is [edges[b], edges[b + 1]), the last one closed; bins() + 1 values from 0 to 1.
  [[nodiscard]] std::span<const double> edges() const { return edges_; }
  // For every bin of this layout the bin of `coarser` that contains it.
  // Requires: coarser's edges are a subset of ours (true for 1 -> 2 -> 3 -> 4 and what follows from it).
  [[nodiscard]] std::vector<std::uint16_t> CoarseningTo(const BinLayout& coarser) const;

 private:
  static constexpr std::size_t kMaxOctaves = 20;
  static constexpr std::uint32_t kMantissaBits = 23;
  static constexpr std::uint32_t kMantissa = (1U << kMantissaBits) - 1;
  // Octave + biased exponent of a float: 125 is the exponent of [0.25, 0.5), the first octave.
  static constexpr std::uint32_t kOctaveZero = 126;
  // The sub-bins of one octave: bin = first + or - the leading mantissa bits that `shift` leaves.
  struct Octave {
    std::uint16_t first = 0;
    std::uint8_t shift = 0;
  };

  BinLayout(LayoutId id, std::string_view name, int sub, int min_sub, int low_octaves, int high_octaves);
  friend struct Layouts;

  LayoutId id_;
  std::string_view name_;
  std::uint32_t low_octaves_;
  std::uint32_t high_octaves_;
  std::array<Octave, kMaxOctaves + 1> low_{};   // by octave, 1 next to 0.5; first: the lowest sub-bin
  std::array<Octave, kMaxOctaves + 1> high_{};  // first: the highest sub-bin
  std::vector<double> edges_;
};

inline int BinLayout::Bin(float score) const noexcept {
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

}  // namespace detwatch::accumulate
