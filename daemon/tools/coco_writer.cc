#include "daemon/tools/coco_writer.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace detwatch::tools {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Box& box) {
  return Json::array({box.x, box.y, box.w, box.h});
}

Result<void> Write(const std::filesystem::path& path, const Json& json) {
  std::ofstream file(path);
  file << json.dump() << '\n';
  file.close();
  if (!file) {
    return Fail("cannot write " + path.string());
  }
  return {};
}

}  // namespace

Result<void> WriteCoco(const std::filesystem::path& folder, const std::vector<dataset::ClassEntry>& classes,
                       const std::vector<dataset::Frame>& frames) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return Fail("cannot make " + folder.string() + ": " + error.message());
  }
  Json instances = {{"images", Json::array()}, {"annotations", Json::array()}, {"categories", Json::array()}};
  Json results = Json::array();
  for (const dataset::ClassEntry& entry : classes) {
    instances["categories"].push_back({{"id", entry.id}, {"name", entry.name}});
  }
  std::int64_t annotation = 1;  // the reference evaluator takes id 0 for unmatched
  for (const dataset::Frame& frame : frames) {
    instances["images"].push_back({{"id", frame.image_id},
                                   {"width", frame.size.width},
                                   {"height", frame.size.height},
                                   {"file_name", frame.frame_id + ".jpg"}});
    const Labels& labels = frame.labels;
    for (std::size_t i = 0; i < labels.boxes.size(); ++i) {
      instances["annotations"].push_back({{"id", annotation++},
                                          {"image_id", frame.image_id},
                                          {"category_id", classes[labels.class_ids[i]].id},
                                          {"bbox", ToJson(labels.boxes[i])},
                                          {"area", labels.areas[i]},
                                          {"iscrowd", labels.crowd.empty() ? 0 : labels.crowd[i]}});
    }
    const Predictions& predictions = frame.predictions;
    for (std::size_t i = 0; i < predictions.boxes.size(); ++i) {
      results.push_back({{"image_id", frame.image_id},
                         {"category_id", classes[predictions.class_ids[i]].id},
                         {"bbox", ToJson(predictions.boxes[i])},
                         {"score", static_cast<double>(predictions.scores[i])}});
    }
  }
  if (auto written = Write(folder / "ground_truth.json", instances); !written) {
    return written;
  }
  return Write(folder / "predictions.json", results);
}

}  // namespace detwatch::tools
