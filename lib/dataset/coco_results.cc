#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/dataset/coco.h"
#include "lib/dataset/json_chunks.h"
#include "lib/dataset/json_text.h"
#include "lib/dataset/text.h"

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

// Detections of one image nearly always stand together: they are gathered, and moved to their frame at once.
struct Run {
  std::size_t frame = kNone;
  std::vector<Box> boxes;
  std::vector<float> scores;
  std::vector<std::uint32_t> class_ids;
};

template <class T>
void Append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
  from.clear();
}

}  // namespace

class CocoResults::Reader {
 public:
  Reader(std::string name, Dataset& dataset)
      : name_(std::move(name)), json_(name_, silent_), dataset_(dataset) {
    for (std::size_t i = 0; i < dataset.frames.size(); ++i) {
      frame_of_id_.emplace(dataset.frames[i].image_id, i);
    }
    for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
      class_of_id_.emplace(dataset.classes[i].id, static_cast<std::uint32_t>(i));
    }
  }

  bool Add(std::string_view bytes) {
    while (!bytes.empty() && !stuck_) {
      bytes.remove_prefix(chunks_.Take(bytes));
      if (chunks_.full()) {
        stuck_ = !ReadChunk(false);
      }
    }
    return !stuck_;
  }

  bool End() {
    stuck_ = stuck_ || !ReadChunk(true);
    if (!stuck_) {
      Finish();
    }
    return !stuck_;
  }

  // Too odd to be cut, or wrong: read from there as a whole, which also tells where it is wrong.
  Result<void> ReadWhole(std::string text) {
    if (auto opened = json_.Open(std::move(text)); !opened) {
      return opened;
    }
    simdjson::ondemand::array list;
    const auto code = json_.document().get_array().get(list);
    if (code == simdjson::INCORRECT_TYPE) {
      return json_.Wrong("not a COCO results file: the top level is not a list");
    }
    if (code != simdjson::SUCCESS) {
      return json_.Broken(code);
    }
    if (auto read = ReadList(list, done_); !read) {
      return read;
    }
    Finish();
    return {};
  }

 private:
  // False when anything stands in the way; done_ records were read.
  bool ReadChunk(bool last) {
    const simdjson::padded_string_view chunk = chunks_.Next(last);
    simdjson::ondemand::document document;
    simdjson::ondemand::array list;
    return !chunk.empty() && parser_.iterate(chunk).get(document) == simdjson::SUCCESS &&
           document.get_array().get(list) == simdjson::SUCCESS && ReadList(list, 0);
  }

  void Finish() {
    Flush();
    for (const auto& [id, count] : unknown_categories_) {
      dataset_.warnings.push_back(name_ + ": " + std::to_string(count) + " detections of category_id " +
                                  std::to_string(id) +
                                  " are left out: the ground truth has no such category");
    }
  }

  // Reads what follows after the first `skip` records.
  Result<void> ReadList(simdjson::ondemand::array& list, std::size_t skip) {
    std::size_t position = 0;
    for (auto element : list) {
      JsonValue item;
      if (const auto code = element.get(item); code != simdjson::SUCCESS) {
        return json_.Broken(code);
      }
      if (position++ < skip) {
        continue;
      }
      simdjson::ondemand::object record;
      if (item.get_object().get(record) != simdjson::SUCCESS) {
        return json_.Wrong(kResults, done_, "", "is not an object");
      }
      if (auto read = ReadRecord(record, done_); !read) {
        return read;
      }
      ++done_;
    }
    return {};
  }

  Result<void> ReadRecord(simdjson::ondemand::object& record, std::size_t index) {
    Detection detection;
    unsigned seen = 0;
    Result<std::size_t> frame = kNone;
    auto read =
        json_.Fields(kResults, index, record, [&](auto key, JsonValue& value) -> JsonText::FieldAnswer {
          if (key == "image_id") {
            seen |= kImageId;
            frame = FindFrame(value, index);
            return {"image_id", frame ? nullptr : "is unknown"};
          }
          if (key == "category_id") {
            seen |= kCategoryId;
            return {"category_id", ReadId(value, detection.category_id)};
          }
          if (key == "bbox") {
            seen |= kBox;
            return {"bbox", ReadBox(value, detection.box)};
          }
          if (key == "score") {
            seen |= kScore;
            return {"score", ReadDouble(value, detection.score)};
          }
          return {};
        });
    if (!frame) {
      return tl::unexpected(frame.error());  // names the image
    }
    if (!read) {
      return read;
    }
    detection.frame = *frame;
    if (seen != kAll) {
      for (const auto& [bit, name] : kFields) {
        if ((seen & bit) == 0) {
          return json_.Wrong(kResults, index, name, "is missing");
        }
      }
    }
    return Add(detection, index);
  }

  Result<void> Add(const Detection& detection, std::size_t index) {
    if (const std::string problem = BoxProblem(detection.box); !problem.empty()) {
      return json_.Wrong(kResults, index, "bbox", problem);
    }
    if (const std::string problem = ScoreProblem(detection.score); !problem.empty()) {
      return json_.Wrong(kResults, index, "score", problem);
    }
    const auto category = class_of_id_.find(detection.category_id);
    if (category == class_of_id_.end()) {
      ++unknown_categories_[detection.category_id];
      return {};
    }
    if (detection.frame != run_.frame) {
      Flush();
      run_.frame = detection.frame;
    }
    run_.boxes.push_back(detection.box);
    run_.scores.push_back(static_cast<float>(detection.score));
    run_.class_ids.push_back(category->second);
    return {};
  }

  void Flush() {
    if (run_.frame != kNone) {
      Predictions& predictions = dataset_.frames[run_.frame].predictions;
      Append(predictions.boxes, run_.boxes);
      Append(predictions.scores, run_.scores);
      Append(predictions.class_ids, run_.class_ids);
    }
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
        return json_.Wrong(kResults, index, "image_id", std::to_string(id) + " is not in the ground truth");
      }
      return last_ = found->second;
    }
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      return json_.Wrong(kResults, index, "image_id", "is neither an integer nor text");
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
    return json_.Wrong(kResults, index, "image_id", "\"" + name + "\" is not in the ground truth");
  }

  std::string name_;
  Progress silent_;
  JsonText json_;
  JsonChunks chunks_;
  simdjson::ondemand::parser parser_;  // of the chunks
  bool stuck_ = false;
  Dataset& dataset_;
  std::unordered_map<std::int64_t, std::size_t> frame_of_id_;
  std::unordered_map<std::string, std::size_t> frame_of_name_;  // filled by the first image_id that is text
  std::unordered_map<std::int64_t, std::uint32_t> class_of_id_;
  std::map<std::int64_t, std::size_t> unknown_categories_;
  std::size_t last_ = kNone;  // frame found last
  std::size_t done_ = 0;      // records read
  Run run_;
};

CocoResults::CocoResults(std::string name, Dataset& dataset)
    : reader_(std::make_unique<Reader>(std::move(name), dataset)) {}
CocoResults::~CocoResults() = default;

bool CocoResults::Add(std::string_view bytes) {
  return reader_->Add(bytes);
}

bool CocoResults::End() {
  return reader_->End();
}

Result<void> CocoResults::ReadWhole(std::string text) {
  return reader_->ReadWhole(std::move(text));
}

Result<void> ReadCocoResults(std::string_view name, std::string_view text, Dataset& dataset) {
  CocoResults results{std::string(name), dataset};
  if (results.Add(text) && results.End()) {
    return {};
  }
  return results.ReadWhole(std::string(text));
}

}  // namespace detwatch::dataset
