#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "lib/dataset/coco.h"
#include "lib/dataset/json_text.h"
#include "lib/dataset/text.h"

namespace detwatch::dataset {
namespace {

using simdjson::ondemand::array;
using simdjson::ondemand::object;

// As read: what it refers to may come later in the file.
struct Annotation {
  std::int64_t image_id = 0;
  std::int64_t category_id = 0;
  Box box;
  double area = -1;  // negative: missing
  bool crowd = false;
  bool difficult = false;
};

constexpr std::string_view kImages = "images";
constexpr std::string_view kAnnotations = "annotations";
constexpr std::string_view kCategories = "categories";

enum Seen : unsigned { kId = 1, kImageId = 2, kCategoryId = 4, kBox = 8 };

class Reader {
 public:
  Reader(std::string_view name, const Progress& progress) : json_(std::string(name), progress) {}

  Result<Dataset> Read(std::string text) {
    if (auto opened = json_.Open(std::move(text)); !opened) {
      return tl::unexpected(opened.error());
    }
    if (auto read = ReadLists(); !read) {
      return tl::unexpected(read.error());
    }
    if (auto sorted = SortImages(); !sorted) {
      return tl::unexpected(sorted.error());
    }
    if (auto sorted = SortCategories(); !sorted) {
      return tl::unexpected(sorted.error());
    }
    if (auto placed = PlaceAnnotations(); !placed) {
      return tl::unexpected(placed.error());
    }
    MakeNamesUnique(dataset_);
    return std::move(dataset_);
  }

 private:
  Result<void> ReadLists() {
    object root;
    const auto opened = json_.document().get_object().get(root);
    if (opened == simdjson::INCORRECT_TYPE) {
      return json_.Wrong("not a COCO instances file: the top level is not an object");
    }
    if (opened != simdjson::SUCCESS) {
      return json_.Broken(opened);
    }
    bool images = false;
    bool annotations = false;
    bool categories = false;
    for (auto field : root) {
      simdjson::ondemand::raw_json_string key;
      JsonValue value;
      if (const auto code = field.key().get(key); code != simdjson::SUCCESS) {
        return json_.Broken(code);
      }
      if (const auto code = field.value().get(value); code != simdjson::SUCCESS) {
        return json_.Broken(code);
      }
      Result<void> read;
      if (key == kImages) {
        images = true;
        read = ReadList(kImages, value, &Reader::ReadImage);
      } else if (key == kAnnotations) {
        annotations = true;
        read = ReadList(kAnnotations, value, &Reader::ReadAnnotation);
      } else if (key == kCategories) {
        categories = true;
        read = ReadList(kCategories, value, &Reader::ReadCategory);
      }
      if (!read) {
        return read;
      }
    }
    for (const auto& [found, name] :
         {std::pair{images, kImages}, {annotations, kAnnotations}, {categories, kCategories}}) {
      if (!found) {
        return json_.Wrong("not a COCO instances file: " + std::string(name) + " is missing");
      }
    }
    return {};
  }

  Result<void> ReadList(std::string_view name, JsonValue& value,
                        Result<void> (Reader::*read)(object&, std::size_t)) {
    array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
      return json_.Wrong(std::string(name) + ": is not a list");
    }
    std::size_t index = 0;
    for (auto element : list) {
      JsonValue item;
      if (const auto code = element.get(item); code != simdjson::SUCCESS) {
        return json_.Broken(code);
      }
      object record;
      if (item.get_object().get(record) != simdjson::SUCCESS) {
        return json_.Wrong(name, index, "", "is not an object");
      }
      if (auto done = (this->*read)(record, index); !done) {
        return done;
      }
      json_.Passed(index++);
    }
    return {};
  }

  Result<void> ReadImage(object& record, std::size_t index) {
    Frame frame;
    unsigned seen = 0;
    const auto side = [](JsonValue& value, std::uint32_t& out) -> Reason {
      std::int64_t number = 0;
      if (const Reason reason = ReadInteger(value, number)) {
        return reason;
      }
      if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) {
        return "is out of range";
      }
      out = static_cast<std::uint32_t>(number);
      return nullptr;
    };
    auto read =
        json_.Fields(kImages, index, record, [&](auto key, JsonValue& value) -> JsonText::FieldAnswer {
          if (key == "id") {
            seen |= kId;
            return {"id", ReadId(value, frame.image_id)};
          }
          if (key == "width") {
            return {"width", side(value, frame.size.width)};
          }
          if (key == "height") {
            return {"height", side(value, frame.size.height)};
          }
          if (key == "file_name") {
            std::string_view text;
            if (value.get_string().get(text) == simdjson::SUCCESS) {  // no evaluator asks what it is
              frame.file_name = text;
            }
          }
          return {};
        });
    if (read && (seen & kId) == 0) {
      return json_.Wrong(kImages, index, "id", "is missing");
    }
    frame.frame_id = std::to_string(frame.image_id);
    frame.labels.frame.frame_id = frame.frame_id;
    frame.predictions.frame.frame_id = frame.frame_id;
    dataset_.frames.push_back(std::move(frame));
    return read;
  }

