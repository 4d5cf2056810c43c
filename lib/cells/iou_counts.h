#pragma once
// lib/cells -- how well the boxes of true positives fit: counts by IoU.
//
// A mean of the IoU hides the tail: one camera that was moved makes a tenth of the boxes bad and the mean
// hardly moves. True positives at the headline IoU with at least the confidence of the first operating
// point, those that the mean is over, are counted in bins of 0.02 from 0 to 1.
//
// Since the beginning only: the panes of windows hold the histogram.
// A group: what is added with sign 1 is taken out with sign -1, in any order.
// Laws (tests of the same name): IouCountsAreAGroup, QuantilesAreWithinABin. Cost: 400 bytes. Threads: none.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "lib/core/bytes.h"
#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"

namespace detwatch::cells {

class IouCounts {
 public:
  static constexpr std::size_t kBins = 50;

  // The true positives among the detections of one class in one frame.
  void Count(const EvaluationParams& params, std::span<const DetectionOutcome> detections, int sign);
  void Add(const IouCounts& other);
  // The IoU that a share `q` in [0, 1] of the true positives is at or below, linear inside a bin, so within
  // 0.02 of the exact one. NaN without true positives.
  [[nodiscard]] double Quantile(double q) const;

  // At most 2 bytes a bin for counts below 64; one byte when there are none.
  void Append(std::string& out) const;
  // False when there is something else.
  [[nodiscard]] bool Read(ByteReader& in);

  friend bool operator==(const IouCounts& a, const IouCounts& b) { return a.bins_ == b.bins_; }

 private:
  std::array<std::int64_t, kBins> bins_{};
};

}  // namespace detwatch::cells
