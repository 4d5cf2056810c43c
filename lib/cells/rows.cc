#include "lib/cells/rows.h"

#include "lib/core/bytes.h"

namespace detwatch::cells {
namespace {

using accumulate::Histogram;
using accumulate::Ring;
using accumulate::RingRecord;

// The first byte of every row. Frozen: a new form is a new number.
constexpr std::uint8_t kGroupVersion = 1;
constexpr std::uint8_t kKnownVersion = 1;
// 2: with counts by IoU, and histograms with sums of scores. Rows of 1 are refused: what they lack cannot be
// made up for.
constexpr std::uint8_t kCellVersion = 2;
constexpr std::uint8_t kAdditionVersion = 2;

tl::unexpected<Error> Damaged(const char* what) {
  return Fail(std::string("the store is damaged: ") + what + " cannot be read");
}

// Records through the ring's own form, which knows how to be small.
void AppendRecords(std::string& out, const std::vector<RingRecord>& records) {
  if (records.empty()) {
    AppendVarint(out, 0);
    return;
  }
  Ring ring(Ring::kUnlimited);
  ring.Append(records);
  AppendText(out, ring.Serialise());
}

bool ReadRecords(ByteReader& in, std::vector<RingRecord>& records) {
  const std::string_view bytes = in.Text();
  if (bytes.empty()) {
    return in.ok();
  }
  const auto ring = Ring::Parse(bytes, Ring::kUnlimited);
  if (!ring) {
    return false;
  }
  ring->CopyFrom(0, records);
  return true;
}

bool ReadHistogram(ByteReader& in, Histogram& out) {
  auto parsed = Histogram::Parse(in.Text());
  if (!parsed) {
    return false;
  }
  out = std::move(*parsed);
  return true;
}

// Null is an empty text.
void AppendOptional(std::string& out, const Histogram* counts) {
  AppendText(out, counts == nullptr ? std::string() : counts->Serialise());
}

bool ReadOptional(ByteReader& in, std::unique_ptr<Histogram>& out) {
  const std::string_view bytes = in.Text();
  if (bytes.empty()) {
    return in.ok();
  }
  auto parsed = Histogram::Parse(bytes);
  if (!parsed) {
    return false;
  }
  out = std::make_unique<Histogram>(std::move(*parsed));
  return true;
}

}  // namespace

std::string Encode(const GroupRow& row) {
  std::string out(1, static_cast<char>(kGroupVersion));
  AppendText(out, row.view);
  AppendVarint(out, row.labels.size());
  for (const auto& [name, value] : row.labels) {
    AppendText(out, name);
    AppendText(out, value);
  }
  AppendText(out, row.model);
  AppendFixed64(out, row.fingerprint);
  AppendVarint(out, row.first_ordinal);
  out.push_back(row.correctable ? 1 : 0);
  AppendVarint(out, row.predictions.frames);
  Serialise(row.predictions.confidence, out);
  Serialise(row.predictions.per_frame, out);
  Serialise(row.predictions.inference_seconds, out);
  window::Serialise(row.frames, out);
  row.retracted_sets.Serialise(out);
  AppendVarint(out, row.windows.size());
  for (const GroupRow::Window& window : row.windows) {
    AppendFixed64(out, window.tag);
    AppendSigned(out, ToUnixNanos(window.from));
    AppendText(out, window.frames);
  }
  return out;
}

Result<GroupRow> ParseGroup(std::string_view bytes) {
  ByteReader in(bytes);
  GroupRow row;
  if (in.Byte() != kGroupVersion) {
    return Damaged("a group");
  }
  row.view = in.Text();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string name(in.Text());
    row.labels.emplace_back(std::move(name), in.Text());
  }
  row.model = in.Text();
  row.fingerprint = in.Fixed64();
  row.first_ordinal = in.Varint();
  row.correctable = in.Byte() != 0;
  row.predictions.frames = in.Varint();
  detwatch::Restore(in, row.predictions.confidence);
  detwatch::Restore(in, row.predictions.per_frame);
  detwatch::Restore(in, row.predictions.inference_seconds);
  row.frames = window::ReadFrameStats(in);
  row.retracted_sets = window::SetCounts::Read(in);
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    GroupRow::Window window;
    window.tag = in.Fixed64();
    window.from = FromUnixNanos(in.Signed());
    window.frames = in.Text();
    row.windows.push_back(std::move(window));
  }
  return in.AtEnd() ? Result<GroupRow>(std::move(row)) : Damaged("a group");
}

