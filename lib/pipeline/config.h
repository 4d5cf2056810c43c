#pragma once
// lib/pipeline -- what the stages are told at the start: what to evaluate, how to group it, and the limits.

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/evaluation.h"
#include "lib/core/time.h"
#include "lib/core/view.h"
#include "lib/join/limits.h"
#include "lib/wire/decode.h"

namespace detwatch::pipeline {

// Every limit is counted when it is hit, and none takes back what was already counted.
struct Limits {
  std::size_t models = 1000;  // (model, version) pairs
  std::size_t groups = 1000;  // over all views
  std::size_t streams = 100000;
  std::size_t publishers = 10000;
  std::size_t classes = 10000;     // class names over all lists
  std::size_t class_lists = 2000;  // and sets of classes that a model's and a label source's list share
  std::size_t cell_bytes = std::size_t{2} << 30;
  std::size_t class_list_waiting_bytes = std::size_t{64} << 20;
  Duration class_list_wait = std::chrono::seconds(30);
  Duration idle =
      std::chrono::hours(24 * 7);  // models, groups, streams and publishers are forgotten after it
};

struct LabelFilter {
  // Kinds of labels that count for the numbers, by LabelSource and Sampling value.
  std::vector<LabelSource> sources = {LabelSource::kUnknown, LabelSource::kHuman, LabelSource::kAuto,
                                      LabelSource::kSimulator};
  std::vector<Sampling> sampling = {Sampling::kUnknown, Sampling::kRandom, Sampling::kTriggered};
};

struct PipelineConfig {
  EvaluationParams evaluation = EvaluationParams::Coco();
  std::map<std::string, EvaluationParams> model_evaluation;  // by model name, where it differs
  std::vector<WindowSpec> windows = {{"5m", std::chrono::seconds(15), 20},
                                     {"1h", std::chrono::minutes(1), 60},
                                     {"24h", std::chrono::minutes(15), 96}};
  std::vector<ViewSpec> views = {
      ViewSpec{"default", {"model", "version"}, true, true, {}, {"5m", "1h", "24h"}}};
  std::vector<double> fleet_ious = {0.5, 0.75};
  join::JoinLimits join;
  wire::WireLimits wire;
  Limits limits;
  LabelFilter labels;
  std::string store_id;  // of the state this run counts into
  std::size_t ring_capacity = 4096;

  // The longest time that divides every pane: frames of one quantum lie in one pane of every window.
  [[nodiscard]] Duration Quantum() const;
  // A class list leaves that nobody used for so long: halves that wait or are kept may speak of it.
  [[nodiscard]] Duration ClassListIdle() const;
};

}  // namespace detwatch::pipeline
