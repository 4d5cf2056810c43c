#pragma once
// lib/expose -- the table of metric families: every name, type and help text there is, in exposed order.

#include <prometheus/metric_type.h>

#include <cstddef>
#include <cstdint>

#include "lib/expose/expose.h"

namespace detwatch::expose {

enum class Family : std::uint8_t {
  // Health of the process.
  kBuildInfo,
  kReady,
  kReloadSuccessful,
  kReloadTimestamp,
  kProcessStart,
  kProcessCpu,
  kProcessResident,
  kProcessVirtual,
  kProcessOpenFds,
  kProcessMaxFds,
  kProcessThreads,
  kHttpRequests,
  kHttpRefused,
  kSeries,
  kSeriesDropped,
  kHandover,
  kStorageInfo,
  kStorageWritable,
  kStorageBytes,
  kCheckpoints,
  kCheckpointFailures,
  kCheckpointTimestamp,
  kCheckpointDuration,
  // Ingest.
  kMessages,
  kMessageBytes,
  kFrames,
  kLabels,
  kFramesRejected,
  kFramesDuplicate,
  kLabelsDuplicate,
  kMessagesLost,
  kMessagesDuplicate,
  kStaleEpoch,
  kTombstones,
  kFramesJudged,
  kFramesExpired,
  kNeverExpected,
  kGroundTruthsUnjudged,
  kGroundTruthsUnjudgedRetracted,
  kDetectionsUnjudged,
  kDetectionsUnjudgedRetracted,
  kFramesCorrected,
  kLabelsFiltered,
  kGroupsRefused,
  kGroupsRestarted,
  kClockHeld,
  kClockSetBack,
  kLabelDelay,
  kPendingFrames,
  kPendingBytes,
  kLingeringLabels,
  kKeptFrames,
  kKeptBytes,
  kClassListWaiting,
  kPublishers,
  kModels,
  kGroups,
  kCells,
  kCellBytes,
  kCellLimitBytes,
  kCutsAbsorbed,
  kSnapshotTimestamp,
  // By model.
  kModelInfo,
  kModelFrames,
  kModelFramesJudged,
  kModelFramesExpired,
  kLastFrame,
  kLastLabel,
  kLabelCoverage,
  // Means of a group and window.
  kWindowFrames,
  kWindowClasses,
  kWindowCapture,
  kWindowExact,
  kWindowGroundTruths,
  kMap,
  kMapLower,
  kMapUpper,
  kAverageRecall,
  kMicroPrecision,
  kMicroRecall,
  kMicroF1,
  kMacroPrecision,
  kMacroRecall,
  kMacroF1,
  // Of a class, or over all classes in views without classes.
  kPrecision,
  kRecall,
  kF1,
  kAp,
  kApLower,
  kApUpper,
  kTruePositiveIou,
  kTruePositiveIouQuantile,
  kBestF1Confidence,
  kCalibrationError,
  kFrameAccuracy,
  kFrameSpecificity,
  // Predictions, labels or not.
  kPredictionConfidence,
  kPredictionsPerFrame,
  kInferenceSeconds,
  // Counters of a class.
  kTruePositives,
  kTruePositivesRetracted,
  kFalsePositives,
  kFalsePositivesRetracted,
  kFalseNegatives,
  kFalseNegativesRetracted,
  kFrameOutcomes,
  kFrameOutcomesRetracted,
  kGroundTruths,
  kGroundTruthsRetracted,
  kBinDetections,
  kBinDetectionsRetracted,
  kBinTruePositives,
  kBinTruePositivesRetracted,
  kBinLayoutInfo,
  kCount
};

inline constexpr std::size_t kFamilies = static_cast<std::size_t>(Family::kCount);

[[nodiscard]] const FamilyInfo& Info(Family family);

}  // namespace detwatch::expose
