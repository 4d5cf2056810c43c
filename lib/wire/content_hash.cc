#include "lib/wire/content_hash.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

namespace detwatch::wire {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd constants with well spread bits: the fractional digits of pi.
constexpr std::array<std::uint64_t, 8> kKeys = {
    0x243f6a8885a308d3ULL, 0x13198a2e03707345ULL, 0xa4093822299f31d1ULL, 0x082efa98ec4e6c89ULL,
    0x452821e638d01377ULL, 0xbe5466cf34e90c6dULL, 0xc0ac29b7c97c50ddULL, 0x3f84d5b5b5470917ULL};

std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t Load(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Adds one column to the state; its length first, so that values cannot wander between columns.
template <class T>
std::uint64_t Column(std::uint64_t state, const std::vector<T>& values) {
  const std::size_t bytes = values.size() * sizeof(T);
  state = Mix(state ^ kKeys[0], bytes ^ kKeys[1]);
  if (bytes == 0) {
    return state;
  }
  const char* at = reinterpret_cast<const char*>(values.data());
  std::size_t left = bytes;
  if (left >= 64) {
    std::array<std::uint64_t, 4> lane = {state, state ^ kKeys[2], state ^ kKeys[4], state ^ kKeys[6]};
    for (; left >= 64; left -= 64, at += 64) {
      for (std::size_t i = 0; i < lane.size(); ++i) {
        // The key keeps a zero word from wiping out the lane.
        lane[i] = Mix(Load(at + 16 * i) ^ lane[i], Load(at + 16 * i + 8) ^ kKeys[2 * i + 1]);
      }
    }
    state = Mix(lane[0] ^ kKeys[3], lane[1] ^ kKeys[5]) ^ Mix(lane[2] ^ kKeys[7], lane[3] ^ kKeys[1]);
  }
  for (; left > 0;) {
    std::array<char, 16> rest{};
    const std::size_t taken = left < rest.size() ? left : rest.size();
    std::memcpy(rest.data(), at, taken);
    state = Mix(Load(rest.data()) ^ state, Load(rest.data() + 8) ^ kKeys[3]);
    at += taken;
    left -= taken;
  }
  return state;
}

}  // namespace

std::uint64_t ContentHash(const Predictions& predictions) {
  std::uint64_t state = Mix(static_cast<std::uint64_t>(predictions.class_list) ^ kKeys[5], kKeys[6]);
  state = Column(state, predictions.boxes);
  state = Column(state, predictions.scores);
  return Column(state, predictions.class_ids);
}

std::uint64_t ContentHash(const Labels& labels) {
  const std::uint64_t kind = labels.partial ? kKeys[2] : kKeys[4];
  std::uint64_t state = Mix(static_cast<std::uint64_t>(labels.class_list) ^ kKeys[5], kind);
  state = Column(state, labels.boxes);
  state = Column(state, labels.class_ids);
  state = Column(state, labels.areas);
  state = Column(state, labels.crowd);
  state = Column(state, labels.difficult);
  return Column(state, labels.examined);
}

}  // namespace detwatch::wire
