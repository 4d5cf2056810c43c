#include "lib/accumulate/ring.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "lib/core/bytes.h"

namespace detwatch::accumulate {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr Ordinal kOrdinalLimit = Ordinal{1} << 48;
constexpr std::size_t kSmallestRecord = 7;  // ordinal step, index, four bytes of score, mask presence

bool Below(const RingRecord& record, Ordinal ordinal) {
  return record.ordinal() < ordinal;
}

void AppendFloat(std::string& out, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) {
    out.push_back(static_cast<char>((bits >> shift) & 0xff));
  }
}

float ReadFloat(ByteReader& in) {
  std::uint32_t bits = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    bits |= std::uint32_t{in.Byte()} << shift;
  }
  return std::bit_cast<float>(bits);
}

void SetOrdinal(RingRecord& record, Ordinal ordinal) {
  record.ordinal_high = static_cast<std::uint16_t>(ordinal >> 32);
  record.ordinal_low = static_cast<std::uint32_t>(ordinal);
}

// Which of the eight masks are not zero, as bits; most records have none.
template <class Visit>
void ForEachMask(RingRecord& record, Visit visit) {
  for (std::size_t area = 0; area < kMaxAreaRanges; ++area) {
    visit(area, record.true_positive[area]);
    visit(area + kMaxAreaRanges, record.ignored[area]);
  }
}

}  // namespace

RingRecord RingRecord::From(const DetectionOutcome& outcome, Ordinal ordinal) {
  assert(ordinal < kOrdinalLimit);
  RingRecord record;
  record.score = outcome.score;
  record.index = static_cast<std::uint16_t>(std::min<std::uint32_t>(outcome.index, 0xffff));
  SetOrdinal(record, ordinal);
  record.true_positive = outcome.true_positive;
  record.ignored = outcome.ignored;
  return record;
}

void Ring::EvictBelow(Ordinal ordinal) {
  evicted_below_ = std::max(evicted_below_, ordinal);
  const auto kept = std::lower_bound(begin(), records_.end(), evicted_below_, Below);
  head_ = static_cast<std::size_t>(kept - records_.begin());
}

void Ring::Reserve(std::size_t n) {
  if (records_.size() + n <= records_.capacity()) {
    return;
  }
  // Moving `size` records once per `slack` appended ones keeps the cost of an append constant.
  const std::size_t slack = std::max<std::size_t>(64, size() / 8);
  if (head_ >= slack) {
    records_.erase(records_.begin(), begin());
    head_ = 0;
  }
  const std::size_t needed = records_.size() + n;
  if (needed > records_.capacity()) {
    const std::size_t roomy = std::max(needed, 2 * records_.capacity());
    const std::size_t most = capacity_ == kUnlimited ? kUnlimited : capacity_ + capacity_ / 8;
    records_.reserve(std::max(needed, std::min(roomy, most)));
  }
}

void Ring::Append(std::span<const RingRecord> records) {
  while (!records.empty() && Below(records.front(), evicted_below_)) {
    records = records.subspan(1);
  }
  if (records.empty()) {
    return;
  }
  assert(size() == 0 || !Below(records.front(), records_.back().ordinal()));
  if (records.size() > capacity_ - size()) {
    // The oldest make room; whatever else belongs to the last frame that is touched leaves with it.
    const std::size_t excess = records.size() - (capacity_ - size());
    const Ordinal last = excess <= size() ? (begin() + static_cast<std::ptrdiff_t>(excess) - 1)->ordinal()
                                          : records[excess - size() - 1].ordinal();
    EvictBelow(last + 1);
    const auto kept = std::lower_bound(records.begin(), records.end(), evicted_below_, Below);
    records = records.subspan(static_cast<std::size_t>(kept - records.begin()));
  }
  Reserve(records.size());
  records_.insert(records_.end(), records.begin(), records.end());
}

void Ring::MarkEvicted(Ordinal through) {
  EvictBelow(through + 1);
}

