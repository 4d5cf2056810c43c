#include "daemon/serve/wiring.h"

#include "lib/wire/text.h"

namespace detwatch::serve {

pipeline::PipelineConfig ToPipeline(const config::Config& config, const std::string& store_id) {
  pipeline::PipelineConfig to;
  to.store_id = store_id;
  to.evaluation = config.evaluation;
  for (const config::ModelOverride& model : config.models) {
    to.model_evaluation[model.model] = model.evaluation;
  }
  to.windows = config.windows;
  to.views = config.views;
  to.fleet_ious = config.fleet.bins ? config.fleet.iou : std::vector<double>{};
  to.join.retention = config.join.retention;
  to.join.linger = config.join.linger;
  to.join.bytes = config.join.bytes;
  to.join.corrections = config.join.corrections;
  to.join.corrections_bytes = config.join.corrections_bytes;
  to.join.dedup_horizon = config.dedup.horizon;
  to.join.dedup_frames = config.dedup.frames;
  to.wire.message_bytes = config.ingest.message_bytes;
  to.wire.boxes_per_frame = config.ingest.boxes_per_frame;
  to.wire.classes_per_list = config.limits.classes;
  to.limits.models = config.limits.models;
  to.limits.groups = config.limits.groups;
  to.limits.streams = config.limits.streams;
  to.limits.publishers = config.limits.publishers;
  to.limits.classes = config.limits.classes;
  to.limits.class_lists = config.limits.class_lists;
  to.limits.cell_bytes = config.limits.cell_bytes;
  to.limits.class_list_wait = config.join.class_list_wait;
  to.labels.sources = config.labels.sources;
  to.labels.sampling = config.labels.sampling;
  return to;
}

wire::ToldLimits ToTold(const pipeline::PipelineConfig& config) {
  const pipeline::Limits& limits = config.limits;
  return {.string_bytes = wire::kMaxStringBytes,
          .header_bytes = wire::kMaxHeaderBytes,
          .class_names = limits.classes,
          .class_lists = limits.class_lists,
          .class_list_waiting_bytes = limits.class_list_waiting_bytes,
          .models = limits.models,
          .streams = limits.streams,
          .groups = limits.groups,
          .publishers = limits.publishers,
          .cell_bytes = limits.cell_bytes,
          .waiting_bytes = config.join.bytes,
          .corrections_bytes = config.join.corrections_bytes,
          .class_list_wait = limits.class_list_wait,
          .retention = config.join.retention,
          .corrections = config.join.corrections};
}

}  // namespace detwatch::serve
