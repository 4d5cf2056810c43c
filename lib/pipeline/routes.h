#pragma once
// lib/pipeline -- who a message is from: models, streams, and the view groups their frames count into.
//
// Names come from outside, so every table here is bounded, and what was idle for a week is forgotten.
// Ids are dense and never reused: they travel in cuts, and the state indexes by them.
// Cost: two hash look-ups a frame. Threads: none, owned by ingest.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/match/matcher.h"
#include "lib/pipeline/config.h"
#include "lib/pipeline/cut.h"
#include "lib/pipeline/restored.h"

namespace detwatch::pipeline {

// Parameters with the tools made from them once.
struct Evaluation {
  std::shared_ptr<const EvaluationParams> params;
  accumulate::Shape shape;  // fine
  match::Matcher matcher;
};

struct Model {
  std::uint32_t id = 0;
  ModelKey key;
  std::uint64_t hash = 0;  // HashModel(key)
  Tags tags;
  bool labels_expected = true;
  Evaluation* evaluation = nullptr;
  TimePoint last_seen;
  std::uint64_t delta_cut = 0;  // number of the cut in which delta_slot is valid
  std::size_t delta_slot = 0;
};

// Where frames of one (model, stream) count: one group per view that took them.
struct Route {
  Model* model = nullptr;
  std::vector<GroupId> groups;
  bool counted = false;  // groups[0] is the first view's, which carries the counters
};

class Routes {
 public:
  explicit Routes(const PipelineConfig& config);

  // Finds or makes the route; new groups are announced in `cut`, refused ones counted there.
  [[nodiscard]] Result<Route*, Reject> Find(const ModelKey& model, const std::string& stream, TimePoint now,
                                            Cut& cut);
  // Newest announcements. They change where later frames count, not earlier ones.
  [[nodiscard]] Result<void, Reject> Describe(const ModelInfo& info, TimePoint now, Cut& cut);
  [[nodiscard]] Result<void, Reject> Describe(const StreamInfo& info, TimePoint now, Cut& cut);
  // The model's changes in this cut.
  [[nodiscard]] ModelDelta& Delta(Model& model, Cut& cut);
  [[nodiscard]] Model* FindModel(const ModelKey& key);
  // Forgets what was idle for too long, and says so in the cut.
  void Expire(TimePoint now, Cut& cut);

  // What a store held. Requires: nothing else was called before.
  void Restore(const Restored& restored);

  void SetLimits(const Limits& limits) { limits_ = limits; }
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
    const Evaluation* evaluation = nullptr;
    TimePoint last_seen;
  };
  struct RouteEntry {
    Route route;
    std::vector<Group*> groups;  // of the map below, to keep them alive
  };
  [[nodiscard]] Result<Model*, Reject> FindOrAddModel(const ModelKey& key, TimePoint now, Cut& cut);
  [[nodiscard]] Result<Group*, Reject> FindOrAddGroup(std::size_t view, const Model& model,
                                                      const std::string& stream, TimePoint now, Cut& cut);
  [[nodiscard]] Result<void, Reject> SeeStream(const std::string& stream, TimePoint now);
  [[nodiscard]] std::unique_ptr<Model> MakeModel(std::uint32_t id, const ModelKey& key, TimePoint now);
  [[nodiscard]] std::string LabelValue(const std::string& key, const Model& model,
                                       const std::string& stream) const;

  Limits limits_;
  std::vector<ViewSpec> views_;
  std::vector<std::unique_ptr<Evaluation>> evaluations_;
  std::map<std::string, Evaluation*> evaluation_of_model_;
  std::size_t cell_bytes_ = 0;
  std::uint32_t next_model_ = 0;
  std::uint32_t next_group_ = 0;
  std::unordered_map<ModelKey, std::unique_ptr<Model>, ModelKeyHash> models_;
  std::unordered_map<std::string, Stream> streams_;
  std::unordered_map<std::string, std::unique_ptr<Group>> groups_;  // by view and label values
  // By (model id, stream); the stream only where a view groups by something of it.
  std::unordered_map<std::string, RouteEntry> routes_;
  bool by_stream_ = false;
};

}  // namespace detwatch::pipeline