std::string EncodeKnown(const std::vector<ClassId>& classes) {
  std::string out(1, static_cast<char>(kKnownVersion));
  for (const ClassId class_id : classes) {
    AppendVarint(out, detwatch::Index(class_id));
  }
  return out;
}

Result<std::vector<ClassId>> ParseKnown(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<ClassId> classes;
  if (in.Byte() != kKnownVersion) {
    return Damaged("the classes of a group");
  }
  while (in.ok() && in.left() > 0) {
    classes.push_back(static_cast<ClassId>(in.Varint()));
  }
  return in.ok() ? Result<std::vector<ClassId>>(std::move(classes)) : Damaged("the classes of a group");
}

std::string EncodeCell(const Histogram& total, const Histogram* retracted, const IouCounts& iou,
                       const Ring& ring, const std::vector<OpenPane>& open) {
  std::string out(1, static_cast<char>(kCellVersion));
  AppendText(out, total.Serialise());
  AppendOptional(out, retracted);
  iou.Append(out);
  AppendText(out, ring.Serialise());
  for (const OpenPane& window : open) {
    AppendFixed64(out, window.tag);
    AppendSigned(out, window.pane);
    AppendOptional(out, window.counts);
  }
  return out;
}

Result<StoredCell> ParseCell(std::string_view bytes, std::size_t ring_capacity) {
  ByteReader in(bytes);
  StoredCell cell;
  if (in.Byte() != kCellVersion || !ReadHistogram(in, cell.total) || !ReadOptional(in, cell.retracted) ||
      !cell.iou.Read(in)) {
    return Damaged("the counts of a class");
  }
  auto ring = Ring::Parse(in.Text(), ring_capacity);
  if (!ring) {
    return Damaged("the detections of a class");
  }
  cell.ring = std::move(*ring);
  while (in.ok() && in.left() > 0) {
    StoredCell::Window window;
    window.tag = in.Fixed64();
    window.open_pane = in.Signed();
    if (!ReadOptional(in, window.open)) {
      return Damaged("the window of a class");
    }
    cell.windows.push_back(std::move(window));
  }
  return in.ok() ? Result<StoredCell>(std::move(cell)) : Damaged("the counts of a class");
}

void AppendAddition(std::string& row, TimePoint quantum, const CellChange& change) {
  if (row.empty()) {
    row.push_back(static_cast<char>(kAdditionVersion));
  }
  std::string one;
  AppendSigned(one, ToUnixNanos(quantum));
  AppendText(one, change.counts.Serialise());
  AppendOptional(one, change.retracted.get());
  change.iou.Append(one);
  AppendVarint(one, change.dropped ? change.dropped_through + 1 : 0);
  AppendRecords(one, change.records);
  AppendVarint(one, change.removed.size());
  for (const accumulate::Ordinal ordinal : change.removed) {
    AppendVarint(one, ordinal);
  }
  AppendRecords(one, change.inserted);
  AppendText(row, one);
}

Result<std::vector<Addition>> ParseAdditions(std::string_view bytes) {
  std::vector<Addition> additions;
  ByteReader all(bytes);
  if (all.Byte() != kAdditionVersion) {
    return Damaged("what was added to a class");
  }
  while (all.ok() && all.left() > 0) {
    ByteReader in(all.Text());
    Addition& addition = additions.emplace_back();
    CellChange& change = addition.change;
    addition.quantum = FromUnixNanos(in.Signed());
    if (!ReadHistogram(in, change.counts) || !ReadOptional(in, change.retracted) || !change.iou.Read(in)) {
      return Damaged("what was added to a class");
    }
    const std::uint64_t dropped = in.Varint();
    change.dropped = dropped > 0;
    change.dropped_through = dropped > 0 ? dropped - 1 : 0;
    bool sound = ReadRecords(in, change.records);
    for (std::uint64_t n = sound ? in.Varint() : 0; n > 0 && in.ok(); --n) {
      change.removed.push_back(in.Varint());
    }
    sound = sound && ReadRecords(in, change.inserted) && in.AtEnd();
    if (!sound) {
      return Damaged("what was added to a class");
    }
  }
  return all.ok() ? Result<std::vector<Addition>>(std::move(additions))
                  : Damaged("what was added to a class");
}

}  // namespace detwatch::cells
