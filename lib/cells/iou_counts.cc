#include "lib/cells/iou_counts.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace detwatch::cells {

void IouCounts::Count(const EvaluationParams& params, std::span<const DetectionOutcome> detections,
                      int sign) {
  const IouMask headline = static_cast<IouMask>(1U << params.HeadlineIou());
  for (const DetectionOutcome& detection : detections) {
    if ((detection.true_positive[0] & headline) != 0 && detection.score >= params.operating_points[0]) {
      const auto bin = static_cast<std::size_t>(std::clamp(detection.iou, 0.0F, 1.0F) * kBins);
      bins_[std::min(bin, kBins - 1)] += sign;
    }
  }
}

void IouCounts::Add(const IouCounts& other) {
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    bins_[bin] += other.bins_[bin];
  }
}

double IouCounts::Quantile(double q) const {
  const std::int64_t all = std::accumulate(bins_.begin(), bins_.end(), std::int64_t{0});
  if (all <= 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double wanted = q * static_cast<double>(all);
  double below = 0;
  std::size_t last = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins_[bin] == 0) {
      continue;
    }
    const auto count = static_cast<double>(bins_[bin]);
    if (below + count >= wanted) {
      return (static_cast<double>(bin) + (wanted - below) / count) / kBins;
    }
    below += count;
    last = bin;
  }
  return static_cast<double>(last + 1) / kBins;
}

void IouCounts::Append(std::string& out) const {
  const auto used = static_cast<std::uint64_t>(
      std::count_if(bins_.begin(), bins_.end(), [](std::int64_t count) { return count != 0; }));
  AppendVarint(out, used);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (bins_[bin] != 0) {
      AppendVarint(out, bin);
      AppendSigned(out, bins_[bin]);
    }
  }
}

bool IouCounts::Read(ByteReader& in) {
  bins_ = {};
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t bin = in.Varint();
    if (bin >= kBins) {
      return false;
    }
    bins_[bin] = in.Signed();
  }
  return in.ok();
}

}  // namespace detwatch::cells
