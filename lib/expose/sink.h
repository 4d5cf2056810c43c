#pragma once
// lib/expose -- where series go: text, prometheus::MetricFamily values, or a count. The first two group
// series by family, so the walk over a snapshot may visit families in any order, most important first.

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/expose/family.h"
#include "lib/expose/labels.h"

namespace detwatch::expose {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // One series with the labels of `base`, then of `leaf`.
  virtual void Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) = 0;
  // `counts` has one more entry than `upper_edges` and is not cumulated.
  virtual void Histogram(Family family, const LabelSet& base, std::span<const double> upper_edges,
                         std::span<const std::uint64_t> counts, double sum) = 0;
  // Rollback() forgets everything since the last Mark().
  virtual void Mark() = 0;
  virtual void Rollback() = 0;
};

class TextSink final : public Sink {
 public:
  void Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) override;
  void Histogram(Family family, const LabelSet& base, std::span<const double> upper_edges,
                 std::span<const std::uint64_t> counts, double sum) override;
  void Mark() override;
  void Rollback() override;
  [[nodiscard]] std::string Finish();

 private:
  std::array<std::string, kFamilies> bodies_;
  std::array<std::size_t, kFamilies> marks_{};
};

class FamilySink final : public Sink {
 public:
  void Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) override;
  void Histogram(Family family, const LabelSet& base, std::span<const double> upper_edges,
                 std::span<const std::uint64_t> counts, double sum) override;
  void Mark() override;
  void Rollback() override;
  [[nodiscard]] std::vector<prometheus::MetricFamily> Finish();

 private:
  std::array<std::vector<prometheus::ClientMetric>, kFamilies> metrics_;
  std::array<std::size_t, kFamilies> marks_{};
};

// Counts series as Prometheus does: a histogram is its buckets, its sum and its count.
class CountingSink final : public Sink {
 public:
  void Sample(Family, const LabelSet&, const LabelSet&, double) override { ++series_; }
  void Histogram(Family, const LabelSet&, std::span<const double>, std::span<const std::uint64_t> counts,
                 double) override {
    series_ += counts.size() + 2;
  }
  void Mark() override { mark_ = series_; }
  void Rollback() override { series_ = mark_; }
  [[nodiscard]] std::uint64_t series() const { return series_; }

 private:
  std::uint64_t series_ = 0;
  std::uint64_t mark_ = 0;
};

}  // namespace detwatch::expose
