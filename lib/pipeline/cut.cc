#include "lib/pipeline/cut.h"

#include <algorithm>
#include <numeric>

#include "lib/pipeline/config.h"

namespace detwatch::pipeline {

Duration PipelineConfig::Quantum() const {
  Duration quantum{0};
  for (const WindowSpec& window : windows) {
    quantum = Duration(std::gcd(quantum.count(), window.pane.count()));
  }
  return quantum == Duration{0} ? Duration(std::chrono::minutes(1)) : quantum;
}

CellDelta& GroupDelta::Cell(ClassId class_id, const accumulate::Shape& shape) {
  const std::size_t index = detwatch::Index(class_id);
  if (index >= cell_of_class.size()) {
    cell_of_class.resize(index + 1, 0);
  }
  std::uint32_t& slot = cell_of_class[index];
  if (slot == 0) {
    auto cell = std::make_unique<CellDelta>();
    cell->class_id = class_id;
    cell->counts = accumulate::Histogram(shape);
    cells.push_back(std::move(cell));
    slot = static_cast<std::uint32_t>(cells.size());
  }
  return *cells[slot - 1];
}

void GroupDelta::CountFrame(std::uint32_t set) {
  for (auto& [known, n] : frames_by_set) {
    if (known == set) {
      ++n;
      return;
    }
  }
  frames_by_set.emplace_back(set, 1);
}

GroupDelta& Segment::Group(GroupId group) {
  const std::size_t index = Index(group);
  if (index >= slot_of_group.size()) {
    slot_of_group.resize(index + 1, 0);
  }
  std::uint32_t& slot = slot_of_group[index];
  if (slot == 0) {
    groups.push_back(std::make_unique<GroupDelta>());
    groups.back()->group = group;
    slot = static_cast<std::uint32_t>(groups.size());
  }
  return *groups[slot - 1];
}

Segment& Cut::SegmentAt(std::int64_t quantum) {
  if (segments.empty() || segments.back().quantum < quantum) {
    segments.push_back({});
    segments.back().quantum = quantum;
  }
  // Time does not fall, so the last segment is the right one.
  return segments.back();
}

LabelTally& Cut::Tally(const Sender& sender) {
  if (sender.transport != Transport::kReliable) {
    return nobody_;
  }
  auto& [epoch, tally] = label_tallies[sender.publisher];
  if (epoch < sender.epoch) {
    epoch = sender.epoch;
    tally = {};
  }
  return epoch == sender.epoch ? tally : nobody_;
}

void AddFrame(Segment& segment, GroupId group, const Counting& how, const FrameOutcome& outcome,
              accumulate::Ordinal ordinal, TimePoint capture, std::size_t ring_capacity) {
  GroupDelta& delta = segment.Group(group);
  delta.frames.Add(ordinal, capture);
  for (const ClassOutcome& judged : outcome.classes) {
    CellDelta& cell = delta.Cell(judged.class_id, how.shape);
    const std::span<const DetectionOutcome> detections(outcome.detections.data() + judged.first,
                                                       judged.count);
    cell.counts.Count(how.params, judged, detections);
    for (const DetectionOutcome& detection : detections) {
      cell.records.push_back(accumulate::RingRecord::From(detection, ordinal));
    }
    // Only the ring's capacity will be kept; trimming at twice that keeps the cost of a record constant.
    if (cell.records.size() > 2 * ring_capacity) {
      const std::size_t excess = cell.records.size() - ring_capacity;
      cell.dropped = true;
      cell.dropped_through = cell.records[excess - 1].ordinal();
      cell.records.erase(cell.records.begin(), cell.records.begin() + static_cast<std::ptrdiff_t>(excess));
    }
  }
}

void ReplaceFrame(Segment& segment, GroupId group, const Counting& how, const JudgedFrame& before,
                  const JudgedFrame& after, accumulate::Ordinal ordinal) {
  GroupDelta& delta = segment.Group(group);
  const auto retracted = [&](CellDelta& cell) -> accumulate::Histogram& {
    if (cell.retracted == nullptr) {
      cell.retracted = std::make_unique<accumulate::Histogram>(how.shape);
    }
    return *cell.retracted;
  };
  for (const ClassOutcome& judged : before.outcome.classes) {
    CellDelta& cell = delta.Cell(judged.class_id, how.shape);
    const std::span<const DetectionOutcome> detections(before.outcome.detections.data() + judged.first,
                                                       judged.count);
    cell.counts.Count(how.params, judged, detections, -1);
    retracted(cell).Count(how.params, judged, detections);
    cell.removed.push_back(ordinal);
    // Corrected twice in one cut: what was to be put back the first time is what leaves now.
    std::erase_if(cell.inserted,
                  [&](const accumulate::RingRecord& record) { return record.ordinal() == ordinal; });
  }
  for (const ClassOutcome& judged : after.outcome.classes) {
    CellDelta& cell = delta.Cell(judged.class_id, how.shape);
    const std::span<const DetectionOutcome> detections(after.outcome.detections.data() + judged.first,
                                                       judged.count);
    cell.counts.Count(how.params, judged, detections);
    for (const DetectionOutcome& detection : detections) {
      cell.inserted.push_back(accumulate::RingRecord::From(detection, ordinal));
    }
  }
  for (const ClassId class_id : before.classes()) {
    CellDelta& cell = delta.Cell(class_id, how.shape);
    cell.counts.AddTally(how.shape.Frames(), -1);
    retracted(cell).AddTally(how.shape.Frames(), 1);
  }
  for (const ClassId class_id : after.classes()) {
    delta.Cell(class_id, how.shape).counts.AddTally(how.shape.Frames(), 1);
  }
}

}  // namespace detwatch::pipeline
