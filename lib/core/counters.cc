#include "lib/core/counters.h"

namespace detwatch {
namespace {

void Add(IngestCounters::ByTransport& to, const IngestCounters::ByTransport& from) {
  for (std::size_t i = 0; i < kTransports; ++i) {
    to[i] += from[i];
  }
}

}  // namespace

IngestCounters& IngestCounters::operator+=(const IngestCounters& other) {
  Add(messages, other.messages);
  Add(bytes, other.bytes);
  Add(frames, other.frames);
  Add(labels, other.labels);
  Add(duplicate_frames, other.duplicate_frames);
  Add(duplicate_labels, other.duplicate_labels);
  Add(lost_messages, other.lost_messages);
  Add(duplicate_messages, other.duplicate_messages);
  Add(stale_epochs, other.stale_epochs);
  Add(tombstones, other.tombstones);
  for (std::size_t r = 0; r < kRejectReasons; ++r) {
    Add(rejected[r], other.rejected[r]);
  }
  judged_frames += other.judged_frames;
  unjudged_ground_truths += other.unjudged_ground_truths;
  unjudged_detections += other.unjudged_detections;
  filtered_labels += other.filtered_labels;
  expired_labels_missing += other.expired_labels_missing;
  expired_predictions_missing += other.expired_predictions_missing;
  never_expected += other.never_expected;
  groups_refused += other.groups_refused;
  clock_holds += other.clock_holds;
  label_delay += other.label_delay;
  return *this;
}

}  // namespace detwatch
