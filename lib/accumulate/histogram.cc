#include "lib/accumulate/histogram.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace detwatch::accumulate {
namespace {

constexpr double kIouUnit = 4294967296.0;  // 2^32

Shape MakeShape(const EvaluationParams& params) {
  Shape shape;
  shape.thresholds = static_cast<std::uint8_t>(params.thresholds());
  shape.areas = static_cast<std::uint8_t>(params.areas());
  shape.max_dets = static_cast<std::uint8_t>(params.max_dets.size());
  shape.operating_points = static_cast<std::uint8_t>(params.operating_points.size());
  shape.headline_iou = static_cast<std::uint8_t>(params.HeadlineIou());
  return shape;
}

template <class Visit>
void ForEachBit(IouMask mask, Visit visit) {
  for (std::uint32_t bits = mask; bits != 0; bits &= bits - 1) {
    visit(static_cast<std::size_t>(std::countr_zero(bits)));
  }
}

// Rows of equal width from a finer or equal layout; `map` is empty for an equal one.
void AddRows(BinRows& to, const BinRows& from, std::span<const std::uint16_t> map, int sign) {
  for (int bin = 0; bin < from.bins(); ++bin) {
    const auto source = from.Find(bin);
    if (std::all_of(source.begin(), source.end(), [](std::int64_t n) { return n == 0; })) {
      continue;
    }
    std::int64_t* target = to.Row(map.empty() ? bin : map[static_cast<std::size_t>(bin)]);
    for (std::size_t i = 0; i < source.size(); ++i) {
      target[i] += sign * source[i];
    }
  }
}

bool SameRows(const BinRows& a, const BinRows& b) {
  const auto zero = [](std::int64_t n) { return n == 0; };
  for (int bin = 0; bin < a.bins(); ++bin) {
    const auto x = a.Find(bin);
    const auto y = b.Find(bin);
    const bool same = x.empty()   ? std::all_of(y.begin(), y.end(), zero)
                      : y.empty() ? std::all_of(x.begin(), x.end(), zero)
                                  : std::equal(x.begin(), x.end(), y.begin());
    if (!same) {
      return false;
    }
  }
  return true;
}

bool ZeroRows(const BinRows& rows) {
  for (int bin = 0; bin < rows.bins(); ++bin) {
    const auto row = rows.Find(bin);
    if (!std::all_of(row.begin(), row.end(), [](std::int64_t n) { return n == 0; })) {
      return false;
    }
  }
  return true;
}

}  // namespace

Shape Shape::Fine(const EvaluationParams& params) {
  Shape shape = MakeShape(params);
  shape.headline_layout = LayoutId::k128_8_14_20;
  shape.other_layout = LayoutId::k32_4_12_17;
  return shape;
}

Shape Shape::Coarse(const EvaluationParams& params) {
  Shape shape = MakeShape(params);
  shape.headline_layout = LayoutId::k64_8_13_20;
  shape.other_layout = LayoutId::k16_2_8_14;
  return shape;
}

Histogram::Histogram(const Shape& shape) : shape_(shape), tallies_(shape.tallies(), 0) {
  tables_.reserve(shape.areas);
  for (std::size_t area = 0; area < shape.areas; ++area) {
    tables_.emplace_back(shape.layout(area).bins(), shape.thresholds);
  }
}

