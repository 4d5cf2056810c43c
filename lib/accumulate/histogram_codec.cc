// The stored form of a histogram, version 2:
//   version, thresholds, areas, max dets, operating points, headline IoU, headline layout, other layout
//   (a byte each), then one stream of signed values: the tallies; per area the detections by bin, their sums
//   of scores by bin, their sums of squares by bin, the true positives by bin and threshold, the ignored by
//   bin and threshold. A value is a zigzag varint; a run of n zeros is 0 followed by the varint n - 1. Bins
//   without a row are part of such runs.
//   Both sums are modulo 2^31 - 1 (score_sums.h), written as the remainder nearest to zero, and made small
//   where there are few detections: of the sum is taken what n detections at the lower edge of the bin have,
//   of the sum of squares n times the square of the sum, which for a single detection is all of it.
//
// Version 1 had no sums of scores and is refused: without them nothing could be added to it or taken from it.

#include "lib/accumulate/histogram.h"
#include "lib/core/bytes.h"

namespace detwatch::accumulate {
namespace {

constexpr std::uint8_t kVersion = 2;

class RunWriter {
 public:
  explicit RunWriter(std::string& out) : out_(out) {}
  void Zeros(std::uint64_t n) { zeros_ += n; }
  void Value(std::int64_t value) {
    if (value == 0) {
      ++zeros_;
      return;
    }
    Flush();
    AppendVarint(out_, ZigZag(value));
  }
  void Flush() {
    if (zeros_ > 0) {
      out_.push_back(0);
      AppendVarint(out_, zeros_ - 1);
      zeros_ = 0;
    }
  }

 private:
  std::string& out_;
  std::uint64_t zeros_ = 0;
};

// The reverse; hands out at most `total` values whatever the bytes say.
class RunReader {
 public:
  RunReader(ByteReader& in, std::uint64_t total) : in_(in), total_(total) {}
  // Zeros that come next, so that a caller can skip rows without touching them.
  [[nodiscard]] std::uint64_t Zeros() {
    if (zeros_ == 0 && !has_value_ && total_ > 0) {
      Fetch();
    }
    return zeros_;
  }
  void SkipZeros(std::uint64_t n) { zeros_ -= n; }
  [[nodiscard]] std::int64_t Value() {
    if (Zeros() > 0) {
      --zeros_;
      return 0;
    }
    has_value_ = false;
    return value_;
  }
  [[nodiscard]] bool AtEnd() const { return total_ == 0 && zeros_ == 0 && !has_value_; }
  [[nodiscard]] bool ok() const { return ok_ && in_.ok(); }

 private:
  void Fetch() {
    const std::uint64_t token = in_.Varint();
    if (token != 0) {
      value_ = UnZigZag(token);
      has_value_ = true;
      --total_;
      return;
    }
    const std::uint64_t more = in_.Varint();
    if (!in_.ok() || more >= total_) {
      ok_ = false;
      zeros_ = total_;
      total_ = 0;
      return;
    }
    zeros_ = more + 1;
    total_ -= zeros_;
  }

  ByteReader& in_;
  std::uint64_t total_;  // values not fetched yet
  std::uint64_t zeros_ = 0;
  std::int64_t value_ = 0;
  bool has_value_ = false;
  bool ok_ = true;
};

void WriteRows(RunWriter& writer, const BinRows& rows) {
  for (int bin = 0; bin < rows.bins(); ++bin) {
    const auto row = rows.Find(bin);
    if (row.empty()) {
      writer.Zeros(rows.width());
    }
    for (const std::int64_t value : row) {
      writer.Value(value);
    }
  }
}

void ReadRows(RunReader& reader, BinRows& rows) {
  for (int bin = 0; bin < rows.bins() && reader.ok(); ++bin) {
    if (reader.Zeros() >= rows.width()) {
      reader.SkipZeros(rows.width());
      continue;
    }
    std::int64_t* row = rows.Row(bin);
    for (std::size_t i = 0; i < rows.width(); ++i) {
      row[i] = reader.Value();
    }
  }
}

// Of a bin: what n detections at its lower edge sum up to.
std::uint32_t AtLowerEdge(double edge, std::int64_t n) {
  return PrimeField::Multiply(PrimeField::From(n), ScoreSums::Bits(static_cast<float>(edge)));
}

// n times the square of the sum.
std::uint32_t Predicted(const BinDetections& bin) {
  return PrimeField::Multiply(PrimeField::From(bin.count),
                              PrimeField::Multiply(bin.scores.sum, bin.scores.sum));
}

void WriteDetections(RunWriter& writer, std::span<const BinDetections> bins, const BinLayout& layout) {
  for (const BinDetections& bin : bins) {
    writer.Value(bin.count);
  }
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const std::uint32_t at_edge = AtLowerEdge(layout.edges()[b], bins[b].count);
    writer.Value(PrimeField::Centred(PrimeField::Add(bins[b].scores.sum, PrimeField::Negate(at_edge))));
  }
  for (const BinDetections& bin : bins) {
    const std::uint32_t predicted = Predicted(bin);
    writer.Value(PrimeField::Centred(PrimeField::Add(bin.scores.square, PrimeField::Negate(predicted))));
  }
}

void ReadDetections(RunReader& reader, std::span<BinDetections> bins, const BinLayout& layout) {
  for (BinDetections& bin : bins) {
    bin.count = reader.Value();
  }
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const std::uint32_t at_edge = AtLowerEdge(layout.edges()[b], bins[b].count);
    bins[b].scores.sum = PrimeField::Add(PrimeField::From(reader.Value()), at_edge);
  }
  for (BinDetections& bin : bins) {
    bin.scores.square = PrimeField::Add(PrimeField::From(reader.Value()), Predicted(bin));
  }
}

