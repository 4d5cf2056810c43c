#pragma once
// tests/accumulate -- random outcomes from a seed, and slow, obvious readings of the formulas to compare
// with.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/accumulate/curve.h"
#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/evaluation.h"
#include "lib/core/outcome.h"

namespace detwatch::accumulate {

// SplitMix64: the same numbers on every platform, which std's distributions do not promise.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  // In [0, n). Requires: n > 0.
  std::uint64_t Below(std::uint64_t n) { return Next() % n; }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double p) { return Unit() < p; }
  template <class T>
  void Shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[Below(i)]);
    }
  }

 private:
  std::uint64_t state_;
};

// One class of one frame.
struct Judged {
  ClassOutcome outcome;
  std::vector<DetectionOutcome> detections;
};

// Scores everywhere from 0 to 1, many of them equal; masks that are neither prefixes nor alike over areas.
[[nodiscard]] Judged RandomJudged(Random& random, const EvaluationParams& params);

// COCO's ten thresholds and four areas with three operating points.
[[nodiscard]] EvaluationParams ParamsWithPoints();

// Frames of one class counted into a histogram, with Frames().
[[nodiscard]] Histogram HistogramOf(const Shape& shape, const EvaluationParams& params,
                                    const std::vector<Judged>& frames);
// Their detections as records, ordinals from `first`.
[[nodiscard]] std::vector<RingRecord> RecordsOf(const std::vector<Judged>& frames, Ordinal first = 0);

// AP as the reference evaluators write it down: precision and recall of every rank, envelope from the right,
// recalls looked up by binary search.
[[nodiscard]] double ObviousAveragePrecision(const std::vector<std::uint8_t>& true_positive,
                                             std::int64_t ground_truths, Interpolation interpolation);

// The same from precisions at the TPs.
[[nodiscard]] double ObviousFromPrecisions(std::vector<double> precision, std::int64_t ground_truths,
                                           Interpolation interpolation);

// The monotone-cubic estimate evaluated at every single TP.
[[nodiscard]] double ObviousEstimate(const std::vector<BinCounts>& bins, std::int64_t ground_truths,
                                     Interpolation interpolation);

// For the names of parametrised tests.
[[nodiscard]] std::string NameOf(Interpolation interpolation);

}  // namespace detwatch::accumulate
