#pragma once
// lib/pipeline -- the cut: everything that ingest found out since the last one, as a value.
//
// Ingest owns one and adds to it; about once a second it is handed to the state, which settles the halves
// that did not meet in it, applies it and makes it durable, and an empty one takes its place. So the two
// threads share nothing, a slow state only makes the next cut larger, and all of this is plain functions that
// tests run on one thread.
//
// The state reads a cut and never writes into it. What it answers is a value of its own: Absorbed.
// Threads: a cut is owned by one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/cells/contribution.h"
#include "lib/core/counters.h"
#include "lib/core/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/join/seen.h"
#include "lib/judge/class_registry.h"
#include "lib/pipeline/config.h"
#include "lib/settle/arrivals.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::pipeline {

using cells::GroupId;
using settle::LateReject;
using settle::Sender;

struct GroupDefinition {
  GroupId group{};
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
  std::shared_ptr<const EvaluationParams> params;
};

struct ModelChange {
  std::uint32_t model = 0;  // dense, interned by ingest
  bool described = false;   // what was announced is new
  ModelKey key;
  Tags tags;
  bool labels_expected = true;
  ClassListHash class_list{};
  float score_threshold = -1;
  std::int64_t max_detections = -1;
  settle::ModelCounts counts;
};

// A message that waits for its class list: what a restart needs to have it again.
struct ParkedChange {
  std::uint64_t number = 0;
  std::string row;  // empty: it has left
};

// A model of the group announced this list: its classes are known there.
struct KnownClasses {
  GroupId group{};
  ClassListHash list{};
};

// The frames of one cut that have a half in its arrivals.
struct RecentFrame {
  std::shared_ptr<const Labels> labels;  // the first ones of the frame, which came in this cut
  bool settled_later = false;            // something of the frame is for settling to decide
  std::size_t label_arrival = 0;         // its place in the arrivals
  std::vector<std::size_t> waiting;      // places of predictions
};
using RecentFrames = std::unordered_map<FrameHash, RecentFrame, FrameHashHash>;

struct Cut {
  std::uint64_t number = 0;
  TimePoint taken;
  Duration wall_ahead{};  // of the time that windows follow
  bool early = false;     // a publisher waits for the acknowledgement
  bool last = false;      // the daemon stops

  // What later parts speak of.
  std::shared_ptr<const PipelineConfig> reload;  // null: nothing was reloaded
  std::vector<judge::NamedClass> new_classes;
  std::vector<judge::KnownList> new_lists;
  std::vector<ClassListHash> retired_lists;
  std::vector<judge::ClassSet> new_sets;
  std::vector<GroupDefinition> new_groups;
  std::vector<GroupId> retired_groups;
  std::vector<KnownClasses> known_classes;
  std::vector<ModelChange> models;
  std::vector<std::uint32_t> retired_models;
  std::vector<StreamInfo> stream_infos;  // tags that changed
  std::vector<std::string> retired_streams;

  // Frames: judged by ingest, and to be settled.
  cells::Changes changes;
  settle::Arrivals arrivals;
  RecentFrames recent;               // only to be let go of by the thread that has time
  accumulate::Ordinal reserved = 0;  // ordinals from here on are for settling to give
  accumulate::Ordinal next_ordinal = 0;
  std::uint64_t refusals_known = 0;  // dedup keys refused up to this cut are put back
  std::vector<std::pair<GroupId, PredictionStats>> predictions;

  // Messages.
  IngestCounters counters;
  settle::LabelTallies label_tallies;
  std::vector<LateReject> late_rejects;  // of messages whose reply has gone out
  std::vector<ParkedChange> parked;
  join::Seen::Changes seen_predictions;
  join::Seen::Changes seen_labels;
  std::vector<delivery::Sequences::Mark> marks;  // what becomes durable with this cut
  std::vector<std::pair<Transport, std::string>> retired_publishers;
  snapshot::Gauges gauges;  // as they stood; those of cells and of the join are the state's to fill in
};

// What absorbing a cut came to, for ingest and for publishers, once it is durable.
struct Absorbed {
  std::uint64_t cut = 0;
  TimePoint taken;
  std::vector<delivery::Sequences::Mark> marks;
  std::size_t cell_bytes = 0;
  TimePoint labels_since = TimePoint::max();  // no labels that are held came before; max(): none are held
  std::vector<settle::RefusedKey> refused_keys;
  std::vector<LateReject> rejects;
};

}  // namespace detwatch::pipeline
