#pragma once
// Messages of the benchmarks' load as a publisher would send them: encoded once, with another frame id each
// time.
//
// A daemon must see every frame id only once, and encoding would cost more than what is measured. So the id
// has a fixed number of digits, and a payload is sent again with other digits in it.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/frame.h"
#include "lib/wire/decode.h"
#include "tests/bench/load_support.h"

namespace detwatch::bench {

// Ids 0 to n - 1.
[[nodiscard]] ClassList Classes(std::uint32_t n);

// Both halves of one frame of the load, coordinates as float32. At most `boxes` of each; detections are in
// descending order of score, so the best ones stay. `final`: the labels say so.
[[nodiscard]] wire::FramePair MakePair(const Frame& frame, const ClassList& classes, std::size_t boxes,
                                       bool final = true);

// One payload with a number in place of its frame id.
class Stamped {
 public:
  explicit Stamped(const wire::Message& message);  // of one frame, made by MakePair
  // The payload with this number. Valid until the next call.
  [[nodiscard]] const std::string& At(std::uint64_t number);

 private:
  std::string bytes_;
  std::vector<std::size_t> places_;  // where the digits are
};

// The payloads of a load, over and over: number n is that of frame n modulo the size of the load.
struct Traffic {
  // As MakePair. `frames`: how many different ones to encode.
  Traffic(const Load& load, std::size_t frames, std::size_t boxes, bool final = true);

  [[nodiscard]] const std::string& Predictions(std::uint64_t n) {
    return predictions[n % predictions.size()].At(n);
  }
  [[nodiscard]] const std::string& Labels(std::uint64_t n) { return labels[n % labels.size()].At(n); }
  [[nodiscard]] const std::string& Pair(std::uint64_t n) { return pairs[n % pairs.size()].At(n); }

  std::string class_list;  // the payload that announces the classes
  std::vector<Stamped> predictions;
  std::vector<Stamped> labels;
  std::vector<Stamped> pairs;
};

}  // namespace detwatch::bench
