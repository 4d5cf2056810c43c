#pragma once
// lib/expose -- the series limit. Series come in blocks that are kept whole or left out whole, so that no
// histogram, bound or group is ever cut in half. Blocks come in order of importance.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "lib/core/counters.h"
#include "lib/expose/sink.h"

namespace detwatch::expose {

class Emitter {
 public:
  // `reserved` series of the limit stay free for what the caller adds to the sink itself.
  Emitter(Sink& sink, std::size_t max_series, std::size_t reserved)
      : sink_(sink), free_(max_series > reserved ? max_series - reserved : 0), kept_(reserved) {}

  // Runs `emit`; keeps all series it makes, or none when they do not fit.
  template <class Emit>
  void Block(Emit&& emit) {
    sink_.Mark();
    block_ = 0;
    emit();
    if (block_ <= free_) {
      free_ -= block_;
      kept_ += block_;
    } else {
      sink_.Rollback();
      left_out_ += block_;
    }
  }

  // NaN, which is "undefined" inside, makes no series.
  void Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) {
    if (!std::isnan(value) && Take(1)) {
      sink_.Sample(family, base, leaf, value);
    }
  }
  void Count(Family family, const LabelSet& base, const LabelSet& leaf, std::uint64_t value) {
    Sample(family, base, leaf, static_cast<double>(value));
  }
  void Count(Family family, const LabelSet& base, const LabelSet& leaf, std::int64_t value) {
    Sample(family, base, leaf, static_cast<double>(value));
  }
  template <std::size_t kBuckets>
  void Histogram(Family family, const LabelSet& base, const std::array<double, kBuckets>& upper_edges,
                 const BucketCounts<kBuckets>& counts) {
    if (Take(kBuckets + 3)) {  // the edges, +Inf, _sum, _count
      sink_.Histogram(family, base, upper_edges, counts.counts, counts.sum);
    }
  }

  [[nodiscard]] std::size_t kept() const { return kept_; }
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  // Once a block is over the limit it is only counted.
  bool Take(std::size_t series) {
    block_ += series;
    return block_ <= free_;
  }

  Sink& sink_;
  std::size_t free_;
  std::size_t kept_;
  std::size_t block_ = 0;
  std::size_t left_out_ = 0;
};

}  // namespace detwatch::expose
