#pragma once
// lib/pipeline -- what the state keeps per class, group and model. Only state.cc and take.cc include this.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/pipeline/state.h"

namespace detwatch::pipeline {

// One class in one group: the histogram since the beginning, its windows, and the ring they share.
struct State::Cell {
  Cell(const EvaluationParams& params, const std::vector<std::int64_t>& panes, std::size_t ring_capacity)
      : total(accumulate::Shape::Fine(params)), ring(ring_capacity), summaries(panes.size() + 1) {
    for (const std::int64_t n : panes) {
      windows.emplace_back(accumulate::Shape::Coarse(params), n);
    }
  }

  // The values of the total and of every window are out of date.
  void Touch() {
    for (Summary& summary : summaries) {
      summary.fresh = false;
    }
    counters.reset();
  }
  [[nodiscard]] std::size_t Bytes() const {
    std::size_t bytes = sizeof(*this) + total.bytes() + ring.bytes();
    for (const window::CellWindow& window : windows) {
      bytes += window.bytes();
    }
    return bytes;
  }

  struct Summary {
    bool fresh = false;
    bool exact = false;
    accumulate::Ordinal first = 0;  // of the window, when it was exact
    std::shared_ptr<const accumulate::ClassSummary> values;
  };

  accumulate::Histogram total;
  std::vector<window::CellWindow> windows;
  accumulate::Ring ring;
  std::vector<Summary> summaries;  // [0] of the total, then of the windows
  std::shared_ptr<const snapshot::ClassCounters> counters;
  std::size_t accounted_bytes = 0;
};

struct State::Group {
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::shared_ptr<const EvaluationParams> params;
  accumulate::Shape fine;
  std::vector<std::unique_ptr<Cell>> cells;  // by first appearance
  std::vector<std::string> class_names;      // parallel
  std::vector<std::uint32_t> cell_of_class;  // by class index: 1 + index into cells
  window::FrameStats total_frames;
  std::vector<window::FrameWindow> frame_windows;
  PredictionStats predictions;
};

struct State::Model {
  snapshot::Model values;

  void Add(const ModelDelta& delta) {
    if (delta.described) {
      values.score_threshold = delta.score_threshold;
      values.max_detections = delta.max_detections;
    }
    values.frames += delta.frames;
    values.judged += delta.judged;
    values.expired += delta.expired;
    values.last_frame = std::max(values.last_frame, delta.last_frame);
    values.last_label = std::max(values.last_label, delta.last_label);
  }
};

}  // namespace detwatch::pipeline
