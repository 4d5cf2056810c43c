#include "lib/accumulate/curve.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "lib/accumulate/recall_points.h"

namespace detwatch::accumulate {

double AveragePrecision(std::span<const std::uint8_t> true_positive, std::int64_t ground_truths,
                        Interpolation interpolation) {
  if (ground_truths <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  // Between two TPs precision only falls, so the envelope is decided at TPs alone.
  std::vector<double> envelope;
  envelope.reserve(true_positive.size() -
                   static_cast<std::size_t>(std::count(true_positive.begin(), true_positive.end(), 0)));
  std::int64_t false_positives = 0;
  for (const std::uint8_t tp : true_positive) {
    if (tp == 0) {
      ++false_positives;
    } else {
      const auto j = static_cast<double>(envelope.size() + 1);
      envelope.push_back(PrecisionAt(j, static_cast<double>(false_positives), interpolation));
    }
  }
  for (std::size_t i = envelope.size(); i-- > 1;) {
    envelope[i - 1] = std::max(envelope[i - 1], envelope[i]);
  }
  if (interpolation == Interpolation::kAllPoints) {
    CompensatedSum area;
    for (const double precision : envelope) {
      area.Add(precision);
    }
    return std::min(1.0, area.value() / static_cast<double>(ground_truths));
  }
  const RecallPoints points(ground_truths, interpolation);
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto j = static_cast<std::size_t>(points[i]);
    sum += j <= envelope.size() ? envelope[j - 1] : 0;
  }
  return sum / static_cast<double>(points.size());
}

}  // namespace detwatch::accumulate
