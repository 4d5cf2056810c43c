#pragma once
// lib/pipeline -- the cut: everything that ingest found out since the last one, as a value.
//
// Ingest owns one and adds to it; about once a second it is handed to the state, which settles the halves
// that did not meet in it, absorbs it and makes it durable, and an empty one takes its place. So the two
// threads share nothing, a slow state only makes the next cut larger, and all of this is plain functions that
// tests run on one thread.
//
// Frames are kept apart by quantum (the longest time that divides every window's pane), so that a cut that
// straddles the end of a pane still puts each frame where it belongs.
// Threads: a cut is owned by one thread at a time.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/counters.h"
#include "lib/core/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/outcome.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/join/limits.h"
#include "lib/join/seen.h"
#include "lib/pipeline/arrivals.h"
#include "lib/pipeline/judge.h"
#include "lib/snapshot/snapshot.h"
#include "lib/window/frame_window.h"

namespace detwatch::pipeline {

// Signed changes of one class in one group.
struct CellDelta {
  ClassId class_id{};
  accumulate::Histogram counts;                 // fine layout
  std::vector<accumulate::RingRecord> records;  // ascending ordinal, at most twice the ring's capacity
  accumulate::Ordinal dropped_through = 0;      // records up to here did not fit
  bool dropped = false;
  // Corrections, after the above: what leaves the ring, what comes at its place, and the counts of what left.
  std::vector<accumulate::Ordinal> removed;
  std::vector<accumulate::RingRecord> inserted;
  std::unique_ptr<accumulate::Histogram> retracted;
};

// Changes of one group in one quantum.
struct GroupDelta {
  GroupId group{};
  window::FrameStats frames;
  std::vector<std::unique_ptr<CellDelta>> cells;  // in order of first touch
  std::vector<std::uint32_t> cell_of_class;       // by class index: 1 + index into cells, 0 none
  std::vector<std::pair<std::uint32_t, std::int64_t>> frames_by_set;  // judged class set -> frames

  // One more frame in which the classes of this set were judged.
  void CountFrame(std::uint32_t set);
  // The cell of a class, created on first touch.
  CellDelta& Cell(ClassId class_id, const accumulate::Shape& shape);
};

struct Segment {
  std::int64_t quantum = 0;
  std::vector<std::unique_ptr<GroupDelta>> groups;  // in order of first touch
  std::vector<std::uint32_t> slot_of_group;         // by group index: 1 + index into groups, 0 none

  GroupDelta& Group(GroupId group);
};

struct GroupDefinition {
  GroupId group{};
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
  std::shared_ptr<const EvaluationParams> params;
};

struct ModelDelta {
  std::uint32_t model = 0;  // dense, interned by ingest
  bool described = false;   // what was announced is new
  ModelKey model_key;
  Tags tags;
  bool labels_expected = true;
  float score_threshold = -1;
  std::int64_t max_detections = -1;
  std::uint64_t frames = 0;
  std::uint64_t judged = 0;
  std::uint64_t expired = 0;
  TimePoint last_frame;
  TimePoint last_label;
};

// A message that waits for its class list: what a restart needs to have it again.
struct ParkedChange {
  std::uint64_t number = 0;
  std::string bytes;  // empty: it has left
};

// The daemon's answer to a message, known only once the state has settled it.
struct LateReject {
  Sender sender;
  Reject reject;
};

struct Cut {
  std::uint64_t number = 0;
  TimePoint taken;
  bool early = false;  // a publisher waits for the acknowledgement
  bool last = false;   // the daemon stops
  std::vector<GroupDefinition> new_groups;
  std::vector<GroupId> retired_groups;
  std::vector<std::string> new_classes;         // continue the class indices
  std::vector<std::vector<ClassId>> new_sets;   // continue the set numbers
  std::vector<Segment> segments;                // ascending quantum
  std::map<std::int64_t, Segment> corrections;  // of frames judged before, by the quantum in which they were
  Arrivals arrivals;
  RecentFrames recent;               // only to be let go of by the thread that has time
  accumulate::Ordinal reserved = 0;  // ordinals from here on are the state's to give
  accumulate::Ordinal next_ordinal = 0;
  std::vector<ClassList> class_lists;    // announced, in order
  std::vector<StreamInfo> stream_infos;  // tags that changed
  std::vector<std::string> retired_streams;
  std::vector<ParkedChange> parked;
  join::Seen::Changes seen_predictions;
  join::Seen::Changes seen_labels;
  std::optional<join::JoinLimits> join_limits;  // new ones
  std::vector<LateReject> late_rejects;         // of messages whose reply has gone out
  // What became of label messages of reliable publishers: the newest run of each in this cut.
  std::unordered_map<std::string, std::pair<std::uint64_t, LabelTally>> label_tallies;
  std::vector<std::pair<GroupId, PredictionStats>> predictions;
  std::vector<ModelDelta> models;
  std::vector<std::uint32_t> retired_models;
  IngestCounters counters;
  snapshot::Gauges gauges;                       // as they stood; cells are the state's to fill in
  std::vector<delivery::Sequences::Mark> marks;  // what becomes durable with this cut
  std::vector<std::pair<Transport, std::string>> retired_publishers;

  [[nodiscard]] bool HasFrames() const { return !segments.empty(); }
  Segment& SegmentAt(std::int64_t quantum);
  // Of the sender's run; a place that nobody reads when it is not a reliable publisher's newest.
  [[nodiscard]] LabelTally& Tally(const Sender& sender);

 private:
  LabelTally nobody_;
};

// Parameters of a group with the shape made from them.
struct Counting {
  const EvaluationParams& params;
  const accumulate::Shape& shape;  // fine
};

// Adds one judged frame of one group: outcome by class, ring records, frame statistics. Frames of which
// classes were judged are the caller's to count.
void AddFrame(Segment& segment, GroupId group, const Counting& how, const FrameOutcome& outcome,
              accumulate::Ordinal ordinal, TimePoint capture, std::size_t ring_capacity);
// Takes one frame of one group out as `before` and puts it back as `after`, frames of judged classes
// included.
void ReplaceFrame(Segment& segment, GroupId group, const Counting& how, const JudgedFrame& before,
                  const JudgedFrame& after, accumulate::Ordinal ordinal);

}  // namespace detwatch::pipeline
