#pragma once
// lib/pipeline -- what the state keeps per class, group and model. Only the sources of State include this.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/match/matcher.h"
#include "lib/pipeline/keys.h"
#include "lib/pipeline/state.h"

namespace detwatch::pipeline {

// One class in one group: the histogram since the beginning, its windows, and the ring they share.
struct State::Cell {
  // One name of a panes' key prefix per window.
  Cell(ClassId id, const EvaluationParams& params,
       const std::vector<std::pair<std::int64_t, std::string>>& panes, std::size_t ring_capacity)
      : class_id(id),
        total(accumulate::Shape::Fine(params)),
        ring(ring_capacity),
        summaries(panes.size() + 1) {
    for (const auto& [n, prefix] : panes) {
      windows.emplace_back(accumulate::Shape::Coarse(params), n, prefix);
    }
  }

  // The values of the total and of every window are out of date.
  void Touch() {
    for (Summary& summary : summaries) {
      summary.fresh = false;
    }
    counters.reset();
  }
  // Closed panes where they are in memory too.
  [[nodiscard]] std::size_t Bytes(bool with_closed) const {
    std::size_t bytes = sizeof(*this) + total.bytes() + ring.bytes() + (retracted ? retracted->bytes() : 0);
    for (const window::CellWindow& window : windows) {
      bytes += window.bytes() + (with_closed ? window.closed_bytes() : 0);
    }
    return bytes;
  }

  struct Summary {
    bool fresh = false;
    bool exact = false;
    accumulate::Ordinal first = 0;  // of the window, when it was exact
    std::shared_ptr<const accumulate::ClassSummary> values;
  };

  ClassId class_id;
  accumulate::Histogram total;                       // what is counted now
  std::unique_ptr<accumulate::Histogram> retracted;  // what corrections took out; null: nothing
  std::vector<window::CellWindow> windows;
  accumulate::Ring ring;
  std::vector<Summary> summaries;                                     // [0] of the total, then of the windows
  std::shared_ptr<const snapshot::ClassCounters> counters;            // null: out of date
  std::shared_ptr<const snapshot::ClassCounters> retracted_counters;  // null: nothing was retracted
  std::size_t accounted_bytes = 0;

  // How it stands in the store.
  std::string unsaved;       // additions since the last checkpoint
  bool touched = false;      // there are some
  bool rewrite = true;       // the base is missing or of another shape of windows
  std::uint32_t chunks = 0;  // additions behind the base
  std::size_t base_bytes = 0;
  std::size_t chunk_bytes = 0;
};

struct State::Group {
  GroupId id{};
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
  std::shared_ptr<const EvaluationParams> params;
  std::uint64_t fingerprint = 0;  // of params
  accumulate::Shape fine;
  accumulate::Ordinal first_ordinal = 0;     // frames before it were counted by other rules
  bool correctable = false;                  // some of its frames were kept for a correction
  std::vector<std::unique_ptr<Cell>> cells;  // by first appearance
  std::vector<std::string> class_names;      // parallel
  std::vector<std::uint32_t> cell_of_class;  // by class index: 1 + index into cells
  window::FrameStats total_frames;
  std::vector<window::FrameWindow> frame_windows;
  // By window: it holds frames of the quanta from here on. Not those from before it was configured, so that
  // their corrections take nothing out of it.
  std::vector<TimePoint> windows_from;
  PredictionStats predictions;
  bool touched = true;  // since the last checkpoint
};

struct State::Model {
  snapshot::Model values;
  Tags tags;
  bool labels_expected = true;

  void Add(const ModelDelta& delta) {
    if (delta.described) {
      values.score_threshold = delta.score_threshold;
      values.max_detections = delta.max_detections;
    }
    tags = delta.tags;
    labels_expected = delta.labels_expected;
    values.frames += delta.frames;
    values.judged += delta.judged;
    values.expired += delta.expired;
    values.last_frame = std::max(values.last_frame, delta.last_frame);
    values.last_label = std::max(values.last_label, delta.last_label);
  }
};

// Parameters with the tools made from them once.
struct State::Evaluation {
  explicit Evaluation(const EvaluationParams& p)
      : fingerprint(p.Fingerprint()), params(p), shape(accumulate::Shape::Fine(p)), matcher(p) {}
  std::uint64_t fingerprint;
  EvaluationParams params;
  accumulate::Shape shape;
  match::Matcher matcher;
};

}  // namespace detwatch::pipeline