void Ring::Remove(Ordinal ordinal) {
  const auto first = std::lower_bound(begin(), records_.end(), ordinal, Below);
  const auto last = std::lower_bound(first, records_.end(), ordinal + 1, Below);
  records_.erase(first, last);
}

void Ring::Insert(std::span<const RingRecord> records) {
  if (records.empty() || !Covers(records.front().ordinal())) {
    return;
  }
  const Ordinal ordinal = records.front().ordinal();
  assert(records.back().ordinal() == ordinal);
  Reserve(records.size());
  const auto place = std::lower_bound(begin(), records_.end(), ordinal + 1, Below);
  records_.insert(place, records.begin(), records.end());
  if (size() > capacity_) {
    const auto excess = static_cast<std::ptrdiff_t>(size() - capacity_);
    EvictBelow((begin() + excess - 1)->ordinal() + 1);
  }
}

void Ring::CopyFrom(Ordinal first, std::vector<RingRecord>& out) const {
  const auto live = records_.begin() + static_cast<std::ptrdiff_t>(head_);
  out.assign(std::lower_bound(live, records_.end(), first, Below), records_.end());
}

// Version 1: version byte, evicted_below, number of records; per record the step of its ordinal, index,
// score (four bytes, lowest first), a byte that says which masks follow (true positive by area, then
// ignored by area), those masks. Integers are varints.
std::string Ring::Serialise() const {
  std::string out;
  out.push_back(static_cast<char>(kVersion));
  AppendVarint(out, evicted_below_);
  AppendVarint(out, size());
  Ordinal previous = 0;
  for (std::size_t i = head_; i < records_.size(); ++i) {
    RingRecord record = records_[i];
    AppendVarint(out, record.ordinal() - previous);
    previous = record.ordinal();
    AppendVarint(out, record.index);
    AppendFloat(out, record.score);
    std::uint8_t present = 0;
    ForEachMask(record, [&](std::size_t bit, const IouMask& mask) {
      present = static_cast<std::uint8_t>(present | ((mask != 0 ? 1U : 0U) << bit));
    });
    out.push_back(static_cast<char>(present));
    ForEachMask(record, [&](std::size_t, const IouMask& mask) {
      if (mask != 0) {
        AppendVarint(out, mask);
      }
    });
  }
  return out;
}

Result<Ring> Ring::Parse(std::string_view bytes, std::size_t capacity) {
  ByteReader in(bytes);
  const std::uint8_t version = in.Byte();
  if (in.ok() && version != kVersion) {
    return Fail("ring: version " + std::to_string(version) + " is unknown");
  }
  Ring ring(capacity);
  ring.evicted_below_ = in.Varint();
  const std::uint64_t count = in.Varint();
  if (!in.ok() || ring.evicted_below_ > kOrdinalLimit || count > in.left() / kSmallestRecord) {
    return Fail("ring: head is cut short or out of range");
  }
  std::vector<RingRecord> records;
  records.reserve(count);
  Ordinal ordinal = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = "ring: record " + std::to_string(i);
    const std::uint64_t step = in.Varint();
    const std::uint64_t index = in.Varint();
    RingRecord record;
    record.score = ReadFloat(in);
    const std::uint8_t present = in.Byte();
    bool masks_in_range = true;
    ForEachMask(record, [&](std::size_t bit, IouMask& mask) {
      if ((present >> bit & 1U) != 0) {
        const std::uint64_t value = in.Varint();
        masks_in_range = masks_in_range && value <= 0xffff;
        mask = static_cast<IouMask>(value);
      }
    });
    if (!in.ok()) {
      return Fail(name + " is cut short");
    }
    if (step >= kOrdinalLimit - ordinal || index > 0xffff || !masks_in_range ||
        !(record.score >= 0 && record.score <= 1)) {
      return Fail(name + " is out of range");
    }
    ordinal += step;
    SetOrdinal(record, ordinal);
    record.index = static_cast<std::uint16_t>(index);
    records.push_back(record);
  }
  if (in.left() != 0) {
    return Fail("ring: " + std::to_string(in.left()) + " bytes follow the records");
  }
  ring.Append(records);
  return ring;
}

}  // namespace detwatch::accumulate
