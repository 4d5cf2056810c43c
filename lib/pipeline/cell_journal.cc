#include "lib/pipeline/cell_journal.h"

#include <algorithm>

#include "lib/core/bytes.h"

namespace detwatch::pipeline {
namespace {

using accumulate::Histogram;
using accumulate::Ring;
using accumulate::RingRecord;

constexpr std::uint8_t kVersion = 1;

tl::unexpected<Error> Damaged() {
  return Fail("the store is damaged: the counts of a class cannot be read");
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

bool ReadRetracted(ByteReader& in, std::unique_ptr<Histogram>& out) {
  if (in.Byte() == 0) {
    return in.ok();
  }
  out = std::make_unique<Histogram>();
  return ReadHistogram(in, *out);
}

void AppendRetracted(std::string& out, const Histogram* retracted) {
  out.push_back(retracted == nullptr ? 0 : 1);
  if (retracted != nullptr) {
    AppendText(out, retracted->Serialise());
  }
}

}  // namespace

CellWriter::CellWriter(const Histogram& total, const Histogram* retracted, const Ring& ring) {
  out_.push_back(static_cast<char>(kVersion));
  AppendText(out_, total.Serialise());
  AppendRetracted(out_, retracted);
  AppendText(out_, ring.Serialise());
}

void CellWriter::AddWindow(std::uint64_t tag, std::int64_t open_pane, const Histogram& open) {
  AppendFixed64(out_, tag);
  AppendSigned(out_, open_pane);
  AppendText(out_, open.Serialise());
}

Result<StoredCell> ParseCell(std::string_view bytes, std::size_t ring_capacity) {
  ByteReader in(bytes);
  StoredCell cell;
  if (in.Byte() != kVersion || !ReadHistogram(in, cell.total) || !ReadRetracted(in, cell.retracted)) {
    return Damaged();
  }
  auto ring = Ring::Parse(in.Text(), ring_capacity);
  if (!ring) {
    return Damaged();
  }
  cell.ring = std::move(*ring);
  while (in.ok() && in.left() > 0) {
    StoredWindow window;
    window.tag = in.Fixed64();
    window.open_pane = in.Signed();
    if (!ReadHistogram(in, window.open)) {
      return Damaged();
    }
    cell.windows.push_back(std::move(window));
  }
  return in.ok() ? Result<StoredCell>(std::move(cell)) : Damaged();
}

void AppendDelta(std::string& out, TimePoint quantum, const CellDelta& delta) {
  std::string one;
  AppendSigned(one, ToUnixNanos(quantum));
  AppendText(one, delta.counts.Serialise());
  AppendRetracted(one, delta.retracted.get());
  AppendVarint(one, delta.dropped ? delta.dropped_through + 1 : 0);
  AppendRecords(one, delta.records);
  AppendVarint(one, delta.removed.size());
  for (const accumulate::Ordinal ordinal : delta.removed) {
    AppendVarint(one, ordinal);
  }
  AppendRecords(one, delta.inserted);
  AppendText(out, one);
}

Result<std::vector<StoredDelta>> ParseDeltas(std::string_view bytes) {
  std::vector<StoredDelta> deltas;
  ByteReader all(bytes);
  while (all.ok() && all.left() > 0) {
    ByteReader in(all.Text());
    StoredDelta stored;
    CellDelta& delta = stored.delta;
    stored.quantum = FromUnixNanos(in.Signed());
    if (!ReadHistogram(in, delta.counts) || !ReadRetracted(in, delta.retracted)) {
      return Damaged();
    }
    const std::uint64_t dropped = in.Varint();
    delta.dropped = dropped > 0;
    delta.dropped_through = dropped > 0 ? dropped - 1 : 0;
    if (!ReadRecords(in, delta.records)) {
      return Damaged();
    }
    for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
      delta.removed.push_back(in.Varint());
    }
    if (!ReadRecords(in, delta.inserted) || !in.AtEnd()) {
      return Damaged();
    }
    deltas.push_back(std::move(stored));
  }
  return all.ok() ? Result<std::vector<StoredDelta>>(std::move(deltas)) : Damaged();
}

void ApplyToRing(const CellDelta& delta, Ring& ring) {
  if (delta.dropped) {
    ring.MarkEvicted(delta.dropped_through);
  }
  ring.Append(delta.records);
  for (const accumulate::Ordinal ordinal : delta.removed) {
    ring.Remove(ordinal);
  }
  // One frame at a time; they are in the order of their ordinals.
  for (auto first = delta.inserted.begin(); first != delta.inserted.end();) {
    const auto last = std::find_if(first, delta.inserted.end(), [&](const RingRecord& record) {
      return record.ordinal() != first->ordinal();
    });
    ring.Insert({first, last});
    first = last;
  }
}

}  // namespace detwatch::pipeline