void Histogram::Count(const EvaluationParams& params, const ClassOutcome& outcome,
                      std::span<const DetectionOutcome> detections, int sign) {
  assert(params.thresholds() == shape_.thresholds && params.areas() == shape_.areas);
  assert(params.max_dets.size() == shape_.max_dets);
  assert(params.operating_points.size() == shape_.operating_points);
  assert(detections.size() == outcome.count);
  const std::size_t areas = shape_.areas;
  const std::size_t points = shape_.operating_points;
  const auto all = static_cast<IouMask>((1U << shape_.thresholds) - 1);
  const auto headline = static_cast<IouMask>(1U << shape_.headline_iou);
  const BinLayout& headline_layout = shape_.layout(0);
  const BinLayout& other_layout = shape_.layout(1);

  for (std::size_t area = 0; area < areas; ++area) {
    AddTally(shape_.GroundTruths(area), sign * std::int64_t{outcome.ground_truths[area]});
  }
  AddTally(shape_.IgnoredGroundTruths(), sign * std::int64_t{outcome.ignored_ground_truths});

  std::array<std::int64_t, kMaxOperatingPoints> plain{};  // FPs at every threshold
  std::array<bool, kMaxOperatingPoints> predicted{};
  for (const DetectionOutcome& detection : detections) {
    const int other_bin = areas > 1 ? other_layout.Bin(detection.score) : 0;
    for (std::size_t area = 0; area < areas; ++area) {
      if (detection.ignored[area] == all) {
        continue;
      }
      CountTable& table = tables_[area];
      const int bin = area == 0 ? headline_layout.Bin(detection.score) : other_bin;
      std::int64_t* row = table.counts.Row(bin);
      row[0] += sign;
      ForEachBit(detection.true_positive[area], [&](std::size_t t) { row[1 + t] += sign; });
      if (detection.ignored[area] != 0) {
        std::int64_t* ignored = table.ignored.Row(bin);
        ForEachBit(detection.ignored[area], [&](std::size_t t) { ignored[t] += sign; });
      }
    }

    const IouMask tp = detection.true_positive[0];
    const IouMask ignored = detection.ignored[0];
    const auto fp = static_cast<IouMask>(all & ~(tp | ignored));
    for (std::size_t c = 0; c < points; ++c) {
      if (detection.score >= params.operating_points[c]) {
        predicted[c] = predicted[c] || (ignored & headline) == 0;
        if (fp == all) {
          plain[c] += sign;
          continue;
        }
        ForEachBit(tp, [&](std::size_t t) { AddTally(shape_.TruePositives(c, t), sign); });
        ForEachBit(fp, [&](std::size_t t) { AddTally(shape_.FalsePositives(c, t), sign); });
      }
    }
    if (tp != 0) {
      for (std::size_t k = 0; k < shape_.max_dets; ++k) {
        if (detection.rank < params.max_dets[k]) {
          ForEachBit(tp, [&](std::size_t t) { AddTally(shape_.TruePositivesByMaxDets(k, t), sign); });
        }
      }
      if ((tp & headline) != 0 && points > 0 && detection.score >= params.operating_points[0]) {
        AddTally(shape_.IouSum(),
                 sign * static_cast<std::int64_t>(static_cast<double>(detection.iou) * kIouUnit));
      }
    }
  }

  const bool present = outcome.ground_truths[0] > 0;
  const bool only_ignored = !present && outcome.ignored_ground_truths > 0;
  if (only_ignored) {
    AddTally(shape_.FramesIgnored(), sign);
  }
  for (std::size_t c = 0; c < points; ++c) {
    for (std::size_t t = 0; plain[c] != 0 && t < shape_.thresholds; ++t) {
      AddTally(shape_.FalsePositives(c, t), plain[c]);
    }
    if (!only_ignored && (present || predicted[c])) {
      const std::size_t frame_outcome = !present ? 1 : predicted[c] ? 0 : 2;
      AddTally(shape_.FrameOutcomes(c, frame_outcome), sign);
    }
  }
}

void Histogram::Add(const Histogram& other, int sign) {
  assert(tallies_.size() == other.tallies_.size() && tables_.size() == other.tables_.size());
  assert(shape_.thresholds == other.shape_.thresholds && shape_.max_dets == other.shape_.max_dets);
  for (std::size_t i = 0; i < tallies_.size(); ++i) {
    tallies_[i] += sign * other.tallies_[i];
  }
  for (std::size_t area = 0; area < tables_.size(); ++area) {
    const BinLayout& from = other.shape_.layout(area);
    const BinLayout& to = shape_.layout(area);
    std::vector<std::uint16_t> map;
    if (from.id() != to.id()) {
      map = from.CoarseningTo(to);
    }
    AddRows(tables_[area].counts, other.tables_[area].counts, map, sign);
    AddRows(tables_[area].ignored, other.tables_[area].ignored, map, sign);
  }
}

bool Histogram::IsZero() const {
  return std::all_of(tallies_.begin(), tallies_.end(), [](std::int64_t n) { return n == 0; }) &&
         std::all_of(tables_.begin(), tables_.end(), [](const CountTable& table) {
           return ZeroRows(table.counts) && ZeroRows(table.ignored);
         });
}

void Histogram::Compact() {
  for (CountTable& table : tables_) {
    table.counts.Compact();
    table.ignored.Compact();
  }
}

void Histogram::Clear() {
  std::fill(tallies_.begin(), tallies_.end(), 0);
  for (CountTable& table : tables_) {
    table.counts.Clear();
    table.ignored.Clear();
  }
}

std::size_t Histogram::bytes() const {
  std::size_t sum = tallies_.capacity() * sizeof(std::int64_t) + tables_.capacity() * sizeof(CountTable);
  for (const CountTable& table : tables_) {
    sum += table.counts.bytes() + table.ignored.bytes();
  }
  return sum;
}

bool operator==(const Histogram& a, const Histogram& b) {
  if (a.shape_ != b.shape_ || a.tallies_ != b.tallies_) {
    return false;
  }
  for (std::size_t area = 0; area < a.tables_.size(); ++area) {
    if (!SameRows(a.tables_[area].counts, b.tables_[area].counts) ||
        !SameRows(a.tables_[area].ignored, b.tables_[area].ignored)) {
      return false;
    }
  }
  return true;
}

}  // namespace detwatch::accumulate