  Result<void> ReadCategory(object& record, std::size_t index) {
    ClassEntry entry;
    unsigned seen = 0;
    auto read =
        json_.Fields(kCategories, index, record, [&](auto key, JsonValue& value) -> JsonText::FieldAnswer {
          if (key == "id") {
            seen |= kId;
            return {"id", ReadId(value, entry.id)};
          }
          if (key == "name") {
            std::string_view text;
            const bool good = value.get_string().get(text) == simdjson::SUCCESS;
            entry.name = text;
            return {"name", good ? nullptr : "is not text"};
          }
          return {};
        });
    if (read && (seen & kId) == 0) {
      return json_.Wrong(kCategories, index, "id", "is missing");
    }
    if (entry.name.empty()) {
      entry.name = std::to_string(entry.id);
    }
    dataset_.classes.push_back(std::move(entry));
    return read;
  }

  Result<void> ReadAnnotation(object& record, std::size_t index) {
    Annotation note;
    unsigned seen = 0;
    auto read =
        json_.Fields(kAnnotations, index, record, [&](auto key, JsonValue& value) -> JsonText::FieldAnswer {
          if (key == "image_id") {
            seen |= kImageId;
            return {"image_id", ReadId(value, note.image_id)};
          }
          if (key == "category_id") {
            seen |= kCategoryId;
            return {"category_id", ReadId(value, note.category_id)};
          }
          if (key == "bbox") {
            seen |= kBox;
            return {"bbox", ReadBox(value, note.box)};
          }
          if (key == "area") {
            const Reason reason = ReadDouble(value, note.area);
            return {"area", reason == nullptr && note.area < 0 ? "is negative" : reason};
          }
          if (key == "iscrowd") {
            return {"iscrowd", ReadFlag(value, note.crowd)};
          }
          if (key == "difficult") {
            return {"difficult", ReadFlag(value, note.difficult)};
          }
          return {};
        });
    if (!read) {
      return read;
    }
    for (const auto& [bit, name] :
         {std::pair{kImageId, "image_id"}, {kCategoryId, "category_id"}, {kBox, "bbox"}}) {
      if ((seen & bit) == 0) {
        return json_.Wrong(kAnnotations, index, name, "is missing");
      }
    }
    if (const std::string problem = BoxProblem(note.box); !problem.empty()) {
      return json_.Wrong(kAnnotations, index, "bbox", problem);
    }
    annotations_.push_back(note);
    return {};
  }

  Result<void> SortImages() {
    auto& frames = dataset_.frames;
    const auto by_id = [](const Frame& a, const Frame& b) { return a.image_id < b.image_id; };
    if (!std::is_sorted(frames.begin(), frames.end(), by_id)) {
      std::sort(frames.begin(), frames.end(), by_id);
    }
    for (std::size_t i = 1; i < frames.size(); ++i) {
      if (frames[i - 1].image_id == frames[i].image_id) {
        return json_.Wrong("images: id " + frames[i].frame_id + " is listed twice");
      }
    }
    return {};
  }

  Result<void> SortCategories() {
    auto& classes = dataset_.classes;
    std::sort(classes.begin(), classes.end(),
              [](const ClassEntry& a, const ClassEntry& b) { return a.id < b.id; });
    for (std::size_t i = 1; i < classes.size(); ++i) {
      if (classes[i - 1].id == classes[i].id) {
        return json_.Wrong("categories: id " + std::to_string(classes[i].id) + " is listed twice");
      }
    }
    return {};
  }

  Result<void> PlaceAnnotations() {
    std::unordered_map<std::int64_t, std::size_t> frame_of;
    for (std::size_t i = 0; i < dataset_.frames.size(); ++i) {
      frame_of.emplace(dataset_.frames[i].image_id, i);
    }
    std::unordered_map<std::int64_t, std::uint32_t> class_of;
    for (std::size_t i = 0; i < dataset_.classes.size(); ++i) {
      class_of.emplace(dataset_.classes[i].id, static_cast<std::uint32_t>(i));
    }
    struct Place {
      std::size_t frame;
      std::uint32_t class_index;
    };
    std::vector<Place> places;
    places.reserve(annotations_.size());
    std::vector<std::size_t> counts(dataset_.frames.size());
    for (std::size_t i = 0; i < annotations_.size(); ++i) {
      const Annotation& note = annotations_[i];
      const auto frame = frame_of.find(note.image_id);
      if (frame == frame_of.end()) {
        return json_.Wrong(kAnnotations, i, "image_id",
                           std::to_string(note.image_id) + " is not among the images");
      }
      const auto category = class_of.find(note.category_id);
      if (category == class_of.end()) {
        return json_.Wrong(kAnnotations, i, "category_id",
                           std::to_string(note.category_id) + " is not among the categories");
      }
      places.push_back({frame->second, category->second});
      ++counts[frame->second];
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
      ReserveGroundTruths(dataset_.frames[i], counts[i]);
    }
    for (std::size_t i = 0; i < annotations_.size(); ++i) {
      const Annotation& note = annotations_[i];
      AddGroundTruth(dataset_.frames[places[i].frame], note.box, note.area < 0 ? note.box.Area() : note.area,
                     places[i].class_index, note.crowd, note.difficult);
    }
    return {};
  }

  JsonText json_;
  Dataset dataset_;
  std::vector<Annotation> annotations_;
};

}  // namespace

Result<Dataset> ReadCocoGroundTruth(std::string_view name, std::string text, const Progress& progress) {
  return Reader(name, progress).Read(std::move(text));
}

}  // namespace detwatch::dataset
