#include <limits>
#include <utility>

#include "lib/expose/sink.h"

namespace detwatch::expose {
namespace {

prometheus::ClientMetric Labelled(const LabelSet& base, const LabelSet& leaf) {
  prometheus::ClientMetric metric;
  metric.label.reserve(base.pairs().size() + leaf.pairs().size());
  metric.label.insert(metric.label.end(), base.pairs().begin(), base.pairs().end());
  metric.label.insert(metric.label.end(), leaf.pairs().begin(), leaf.pairs().end());
  return metric;
}

}  // namespace

void FamilySink::Sample(Family family, const LabelSet& base, const LabelSet& leaf, double value) {
  prometheus::ClientMetric metric = Labelled(base, leaf);
  if (Info(family).type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  metrics_[static_cast<std::size_t>(family)].push_back(std::move(metric));
}

void FamilySink::Histogram(Family family, const LabelSet& base, std::span<const double> upper_edges,
                           std::span<const std::uint64_t> counts, double sum) {
  prometheus::ClientMetric metric = Labelled(base, {});
  metric.histogram.bucket.reserve(counts.size());
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    metric.histogram.bucket.push_back(
        {cumulated, i < upper_edges.size() ? upper_edges[i] : std::numeric_limits<double>::infinity()});
  }
  metric.histogram.sample_count = cumulated;
  metric.histogram.sample_sum = sum;
  metrics_[static_cast<std::size_t>(family)].push_back(std::move(metric));
}

void FamilySink::Mark() {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    marks_[f] = metrics_[f].size();
  }
}

void FamilySink::Rollback() {
  for (std::size_t f = 0; f < kFamilies; ++f) {
    metrics_[f].resize(marks_[f]);
  }
}

std::vector<prometheus::MetricFamily> FamilySink::Finish() {
  std::vector<prometheus::MetricFamily> out;
  for (std::size_t f = 0; f < kFamilies; ++f) {
    if (metrics_[f].empty()) {
      continue;
    }
    const FamilyInfo& info = Info(static_cast<Family>(f));
    out.push_back({std::string(info.name), std::string(info.help), info.type, std::move(metrics_[f])});
  }
  return out;
}

}  // namespace detwatch::expose