bool Known(std::uint8_t layout) {
  return layout >= static_cast<std::uint8_t>(LayoutId::k128_8_14_20) &&
         layout <= static_cast<std::uint8_t>(LayoutId::k16_2_8_14);
}

}  // namespace

std::string Histogram::Serialise() const {
  std::string out;
  for (const std::uint8_t byte :
       {kVersion, shape_.thresholds, shape_.areas, shape_.max_dets, shape_.operating_points,
        shape_.headline_iou, static_cast<std::uint8_t>(shape_.headline_layout),
        static_cast<std::uint8_t>(shape_.other_layout)}) {
    out.push_back(static_cast<char>(byte));
  }
  RunWriter writer(out);
  for (const std::int64_t value : tallies_) {
    writer.Value(value);
  }
  for (std::size_t area = 0; area < tables_.size(); ++area) {
    const CountTable& table = tables_[area];
    WriteDetections(writer, table.detections, shape_.layout(area));
    WriteRows(writer, table.true_positives);
    WriteRows(writer, table.ignored);
  }
  writer.Flush();
  return out;
}

Result<Histogram> Histogram::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.Byte();
  if (in.ok() && version == 1) {
    return Fail("histogram: version 1 has no sums of scores and cannot be read any more");
  }
  if (in.ok() && version != kVersion) {
    return Fail("histogram: version " + std::to_string(version) + " is unknown");
  }
  Shape shape;
  shape.thresholds = in.Byte();
  shape.areas = in.Byte();
  shape.max_dets = in.Byte();
  shape.operating_points = in.Byte();
  shape.headline_iou = in.Byte();
  const std::uint8_t headline_layout = in.Byte();
  const std::uint8_t other_layout = in.Byte();
  if (!in.ok()) {
    return Fail("histogram: shape is cut short");
  }
  if (shape.thresholds > kMaxIouThresholds || shape.areas > kMaxAreaRanges || shape.max_dets > kMaxMaxDets ||
      shape.operating_points > kMaxOperatingPoints ||
      (shape.headline_iou >= shape.thresholds && shape.headline_iou != 0)) {
    return Fail("histogram: shape is out of range");
  }
  if (!Known(headline_layout) || !Known(other_layout)) {
    return Fail("histogram: layout is unknown");
  }
  shape.headline_layout = static_cast<LayoutId>(headline_layout);
  shape.other_layout = static_cast<LayoutId>(other_layout);

  Histogram histogram(shape);
  std::uint64_t total = histogram.tallies_.size();
  for (const CountTable& table : histogram.tables_) {
    total +=
        static_cast<std::uint64_t>(table.bins()) * (3 + table.true_positives.width() + table.ignored.width());
  }
  RunReader reader(in, total);
  for (std::int64_t& value : histogram.tallies_) {
    value = reader.Value();
  }
  for (std::size_t area = 0; area < histogram.tables_.size(); ++area) {
    CountTable& table = histogram.tables_[area];
    ReadDetections(reader, table.detections, shape.layout(area));
    ReadRows(reader, table.true_positives);
    ReadRows(reader, table.ignored);
  }
  if (!reader.ok()) {
    return Fail("histogram: counts are cut short or a run of zeros is too long");
  }
  if (!reader.AtEnd() || in.left() != 0) {
    return Fail("histogram: " + std::to_string(in.left()) + " bytes follow the counts");
  }
  return histogram;
}

}  // namespace detwatch::accumulate
