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

bool AllZero(std::span<const std::int64_t> values) {
  return std::all_of(values.begin(), values.end(), [](std::int64_t n) { return n == 0; });
}

bool AllEmpty(std::span<const BinDetections> bins) {
  return std::all_of(bins.begin(), bins.end(),
                     [](const BinDetections& bin) { return bin == BinDetections{}; });
}

// One detection in the table of one area range in which it is not ignored altogether.
void CountInto(CountTable& table, int bin, const ScoreSums& score, IouMask true_positive, IouMask ignored,
               int sign) {
  BinDetections& detections = table.detections[static_cast<std::size_t>(bin)];
  detections.count += sign;
  detections.scores.Add(score);
  if (true_positive != 0) {
    std::int64_t* row = table.true_positives.Row(bin);
    ForEachBit(true_positive, [&](std::size_t t) { row[t] += sign; });
  }
  if (ignored != 0) {
    std::int64_t* row = table.ignored.Row(bin);
    ForEachBit(ignored, [&](std::size_t t) { row[t] += sign; });
  }
}

// What is only known once all detections of the class in this frame were seen, by operating point.
struct FrameAtPoints {
  std::array<std::int64_t, kMaxOperatingPoints> plain{};  // FPs at every threshold
  std::array<bool, kMaxOperatingPoints> predicted{};      // one that is not ignored at HeadlineIou
};

// One detection at the operating points, in area 0.
void CountAtPoints(const EvaluationParams& params, const DetectionOutcome& detection, IouMask all, int sign,
                   Histogram& out, FrameAtPoints& frame) {
  const Shape& shape = out.shape();
  const IouMask tp = detection.true_positive[0];
  const IouMask ignored = detection.ignored[0];
  const auto fp = static_cast<IouMask>(all & ~(tp | ignored));
  for (std::size_t c = 0; c < shape.operating_points; ++c) {
    if (detection.score < params.operating_points[c]) {
      continue;
    }
    frame.predicted[c] = frame.predicted[c] || (ignored >> shape.headline_iou & 1) == 0;
    if (fp == all) {
      frame.plain[c] += sign;
      continue;
    }
    ForEachBit(tp, [&](std::size_t t) { out.AddTally(shape.TruePositives(c, t), sign); });
    ForEachBit(fp, [&](std::size_t t) { out.AddTally(shape.FalsePositives(c, t), sign); });
  }
}

// One detection that is a true positive somewhere in area 0.
void CountHit(const EvaluationParams& params, const DetectionOutcome& detection, int sign, Histogram& out) {
  const Shape& shape = out.shape();
  const IouMask tp = detection.true_positive[0];
  for (std::size_t k = 0; k < shape.max_dets; ++k) {
    if (detection.rank < params.max_dets[k]) {
      ForEachBit(tp, [&](std::size_t t) { out.AddTally(shape.TruePositivesByMaxDets(k, t), sign); });
    }
  }
  const bool at_headline = (tp >> shape.headline_iou & 1) != 0;
  if (at_headline && shape.operating_points > 0 && detection.score >= params.operating_points[0]) {
    const auto iou = static_cast<std::int64_t>(static_cast<double>(detection.iou) * kIouUnit);
    out.AddTally(shape.IouSum(), sign * iou);
  }
}

// From a finer or equal layout; `map` is empty for an equal one.
void AddTable(CountTable& to, const CountTable& from, std::span<const std::uint16_t> map, int sign) {
  const auto target = [&](int bin) {
    return map.empty() ? bin : static_cast<int>(map[static_cast<std::size_t>(bin)]);
  };
  const auto add_row = [&](BinRows& rows, std::span<const std::int64_t> source, int bin) {
    if (AllZero(source)) {
      return;
    }
    std::int64_t* row = rows.Row(target(bin));
    for (std::size_t i = 0; i < source.size(); ++i) {
      row[i] += sign * source[i];
    }
  };
  for (int bin = 0; bin < from.bins(); ++bin) {
    const BinDetections& source = from.detections[static_cast<std::size_t>(bin)];
    BinDetections& sum = to.detections[static_cast<std::size_t>(target(bin))];
    sum.count += sign * source.count;
    sum.scores.Add(sign > 0 ? source.scores : source.scores.Negated());
    add_row(to.true_positives, from.true_positives.Find(bin), bin);
    add_row(to.ignored, from.ignored.Find(bin), bin);
  }
}

