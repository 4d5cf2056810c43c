#include <map>
#include <unordered_map>

#include "daemon/dataset/formats.h"
#include "daemon/dataset/json_file.h"
#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

constexpr std::string_view kResults = "results";

enum Seen : unsigned { kImageId = 1, kCategoryId = 2, kBox = 4, kScore = 8, kAll = 15 };
constexpr std::pair<unsigned, const char*> kFields[] = {
    {kImageId, "image_id"}, {kCategoryId, "category_id"}, {kBox, "bbox"}, {kScore, "score"}};

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Detection {
  std::size_t frame = kNone;
  std::int64_t category_id = 0;
  Box box;
  double score = 0;
};

class Reader {
 public:
  Reader(const std::filesystem::path& path, const ReadOptions& options, Dataset& dataset)
      : path_(path), file_(path, options), dataset_(dataset) {
    for (std::size_t i = 0; i < dataset.frames.size(); ++i) {
      frame_of_id_.emplace(dataset.frames[i].image_id, i);
    }
    for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
      class_of_id_.emplace(dataset.classes[i].id, static_cast<std::uint32_t>(i));
    }
  }

  Result<void> Read() {
    if (auto opened = file_.Open(); !opened) {
      return opened;
    }
    simdjson::ondemand::array list;
    if (file_.document().get_array().get(list) != simdjson::SUCCESS) {
      return Fail(path_.string() + ": not a COCO results file: the top level is not a list");
    }
    std::size_t index = 0;
    for (auto element : list) {
      JsonValue item;
      if (const auto code = element.get(item); code != simdjson::SUCCESS) {
        return file_.Broken(code);
      }
      simdjson::ondemand::object record;
      if (item.get_object().get(record) != simdjson::SUCCESS) {
        return file_.Wrong(kResults, index, "", "is not an object");
      }
      if (auto read = ReadRecord(record, index); !read) {
        return read;
      }
      file_.Progress(index++);
    }
    for (const auto& [id, count] : unknown_categories_) {
      dataset_.warnings.push_back(path_.string() + ": " + std::to_string(count) +
                                  " detections of category_id " + std::to_string(id) +
                                  " are left out: the ground truth has no such category");
    }
    return {};
  }

 private:
  Result<void> ReadRecord(simdjson::ondemand::object& record, std::size_t index) {
    Detection detection;
    unsigned seen = 0;
    for (auto field : record) {
      simdjson::ondemand::raw_json_string key;
      JsonValue value;
      if (const auto code = field.key().get(key); code != simdjson::SUCCESS) {
        return file_.Broken(code);
      }
      if (const auto code = field.value().get(value); code != simdjson::SUCCESS) {
        return file_.Broken(code);
      }
      const char* name = "";
      Reason reason = nullptr;
      if (key == "image_id") {
        name = "image_id";
        seen |= kImageId;
        if (auto found = FindFrame(value, index)) {
          detection.frame = *found;
        } else {
          return tl::unexpected(found.error());
        }
      } else if (key == "category_id") {
        name = "category_id";
        seen |= kCategoryId;
        reason = ReadId(value, detection.category_id);
      } else if (key == "bbox") {
        name = "bbox";
        seen |= kBox;
        reason = ReadBox(value, detection.box);
      } else if (key == "score") {
        name = "score";
        seen |= kScore;
        reason = ReadDouble(value, detection.score);
      }
      if (reason != nullptr) {
        return file_.Wrong(kResults, index, name, reason);
      }
    }
    if (seen != kAll) {
      for (const auto& [bit, name] : kFields) {
        if ((seen & bit) == 0) {
          return file_.Wrong(kResults, index, name, "is missing");
        }
      }
    }
    return Add(detection, index);
  }

  Result<void> Add(const Detection& detection, std::size_t index) {
    if (const std::string problem = BoxProblem(detection.box); !problem.empty()) {
      return file_.Wrong(kResults, index, "bbox", problem);
    }
    if (const std::string problem = ScoreProblem(detection.score); !problem.empty()) {
      return file_.Wrong(kResults, index, "score", problem);
    }
    const auto category = class_of_id_.find(detection.category_id);
    if (category == class_of_id_.end()) {
      ++unknown_categories_[detection.category_id];
      return {};
    }
    AddDetection(dataset_.frames[detection.frame], detection.box, static_cast<float>(detection.score),
                 category->second);
    return {};
  }

  Result<std::size_t> FindFrame(JsonValue& value, std::size_t index) {
    std::int64_t id = 0;
    if (ReadInteger(value, id) == nullptr) {
      // Detections of one image nearly always stand together.
      if (last_ < dataset_.frames.size() && dataset_.frames[last_].image_id == id) {
        return last_;
      }
      const auto found = frame_of_id_.find(id);
      if (found == frame_of_id_.end()) {
        return file_.Wrong(kResults, index, "image_id", std::to_string(id) + " is not in the ground truth");
      }
      return last_ = found->second;
    }
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return file_.Wrong(kResults, index, "image_id", "is neither an integer nor text");
    }
    if (frame_of_name_.empty()) {
      for (std::size_t i = 0; i < dataset_.frames.size(); ++i) {
        frame_of_name_.emplace(dataset_.frames[i].frame_id, i);
      }
    }
    const std::string name(text);
    if (const auto found = frame_of_name_.find(name); found != frame_of_name_.end()) {
      return found->second;
    }
    if (const auto number = ParseNumber<std::int64_t>(name)) {
      if (const auto found = frame_of_id_.find(*number); found != frame_of_id_.end()) {
        return found->second;
      }
    }
    return file_.Wrong(kResults, index, "image_id", "\"" + name + "\" is not in the ground truth");
  }

  const std::filesystem::path& path_;
  JsonFile file_;
  Dataset& dataset_;
  std::unordered_map<std::int64_t, std::size_t> frame_of_id_;
  std::unordered_map<std::string, std::size_t> frame_of_name_;  // filled by the first image_id that is text
  std::unordered_map<std::int64_t, std::uint32_t> class_of_id_;
  std::map<std::int64_t, std::size_t> unknown_categories_;
  std::size_t last_ = kNone;
};

}  // namespace

Result<void> ReadCocoResults(const std::filesystem::path& file, const ReadOptions& options,
                             Dataset& dataset) {
  return Reader(file, options, dataset).Read();
}

}  // namespace detwatch::dataset
