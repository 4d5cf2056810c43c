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
#include "lib/judge/class_registry.h"
#include "lib/pipeline/rows.h"
#include "lib/settle/arrivals.h"

namespace detwatch::pipeline {

struct RestoredModel {
  std::uint32_t id = 0;
  ModelKey key;
  Tags tags;
  bool labels_expected = true;
  ClassListHash class_list{};
};

struct RestoredGroup {
  cells::GroupId id{};
  std::size_t view = 0;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string model;  // whose evaluation it has
};

struct Restored {
  bool fresh = true;  // there was nothing
  TimePoint taken;    // of the last checkpoint: time goes on from here
  TimePoint started;  // now
  std::uint64_t cut = 0;
  accumulate::Ordinal next_ordinal = 1;
  std::uint32_t next_model = 0;
  std::uint32_t next_group = 0;
  std::vector<PublisherRow> publishers;
  std::uint32_t next_class = 0;
  std::vector<judge::NamedClass> class_names;
  std::vector<judge::KnownList> class_lists;
  std::vector<judge::ClassSetId> class_sets;
  std::vector<RestoredModel> models;
  std::vector<RestoredGroup> groups;
  std::vector<StreamInfo> streams;  // those with tags
  std::vector<join::Seen::Change> seen_predictions;
  std::vector<join::Seen::Change> seen_labels;
  std::vector<std::pair<std::uint64_t, ParkedRow>> parked;
  TimePoint labels_since;          // as in Absorbed
  std::vector<std::string> notes;  // for the log: what of the store was given up, and why
};

}  // namespace detwatch::pipeline
