#pragma once
// lib/pipeline -- who a message is from: models, streams, and the view groups their frames count into.
//
// Names come from outside, so every table here is bounded, and what was idle for a week is forgotten.
// Ids are dense and never reused: they travel in cuts, and the state indexes by them. A group learns the
// class lists of its models, so that counters of a class are there before it is first seen.
// Cost: two hash look-ups a frame. Threads: none, owned by ingest.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/cells/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/restored.h"

namespace detwatch::pipeline {

// What ingest knows of a model; the state has what it counts.
struct KnownModel {
  std::uint32_t id = 0;
  ModelKey key;
  std::uint64_t hash = 0;  // HashModel(key)
  Tags tags;
  bool labels_expected = true;
  ClassListHash class_list{};  // announced
  cells::Evaluation* evaluation = nullptr;
  TimePoint last_seen;
  std::uint64_t change_cut = 0;  // number of the cut in which change_slot is valid
  std::size_t change_slot = 0;
};

// Where frames of one (model, stream) count: one group per view that took them.
struct Route {
  KnownModel* model = nullptr;
  std::vector<GroupId> groups;  // the first view's, which carries the counters, is the first
};

class Routes {
 public:
  explicit Routes(const PipelineConfig& config);

  // Finds or makes the route of predictions by this class list; new groups are announced in `cut`, refused
  // ones counted there.
  [[nodiscard]] Result<Route*, Reject> Find(const ModelKey& model, const std::string& stream,
                                            ClassListHash list, TimePoint now, Cut& cut);
  // Newest announcements. They change where later frames count, not earlier ones.
  [[nodiscard]] Result<void, Reject> Announce(const ModelInfo& info, TimePoint now, Cut& cut);
  [[nodiscard]] Result<void, Reject> Announce(const StreamInfo& info, TimePoint now, Cut& cut);
  // A class list is known: the groups of models that announced it learn its classes, where no stream is
  // needed to know the group.
  void LearnList(ClassListHash list, TimePoint now, Cut& cut);
  // The model's changes in this cut.
  [[nodiscard]] ModelChange& Change(KnownModel& model, Cut& cut);
  [[nodiscard]] KnownModel* FindModel(const ModelKey& key);
  // Forgets what was idle for too long, and says so in the cut.
  void Expire(TimePoint now, Cut& cut);

  // What a store held. Requires: nothing else was called before.
  void Restore(const Restored& restored);

  // Views that were refused a group get another chance.
  void SetLimits(const Limits& limits);
  void SetCellBytes(std::size_t bytes) { cell_bytes_ = bytes; }
  [[nodiscard]] std::size_t models() const { return models_.size(); }
  [[nodiscard]] std::size_t models_ever() const { return next_model_; }
  [[nodiscard]] std::size_t groups() const { return groups_.size(); }

 private:
  struct Stream {
    Tags tags;
    TimePoint last_seen;
  };
  struct Group {
    GroupId id{};
    const cells::Evaluation* evaluation = nullptr;
    TimePoint last_seen;
    std::vector<ClassListHash> lists;  // its classes were told to the state; bounded by the lists there are
  };
  struct RouteEntry {
    Route route;
    std::vector<Group*> groups;        // of the map below, to keep them alive
    bool complete = true;              // no view was refused its group
    std::vector<ClassListHash> lists;  // its groups know
  };
  [[nodiscard]] Result<KnownModel*, Reject> FindOrAddModel(const ModelKey& key, TimePoint now, Cut& cut);
  [[nodiscard]] Result<Group*, Reject> FindOrAddGroup(std::size_t view, const KnownModel& model,
                                                      const std::string& stream, TimePoint now, Cut& cut);
  [[nodiscard]] Result<void, Reject> SeeStream(const std::string& stream, TimePoint now);
  [[nodiscard]] std::unique_ptr<KnownModel> MakeModel(std::uint32_t id, const ModelKey& key, TimePoint now);
  [[nodiscard]] bool NeedsStream(const ViewSpec& view, const KnownModel& model) const;
  [[nodiscard]] Result<RouteEntry*, Reject> FindOrAddRoute(KnownModel& model, const std::string& stream,
                                                           TimePoint now, Cut& cut);
  static void LearnList(Group& group, ClassListHash list, Cut& cut);
  [[nodiscard]] std::string LabelValue(const std::string& key, const KnownModel& model,
                                       const std::string& stream) const;

  Limits limits_;
  std::vector<ViewSpec> views_;
  std::vector<std::unique_ptr<cells::Evaluation>> evaluations_;
  std::map<std::string, cells::Evaluation*> evaluation_of_model_;
  std::size_t cell_bytes_ = 0;
  std::uint32_t next_model_ = 0;
  std::uint32_t next_group_ = 0;
  std::unordered_map<ModelKey, std::unique_ptr<KnownModel>, ModelKeyHash> models_;
  std::unordered_map<std::string, Stream> streams_;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;  // by view and label values
  // By (model id, stream); the stream only where a view groups by something of it.
  std::unordered_map<std::string, RouteEntry> routes_;
  bool by_stream_ = false;
};

}  // namespace detwatch::pipeline
