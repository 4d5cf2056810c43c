#include <string>
#include <utility>

#include "lib/core/result.h"
#include "lib/expose/expose.h"
#include "lib/expose/labels.h"
#include "lib/expose/window_json.h"

namespace detwatch::expose {
namespace {

Json ToJson(const ViewSpec& spec, const snapshot::Group& group) {
  const EvaluationParams& params = *group.params;
  Json labels = Json::object();
  for (const auto& [name, value] : group.labels) {
    labels[name] = value;
  }
  Json areas = Json::array();
  for (const AreaRange& area : params.area_ranges) {
    areas.push_back({{"name", area.name}, {"lower", area.lower}, {"upper", area.upper}});
  }
  Json max_dets = Json::array();
  for (const std::uint32_t n : params.max_dets) {
    max_dets.push_back(MaxDetsText(n));
  }
  Json points = Json::array();
  for (const float confidence : params.operating_points) {
    points.push_back(ConfidenceText(confidence));
  }
  Json windows = Json::array();
  for (const snapshot::Window& window : group.windows) {
    windows.push_back(JsonWindow(spec, group, window));
  }
  return {{"labels", std::move(labels)},
          {"protocol", Name(params.protocol())},
          {"iou_thresholds", params.iou_thresholds},
          {"areas", std::move(areas)},
          {"max_dets", std::move(max_dets)},
          {"confidences", std::move(points)},
          {"windows", std::move(windows)}};
}

Json ToJson(const snapshot::View& view) {
  Json groups = Json::array();
  for (const snapshot::Group& group : view.groups) {
    groups.push_back(ToJson(view.spec, group));
  }
  return {{"name", view.spec.name}, {"group_by", view.spec.group_by}, {"groups", std::move(groups)}};
}

Json ToJson(const snapshot::Snapshot& snapshot, const snapshot::Model& model) {
  const std::uint64_t due = model.judged + model.expired;
  return {{"model", model.key.model},
          {"version", model.key.version},
          {"score_threshold",
           model.score_threshold < 0 ? Json(nullptr) : Json(ConfidenceText(model.score_threshold))},
          {"max_detections", model.max_detections < 0 ? Json(nullptr) : Json(model.max_detections)},
          {"last_frame", JsonTime(OnTheWall(snapshot, model.last_frame))},
          {"last_label", JsonTime(OnTheWall(snapshot, model.last_label))},
          {"frames", model.frames},
          {"judged", model.judged},
          {"expired", model.expired},
          {"label_coverage",
           due == 0 ? Json(nullptr) : Json(static_cast<double>(model.judged) / static_cast<double>(due))}};
}

Json ByTransport(const IngestCounters::ByTransport& counts) {
  Json out = Json::object();
  for (std::size_t t = 0; t < kTransports; ++t) {
    out[std::string(Name(static_cast<Transport>(t)))] = counts[t];
  }
  return out;
}

Json ToJson(const IngestCounters& counters) {
  Json rejected = Json::object();
  for (std::size_t r = 0; r < kRejectReasons; ++r) {
    rejected[std::string(Name(static_cast<RejectReason>(r)))] = ByTransport(counters.rejected[r]);
  }
  return {
      {"messages", ByTransport(counters.messages)},
      {"message_bytes", ByTransport(counters.bytes)},
      {"frames", ByTransport(counters.frames)},
      {"labels", ByTransport(counters.labels)},
      {"frames_rejected", std::move(rejected)},
      {"frames_duplicate", ByTransport(counters.duplicate_frames)},
      {"labels_duplicate", ByTransport(counters.duplicate_labels)},
      {"messages_lost", ByTransport(counters.lost_messages)},
      {"messages_duplicate", ByTransport(counters.duplicate_messages)},
      {"stale_epoch_messages", ByTransport(counters.stale_epochs)},
      {"tombstones", ByTransport(counters.tombstones)},
      {"frames_judged", counters.judged_frames},
      {"frames_expired",
       {{"labels", counters.expired_labels_missing}, {"predictions", counters.expired_predictions_missing}}},
      {"frames_labels_never_expected", counters.never_expected},
      {"ground_truths_unjudged", counters.unjudged_ground_truths},
      {"ground_truths_unjudged_retracted", counters.retracted_unjudged_ground_truths},
      {"detections_unjudged", counters.unjudged_detections},
      {"detections_unjudged_retracted", counters.retracted_unjudged_detections},
      {"frames_corrected", counters.corrected_frames},
      {"labels_filtered", counters.filtered_labels},
      {"groups_refused", counters.groups_refused},
      {"groups_restarted", counters.groups_restarted},
      {"clock_held", counters.clock_holds},
      {"clock_set_back", counters.clock_set_backs}};
}

Json ToJson(const snapshot::Gauges& gauges) {
  return {{"join_pending_frames",
           {{"labels", gauges.pending_predictions}, {"predictions", gauges.pending_labels}}},
          {"join_pending_bytes", gauges.pending_bytes},
          {"join_lingering_labels", gauges.lingering_labels},
          {"join_kept_frames", gauges.kept_frames},
          {"join_kept_bytes", gauges.kept_bytes},
          {"class_list_waiting_messages", gauges.class_list_waiting},
          {"publishers", gauges.publishers},
          {"models", gauges.models},
          {"groups", gauges.groups},
          {"cells", gauges.cells},
          {"cell_bytes", gauges.cell_bytes},
          {"cell_limit_bytes", gauges.cell_bytes_limit}};
}

}  // namespace

std::string SummaryJson(const snapshot::Snapshot* snapshot, const Process& process) {
  static const snapshot::Snapshot kNone;
  const snapshot::Snapshot& shown = snapshot != nullptr ? *snapshot : kNone;
  Json models = Json::array();
  for (const snapshot::Model& model : shown.models) {
    models.push_back(ToJson(shown, model));
  }
  Json views = Json::array();
  for (const snapshot::View& view : shown.views) {
    views.push_back(ToJson(view));
  }
  const Json out = {
      {"taken", JsonTime(OnTheWall(shown, shown.taken))},
      {"version", process.version},
      {"revision", process.revision},
      {"ready", process.ready},
      {"endpoints", {{"subscribe", process.subscribe_endpoints}, {"reliable", process.reliable_endpoints}}},
      {"start_time", JsonNumber(process.start_time_seconds)},
      {"storage",
       {{"store_id", process.store_id.empty() ? Json(nullptr) : Json(process.store_id)},
        {"writable", process.storage_writable},
        {"trouble", process.storage_trouble},
        {"bytes", JsonNumber(process.storage_bytes)},
        {"checkpoints", process.checkpoints},
        {"last_checkpoint", process.checkpoint_timestamp_seconds > 0
                                ? JsonNumber(process.checkpoint_timestamp_seconds)
                                : Json(nullptr)}}},
      {"counters", ToJson(shown.counters)},
      {"gauges", ToJson(shown.gauges)},
      {"models", std::move(models)},
      {"views", std::move(views)}};
  // Bytes that are not UTF-8 become U+FFFD: an odd class name must not cost the whole document.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace detwatch::expose
