#include "lib/expose/health.h"

#include <string>
#include <utility>

#include "lib/core/result.h"

namespace detwatch::expose {
namespace {

using ByTransport = IngestCounters::ByTransport;

LabelSet TransportLabel(std::size_t transport) {
  return {"transport", Name(static_cast<Transport>(transport))};
}

void EmitByTransport(Family family, const LabelSet& base, const ByTransport& counts, Emitter& out) {
  for (std::size_t t = 0; t < kTransports; ++t) {
    out.Count(family, base, TransportLabel(t), counts[t]);
  }
}

void EmitTransports(const IngestCounters& counters, Emitter& out) {
  EmitByTransport(Family::kMessages, {}, counters.messages, out);
  EmitByTransport(Family::kMessageBytes, {}, counters.bytes, out);
  EmitByTransport(Family::kFrames, {}, counters.frames, out);
  EmitByTransport(Family::kLabels, {}, counters.labels, out);
  for (std::size_t r = 0; r < kRejectReasons; ++r) {
    EmitByTransport(Family::kFramesRejected, {"reason", Name(static_cast<RejectReason>(r))},
                    counters.rejected[r], out);
  }
  EmitByTransport(Family::kFramesDuplicate, {}, counters.duplicate_frames, out);
  EmitByTransport(Family::kLabelsDuplicate, {}, counters.duplicate_labels, out);
  EmitByTransport(Family::kMessagesLost, {}, counters.lost_messages, out);
  EmitByTransport(Family::kMessagesDuplicate, {}, counters.duplicate_messages, out);
  EmitByTransport(Family::kStaleEpoch, {}, counters.stale_epochs, out);
  EmitByTransport(Family::kTombstones, {}, counters.tombstones, out);
}

void EmitJoin(const IngestCounters& counters, const snapshot::Gauges& gauges, Emitter& out) {
  const LabelSet labels("missing", "labels");
  const LabelSet predictions("missing", "predictions");
  out.Count(Family::kFramesJudged, {}, {}, counters.judged_frames);
  out.Count(Family::kFramesExpired, {}, labels, counters.expired_labels_missing);
  out.Count(Family::kFramesExpired, {}, predictions, counters.expired_predictions_missing);
  out.Count(Family::kNeverExpected, {}, {}, counters.never_expected);
  out.Count(Family::kGroundTruthsUnjudged, {}, {}, counters.unjudged_ground_truths);
  out.Count(Family::kGroundTruthsUnjudgedRetracted, {}, {}, counters.retracted_unjudged_ground_truths);
  out.Count(Family::kDetectionsUnjudged, {}, {}, counters.unjudged_detections);
  out.Count(Family::kDetectionsUnjudgedRetracted, {}, {}, counters.retracted_unjudged_detections);
  out.Count(Family::kFramesCorrected, {}, {}, counters.corrected_frames);
  out.Count(Family::kLabelsFiltered, {}, {}, counters.filtered_labels);
  out.Count(Family::kGroupsRefused, {}, {}, counters.groups_refused);
  out.Count(Family::kGroupsRestarted, {}, {}, counters.groups_restarted);
  out.Count(Family::kClockHeld, {}, {}, counters.clock_holds);
  out.Count(Family::kClockSetBack, {}, {}, counters.clock_set_backs);
  out.Histogram(Family::kLabelDelay, {}, kLabelDelayEdges, counters.label_delay);
  out.Count(Family::kPendingFrames, {}, labels, gauges.pending_predictions);
  out.Count(Family::kPendingFrames, {}, predictions, gauges.pending_labels);
  out.Count(Family::kPendingBytes, {}, {}, gauges.pending_bytes);
  out.Count(Family::kLingeringLabels, {}, {}, gauges.lingering_labels);
  out.Count(Family::kKeptFrames, {}, {}, gauges.kept_frames);
  out.Count(Family::kKeptBytes, {}, {}, gauges.kept_bytes);
}

}  // namespace

void EmitProcess(const Process& process, Emitter& out) {
  LabelSet build("version", process.version);
  out.Sample(Family::kBuildInfo, build.Add("revision", process.revision), {}, 1);
  out.Sample(Family::kReady, {}, {}, process.ready ? 1 : 0);
  out.Sample(Family::kReloadSuccessful, {}, {}, process.config_reload_successful ? 1 : 0);
  if (process.config_reload_timestamp_seconds > 0) {
    out.Sample(Family::kReloadTimestamp, {}, {}, process.config_reload_timestamp_seconds);
  }
  const std::pair<Family, double> facts[] = {
      {Family::kProcessStart, process.start_time_seconds}, {Family::kProcessCpu, process.cpu_seconds},
      {Family::kProcessResident, process.resident_bytes},  {Family::kProcessVirtual, process.virtual_bytes},
      {Family::kProcessOpenFds, process.open_fds},         {Family::kProcessMaxFds, process.max_fds},
      {Family::kProcessThreads, process.threads}};
  for (const auto& [family, value] : facts) {
    out.Sample(family, {}, {}, value);
  }
  out.Count(Family::kHttpRequests, {}, {"outcome", "ok"}, process.http_requests_ok);
  out.Count(Family::kHttpRequests, {}, {"outcome", "error"}, process.http_requests_failed);
  out.Count(Family::kHttpRefused, {}, {}, process.http_connections_refused);
  out.Histogram(Family::kHandover, {}, kHandoverEdges, process.handover);
  out.Sample(Family::kStorageInfo, {"store_id", process.store_id}, {}, 1);
  out.Sample(Family::kStorageWritable, {}, {}, process.storage_writable ? 1 : 0);
  out.Sample(Family::kStorageBytes, {}, {}, process.storage_bytes);
  out.Count(Family::kCheckpoints, {}, {}, process.checkpoints);
  out.Count(Family::kCheckpointFailures, {}, {}, process.checkpoint_failures);
  if (process.checkpoint_timestamp_seconds > 0) {
    out.Sample(Family::kCheckpointTimestamp, {}, {}, process.checkpoint_timestamp_seconds);
    out.Sample(Family::kCheckpointDuration, {}, {}, process.checkpoint_seconds);
  }
}

void EmitIngest(const snapshot::Snapshot& snapshot, Emitter& out) {
  EmitTransports(snapshot.counters, out);
  EmitJoin(snapshot.counters, snapshot.gauges, out);
  const snapshot::Gauges& gauges = snapshot.gauges;
  out.Count(Family::kClassListWaiting, {}, {}, gauges.class_list_waiting);
  out.Count(Family::kPublishers, {}, {}, gauges.publishers);
  out.Count(Family::kModels, {}, {}, gauges.models);
  out.Count(Family::kGroups, {}, {}, gauges.groups);
  out.Count(Family::kCells, {}, {}, gauges.cells);
  out.Count(Family::kCellBytes, {}, {}, gauges.cell_bytes);
  out.Count(Family::kCellLimitBytes, {}, {}, gauges.cell_bytes_limit);
  out.Count(Family::kCutsAbsorbed, {}, {}, snapshot.cuts);
  out.Sample(Family::kSnapshotTimestamp, {}, {}, ToUnixSeconds(OnTheWall(snapshot, snapshot.taken)));
}

void EmitModel(const snapshot::Snapshot& snapshot, const snapshot::Model& model, Emitter& out) {
  LabelSet labels("model", model.key.model);
  labels.Add("version", model.key.version);
  LabelSet announced("score_threshold",
                     model.score_threshold < 0 ? "" : ConfidenceText(model.score_threshold));
  announced.Add("max_detections", model.max_detections < 0 ? "" : std::to_string(model.max_detections));
  out.Sample(Family::kModelInfo, labels, announced, 1);
  out.Count(Family::kModelFrames, labels, {}, model.frames);
  out.Count(Family::kModelFramesJudged, labels, {}, model.judged);
  out.Count(Family::kModelFramesExpired, labels, {}, model.expired);
  if (model.last_frame != TimePoint{}) {
    out.Sample(Family::kLastFrame, labels, {}, ToUnixSeconds(OnTheWall(snapshot, model.last_frame)));
  }
  if (model.last_label != TimePoint{}) {
    out.Sample(Family::kLastLabel, labels, {}, ToUnixSeconds(OnTheWall(snapshot, model.last_label)));
  }
  const std::uint64_t due = model.judged + model.expired;
  if (due > 0) {
    out.Sample(Family::kLabelCoverage, labels, {},
               static_cast<double>(model.judged) / static_cast<double>(due));
  }
}

}  // namespace detwatch::expose
