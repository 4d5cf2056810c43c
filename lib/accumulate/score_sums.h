#pragma once
// lib/accumulate -- sums over the scores of detections that tell whether all of them have one score.
//
// With x the bits of a score as float32, n detections have one score exactly when n * sum(x^2) = sum(x)^2:
// the difference is the sum of (x - y)^2 over all pairs. Both sums are kept modulo the prime 2^31 - 1, which
// is above every x, so eight bytes hold them whatever the traffic and they stay a group under add and
// subtract. Equal scores always pass the test. Two different scores never do (until a count is itself a
// multiple of the prime: then one in 2^31), more than two with a chance of 2^-31; such a bin would be read
// as tied, within its bounds still. No layout is involved, so a coarser bin's sums are just the sum of those
// of the finer bins in it.
//
// Law: OneScoreIsToldFromMany. Cost: Of is two multiplications' worth, Add four instructions. Threads: pure
// values.

#include <algorithm>
#include <bit>
#include <cstdint>

namespace detwatch::accumulate {

// Integers modulo 2^31 - 1, each as the one representative below it.
struct PrimeField {
  static constexpr std::uint32_t kPrime = (1U << 31) - 1;

  // Requires: value < 2^62.
  [[nodiscard]] static constexpr std::uint32_t Reduce(std::uint64_t value) {
    const auto folded = static_cast<std::uint32_t>((value & kPrime) + (value >> 31));
    return Once(folded);
  }
  [[nodiscard]] static constexpr std::uint32_t Add(std::uint32_t a, std::uint32_t b) { return Once(a + b); }
  [[nodiscard]] static constexpr std::uint32_t Negate(std::uint32_t a) { return Once(kPrime - a); }
  [[nodiscard]] static constexpr std::uint32_t Multiply(std::uint32_t a, std::uint32_t b) {
    return Reduce(std::uint64_t{a} * b);
  }
  [[nodiscard]] static constexpr std::uint32_t From(std::int64_t value) {
    const std::int64_t rest = value % std::int64_t{kPrime};
    return static_cast<std::uint32_t>(rest < 0 ? rest + kPrime : rest);
  }
  // The representative nearest to zero.
  [[nodiscard]] static constexpr std::int64_t Centred(std::uint32_t a) {
    return a <= kPrime / 2 ? std::int64_t{a} : std::int64_t{a} - kPrime;
  }

 private:
  // Requires: value < 2 * kPrime. Below the prime the difference wraps around to something larger.
  [[nodiscard]] static constexpr std::uint32_t Once(std::uint32_t value) {
    return std::min(value, value - kPrime);
  }
};

struct ScoreSums {
  std::uint32_t sum = 0;     // of x
  std::uint32_t square = 0;  // of x^2

  // What x is. Requires: 0 <= score <= 1. Both zeros are one score.
  [[nodiscard]] static std::uint32_t Bits(float score) { return std::bit_cast<std::uint32_t>(score + 0.0F); }
  // The sums over one detection.
  [[nodiscard]] static ScoreSums Of(float score) {
    const std::uint32_t x = Bits(score);
    return {x, PrimeField::Multiply(x, x)};
  }

  void Add(const ScoreSums& other) {
    sum = PrimeField::Add(sum, other.sum);
    square = PrimeField::Add(square, other.square);
  }
  [[nodiscard]] ScoreSums Negated() const { return {PrimeField::Negate(sum), PrimeField::Negate(square)}; }
  // Whether the n detections summed here all have one score.
  [[nodiscard]] bool OneScore(std::int64_t n) const {
    return PrimeField::Multiply(PrimeField::From(n), square) == PrimeField::Multiply(sum, sum);
  }

  friend bool operator==(const ScoreSums&, const ScoreSums&) = default;
};

}  // namespace detwatch::accumulate
