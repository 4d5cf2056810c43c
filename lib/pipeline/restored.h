#pragma once
// lib/pipeline -- what ingest has to have again after a restart. The state reads it from the store; plain
// values.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/core/frame.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/join/seen.h"
#include "lib/pipeline/arrivals.h"

namespace detwatch::pipeline {

struct RestoredModel {
  std::uint32_t id = 0;
  ModelKey key;
  Tags tags;
  bool labels_expected = true;
};

struct RestoredGroup {
  GroupId id{};
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
};

struct RestoredRow {
  delivery::Sequences::Mark mark;
  TimePoint last_seen;
};

struct Restored {
  bool fresh = true;  // there was nothing
  TimePoint taken;    // of the last checkpoint: time goes on from here
  TimePoint started;  // now
  std::uint64_t cut = 0;
  accumulate::Ordinal next_ordinal = 1;
  std::uint32_t next_model = 0;
  std::uint32_t next_group = 0;
  std::vector<RestoredRow> publishers;
  std::vector<ClassList> class_lists;  // in the order of their announcement
  std::vector<RestoredModel> models;
  std::vector<RestoredGroup> groups;
  std::vector<StreamInfo> streams;  // those with tags
  std::vector<join::Seen::Change> seen_predictions;
  std::vector<join::Seen::Change> seen_labels;
  std::vector<std::pair<std::uint64_t, std::string>> parked;
  std::vector<std::string> notes;  // for the log: what of the store was given up, and why
};

}  // namespace detwatch::pipeline
