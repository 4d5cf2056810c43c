#pragma once
// lib/snapshot -- the state of a moment as plain immutable numbers, for /metrics, the API and the page.
//
// The state thread builds one after each absorbed cut and publishes it as shared_ptr<const Snapshot>; any
// number of threads read it without locks. Values of a class that did not change are shared with the
// snapshot before. A class is known before anything of it was counted: then it has no values and no counters
// of its own, which reads as zeros. Undefined values are NaN here; what that becomes (absent, null) is the
// exposition's.

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/accumulate/summary.h"
#include "lib/core/counters.h"
#include "lib/core/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/core/view.h"

namespace detwatch::snapshot {

// One window of one group. `classes` runs parallel to Group::class_names; null: not judged in the window.
struct Window {
  std::string name;  // "total", "5m"
  std::int64_t frames = 0;
  TimePoint oldest_capture;  // of the frames inside; unknown when no frame carried one
  TimePoint newest_capture;
  std::vector<std::shared_ptr<const accumulate::ClassSummary>> classes;
  // Frames in which a class was judged that are counted for all classes of a list at once and not in the
  // class's own values; parallel to Group::class_names, or empty: none. Frame-level true negatives of a class
  // are frames[point].tn of its values, if it has any, plus these.
  std::vector<std::int64_t> judged_frames;
  accumulate::MeanSummary mean;
};

// Counters of one class, since the daemon's state began: what was added, corrections included. They never
// fall.
struct ClassCounters {
  // [operating point][threshold], area 0.
  std::array<std::array<accumulate::OperatingCounts, kMaxIouThresholds>, kMaxOperatingPoints> operating{};
  std::array<accumulate::FrameCounts, kMaxOperatingPoints> frames{};
  std::int64_t ground_truths = 0;
  // Fleet bins in layout 16/2/8/14, ascending confidence: [i] for fleet threshold i, then by bin. Counted
  // after max dets and not ignored at that threshold.
  std::vector<std::vector<std::int64_t>> bin_detections;
  std::vector<std::vector<std::int64_t>> bin_true_positives;
};

// IoU of true positives at the headline IoU and the first operating point with their ground truths, since the
// beginning: a tenth and half of them are at or below. NaN without any.
struct IouQuantiles {
  double tenth = std::numeric_limits<double>::quiet_NaN();
  double median = std::numeric_limits<double>::quiet_NaN();
};

struct Group {
  std::vector<std::pair<std::string, std::string>> labels;  // group_by key and value
  std::shared_ptr<const EvaluationParams> params;
  std::vector<std::string> class_names;                        // by first appearance; only grows
  std::vector<Window> windows;                                 // "total" first
  std::vector<std::shared_ptr<const ClassCounters>> counters;  // parallel to class_names; empty without
  // What corrections took out of them again; as long as `counters` once a correction may come, before empty.
  std::vector<std::shared_ptr<const ClassCounters>> retracted;
  // As in Window, of the counters and of what was retracted; parallel to class_names, or empty.
  std::vector<std::int64_t> judged_frames;
  std::vector<std::int64_t> retracted_judged_frames;
  std::shared_ptr<const PredictionStats> predictions;  // null without counters
  std::vector<IouQuantiles> iou_quantiles;             // parallel to class_names
};

// Frame outcomes of class `c`, by operating point: those of its own values and those counted for all classes
// of a list. Zeros for a class that was not judged.
using FrameOutcomes = std::array<accumulate::FrameCounts, kMaxOperatingPoints>;
[[nodiscard]] FrameOutcomes FramesOfClass(const Window& window, std::size_t c);
[[nodiscard]] FrameOutcomes FramesOfClass(const std::vector<std::shared_ptr<const ClassCounters>>& counters,
                                          const std::vector<std::int64_t>& judged_frames, std::size_t c);

struct View {
  ViewSpec spec;
  std::vector<Group> groups;
};

// What is known of a model, labels or not.
struct Model {
  ModelKey key;
  float score_threshold = -1;        // -1: not announced
  std::int64_t max_detections = -1;  // -1: not announced
  TimePoint last_frame;              // arrival of the last predictions; unknown: none
  TimePoint last_label;              // when its frames were last judged; unknown: never
  std::uint64_t frames = 0;
  std::uint64_t judged = 0;
  std::uint64_t expired = 0;  // left without labels
};

struct Gauges {
  std::uint64_t pending_predictions = 0;  // waiting for labels
  std::uint64_t pending_labels = 0;       // waiting for predictions
  std::uint64_t pending_bytes = 0;        // of both
  std::uint64_t lingering_labels = 0;     // used, and there for slower models
  std::uint64_t kept_frames = 0;          // judged predictions that may still be corrected
  std::uint64_t kept_bytes = 0;
  std::uint64_t class_list_waiting = 0;  // messages that wait for their class list
  std::uint64_t publishers = 0;
  std::uint64_t models = 0;
  std::uint64_t groups = 0;
  std::uint64_t cells = 0;
  std::uint64_t cell_bytes = 0;
  std::uint64_t cell_bytes_limit = 0;
};

struct Snapshot {
  TimePoint taken;
  // Times of arrival are in the time that windows follow, which goes on where a wall clock is set. The wall
  // was so much ahead of it; negative: behind.
  Duration wall_ahead{};
  std::uint64_t cuts = 0;          // absorbed so far
  std::vector<double> fleet_ious;  // thresholds of the fleet bins
  std::vector<View> views;
  std::vector<Model> models;
  IngestCounters counters;
  Gauges gauges;
};

// A time of arrival as the wall clock of this moment has it, so that wall time less it is its age. Unknown
// stays unknown. Not for capture times, which are the detector's.
[[nodiscard]] inline TimePoint OnTheWall(const Snapshot& snapshot, TimePoint time) {
  return time == TimePoint{} ? time : time + snapshot.wall_ahead;
}

// Makes every counter of `to` that of `durable` (null: zero), for a state whose newest counts are not durable
// yet: a crash must not roll a counter back below what was shown.
void KeepCounters(const Snapshot* durable, Snapshot& to);

}  // namespace detwatch::snapshot
