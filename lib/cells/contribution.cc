#include "lib/cells/contribution.h"

#include <algorithm>

namespace detwatch::cells {

std::int64_t QuantumAt(TimePoint at, Duration quantum) {
  const std::int64_t ns = ToUnixNanos(at);
  return ns / quantum.count() - (ns % quantum.count() < 0 ? 1 : 0);
}

accumulate::Histogram& CellChange::Retracted(const accumulate::Shape& shape) {
  if (retracted == nullptr) {
    retracted = std::make_unique<accumulate::Histogram>(shape);
  }
  return *retracted;
}

void CellChange::Append(const Counting& how, std::span<const DetectionOutcome> detections,
                        accumulate::Ordinal ordinal) {
  for (const DetectionOutcome& detection : detections) {
    records.push_back(accumulate::RingRecord::From(detection, ordinal));
  }
  // Only the ring's capacity will be kept; trimming at twice that keeps the cost of a record constant.
  if (records.size() > 2 * how.ring_capacity) {
    const std::size_t excess = records.size() - how.ring_capacity;
    dropped = true;
    dropped_through = records[excess - 1].ordinal();
    records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(excess));
  }
}

void CellChange::Insert(std::span<const DetectionOutcome> detections, accumulate::Ordinal ordinal) {
  auto at = std::upper_bound(inserted.begin(), inserted.end(), ordinal,
                             [](accumulate::Ordinal wanted, const accumulate::RingRecord& record) {
                               return wanted < record.ordinal();
                             });
  for (const DetectionOutcome& detection : detections) {
    at = inserted.insert(at, accumulate::RingRecord::From(detection, ordinal)) + 1;
  }
}

void CellChange::Add(const Counting& how, const ClassOutcome& outcome,
                     std::span<const DetectionOutcome> detections, int sign, const Entry& entry) {
  counts.Count(how.params, outcome, detections, sign);
  iou.Count(how.params, detections, sign);
  if (sign > 0) {
    entry.correction ? Insert(detections, entry.ordinal) : Append(how, detections, entry.ordinal);
    return;
  }
  removed.push_back(entry.ordinal);
  // Corrected twice in one cut: what was to be put back the first time is what leaves now.
  std::erase_if(inserted, [&](const accumulate::RingRecord& r) { return r.ordinal() == entry.ordinal; });
  if (entry.correction) {
    Retracted(how.shape).Count(how.params, outcome, detections);
  }
}

void CellChange::AddJudged(const Counting& how, int sign, bool correction) {
  counts.AddTally(how.shape.Frames(), sign);
  if (sign < 0 && correction) {
    Retracted(how.shape).AddTally(how.shape.Frames(), 1);
  }
}

CellChange& GroupChange::Cell(ClassId class_id, const accumulate::Shape& shape) {
  const std::size_t index = detwatch::Index(class_id);
  if (index >= cell_of_class_.size()) {
    cell_of_class_.resize(index + 1, 0);
  }
  std::uint32_t& slot = cell_of_class_[index];
  if (slot == 0) {
    auto cell = std::make_unique<CellChange>();
    cell->class_id = class_id;
    cell->counts = accumulate::Histogram(shape);
    cells.push_back(std::move(cell));
    slot = static_cast<std::uint32_t>(cells.size());
  }
  return *cells[slot - 1];
}

GroupChange& QuantumChange::Group(GroupId group) {
  const std::size_t index = Index(group);
  if (index >= slot_of_group_.size()) {
    slot_of_group_.resize(index + 1, 0);
  }
  std::uint32_t& slot = slot_of_group_[index];
  if (slot == 0) {
    groups_.push_back(std::make_unique<OfGroup>());
    groups_.back()->group = group;
    slot = static_cast<std::uint32_t>(groups_.size());
  }
  return groups_[slot - 1]->change;
}

void Contribute(const judge::JudgedFrame& judged, int sign, const Entry& entry, const Counting& how,
                GroupChange& change) {
  if (!entry.correction) {
    change.frames.Add(entry.ordinal, entry.capture, sign);
  }
  for (const ClassOutcome& outcome : judged.outcome.classes) {
    const std::span<const DetectionOutcome> detections(judged.outcome.detections.data() + outcome.first,
                                                       outcome.count);
    change.Cell(outcome.class_id, how.shape).Add(how, outcome, detections, sign, entry);
  }
  if (!judged.partial && judged.known->by_set) {
    const auto set = static_cast<std::uint64_t>(judged.known->set);
    change.frames.by_set.Add(set, sign);
    if (sign < 0 && entry.correction) {
      change.retracted_sets.Add(set, 1);
    }
    return;
  }
  for (const ClassId class_id : judged.classes()) {
    change.Cell(class_id, how.shape).AddJudged(how, sign, entry.correction);
  }
}

}  // namespace detwatch::cells