bool SameRows(const BinRows& a, const BinRows& b) {
  for (int bin = 0; bin < a.bins(); ++bin) {
    const auto x = a.Find(bin);
    const auto y = b.Find(bin);
    const bool same =
        x.empty() || y.empty() ? AllZero(x) && AllZero(y) : std::equal(x.begin(), x.end(), y.begin());
    if (!same) {
      return false;
    }
  }
  return true;
}

bool ZeroRows(const BinRows& rows) {
  for (int bin = 0; bin < rows.bins(); ++bin) {
    if (!AllZero(rows.Find(bin))) {
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
  const auto all = static_cast<IouMask>((1U << shape_.thresholds) - 1);
  const BinLayout& headline_layout = shape_.layout(0);
  const BinLayout& other_layout = shape_.layout(1);

  for (std::size_t area = 0; area < areas; ++area) {
    AddTally(shape_.GroundTruths(area), sign * std::int64_t{outcome.ground_truths[area]});
  }
  AddTally(shape_.IgnoredGroundTruths(), sign * std::int64_t{outcome.ignored_ground_truths});

  FrameAtPoints frame;
  for (const DetectionOutcome& detection : detections) {
    const ScoreSums one = ScoreSums::Of(detection.score);
    const ScoreSums score = sign > 0 ? one : one.Negated();
    if (detection.ignored[0] != all) {
      CountInto(tables_[0], headline_layout.Bin(detection.score), score, detection.true_positive[0],
                detection.ignored[0], sign);
    }
    const int other_bin = areas > 1 ? other_layout.Bin(detection.score) : 0;
    for (std::size_t area = 1; area < areas; ++area) {
      if (detection.ignored[area] != all) {
        CountInto(tables_[area], other_bin, score, detection.true_positive[area], detection.ignored[area],
                  sign);
      }
    }
    CountAtPoints(params, detection, all, sign, *this, frame);
    if (detection.true_positive[0] != 0) {
      CountHit(params, detection, sign, *this);
    }
  }

  const bool present = outcome.ground_truths[0] > 0;
  const bool only_ignored = !present && outcome.ignored_ground_truths > 0;
  if (only_ignored) {
    AddTally(shape_.FramesIgnored(), sign);
  }
  for (std::size_t c = 0; c < shape_.operating_points; ++c) {
    for (std::size_t t = 0; frame.plain[c] != 0 && t < shape_.thresholds; ++t) {
      AddTally(shape_.FalsePositives(c, t), frame.plain[c]);
    }
    if (!only_ignored && (present || frame.predicted[c])) {
      const std::size_t frame_outcome = !present ? 1 : frame.predicted[c] ? 0 : 2;
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
    AddTable(tables_[area], other.tables_[area], map, sign);
  }
}

bool Histogram::IsZero() const {
  return AllZero(tallies_) && std::all_of(tables_.begin(), tables_.end(), [](const CountTable& table) {
           return AllEmpty(table.detections) && ZeroRows(table.true_positives) && ZeroRows(table.ignored);
         });
}

void Histogram::Compact() {
  for (CountTable& table : tables_) {
    table.true_positives.Compact();
    table.ignored.Compact();
  }
}

void Histogram::Clear() {
  std::fill(tallies_.begin(), tallies_.end(), 0);
  for (CountTable& table : tables_) {
    std::fill(table.detections.begin(), table.detections.end(), BinDetections{});
    table.true_positives.Clear();
    table.ignored.Clear();
  }
}

std::size_t Histogram::bytes() const {
  std::size_t sum = tallies_.capacity() * sizeof(std::int64_t) + tables_.capacity() * sizeof(CountTable);
  for (const CountTable& table : tables_) {
    sum += table.detections.capacity() * sizeof(BinDetections) + table.true_positives.bytes() +
           table.ignored.bytes();
  }
  return sum;
}

bool operator==(const Histogram& a, const Histogram& b) {
  return a.shape_ == b.shape_ && a.tallies_ == b.tallies_ &&
         std::equal(a.tables_.begin(), a.tables_.end(), b.tables_.begin(), b.tables_.end(),
                    [](const CountTable& x, const CountTable& y) {
                      return x.detections == y.detections && SameRows(x.true_positives, y.true_positives) &&
                             SameRows(x.ignored, y.ignored);
                    });
}

}  // namespace detwatch::accumulate
