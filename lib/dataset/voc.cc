#include "lib/dataset/voc.h"

#include <array>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "lib/dataset/text.h"

namespace detwatch::dataset {
namespace {

// What an error needs to point at one object.
struct Place {
  std::string_view file;
  std::size_t object = 0;

  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view what) const {
    return Fail(std::string(file) + ": object[" + std::to_string(object) + "]: " + std::string(what));
  }
};

// Optional: it is only needed for shares of the image.
Result<void> ReadSize(std::string_view file, const pugi::xml_node& node, ImageSize& size) {
  for (const auto& [name, side] : {std::pair{"width", &size.width}, {"height", &size.height}}) {
    const std::string_view text = Trim(node.child_value(name));
    const auto number = ParseNumber<std::uint32_t>(text);
    if (!number && !text.empty()) {
      return Fail(std::string(file) + ": size." + name + ": \"" + std::string(text) +
                  "\" is not a whole number");
    }
    *side = number.value_or(0);
  }
  return {};
}

Result<Box> ReadCorners(const Place& place, const pugi::xml_node& corners) {
  constexpr std::array<const char*, 4> kNames = {"xmin", "ymin", "xmax", "ymax"};
  std::array<double, 4> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string_view text = Trim(corners.child_value(kNames[i]));
    const auto number = ParseNumber<double>(text);
    if (!number) {
      return place.Wrong("bndbox." + std::string(kNames[i]) +
                         (text.empty() ? " is missing" : " \"" + std::string(text) + "\" is not a number"));
    }
    values[i] = *number;
  }
  const Box box{values[0], values[1], values[2] - values[0], values[3] - values[1]};
  if (const std::string problem = BoxProblem(box); !problem.empty()) {
    return place.Wrong("bndbox: " + problem);
  }
  return box;
}

Result<void> ReadObject(const Place& place, const pugi::xml_node& object,
                        std::map<std::string, std::uint32_t>& class_of_name, Frame& frame) {
  const std::string_view name = Trim(object.child_value("name"));
  if (name.empty()) {
    return place.Wrong("name is missing");
  }
  const std::string_view flag = Trim(object.child_value("difficult"));
  if (!flag.empty() && flag != "0" && flag != "1") {
    return place.Wrong("difficult \"" + std::string(flag) + "\" is not 0 or 1");
  }
  const auto box = ReadCorners(place, object.child("bndbox"));
  if (!box) {
    return tl::unexpected(box.error());
  }
  const auto number = static_cast<std::uint32_t>(class_of_name.size());
  const auto entry = class_of_name.emplace(name, number).first;
  AddGroundTruth(frame, *box, box->Area(), entry->second, false, flag == "1");
  return {};
}

}  // namespace

Result<void> VocReader::Add(std::string_view file, std::string_view stem, std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    return Fail(std::string(file) + ": not valid XML at byte " + std::to_string(parsed.offset) + ": " +
                parsed.description());
  }
  const pugi::xml_node annotation = document.child("annotation");
  if (!annotation) {
    return Fail(std::string(file) + ": not a VOC annotation: the root is not <annotation>");
  }
  Frame frame;
  frame.frame_id = stem;
  frame.file_name = annotation.child("filename").text().get();
  if (auto size = ReadSize(file, annotation.child("size"), frame.size); !size) {
    return size;
  }
  Place place{file, 0};
  for (const pugi::xml_node object : annotation.children("object")) {
    if (auto read = ReadObject(place, object, class_of_name_, frame); !read) {
      return read;
    }
    ++place.object;
  }
  frames_.push_back(std::move(frame));
  return {};
}

Dataset VocReader::Finish() && {
  Dataset dataset;
  dataset.format = Format::kVoc;
  dataset.frames = std::move(frames_);
  dataset.classes.reserve(class_of_name_.size());
  std::vector<std::uint32_t> place(class_of_name_.size());  // by number of first sight
  for (const auto& [name, seen] : class_of_name_) {
    place[seen] = static_cast<std::uint32_t>(dataset.classes.size());
    dataset.classes.push_back({static_cast<std::int64_t>(dataset.classes.size()) + 1, name});
  }
  for (Frame& frame : dataset.frames) {
    for (std::uint32_t& class_id : frame.labels.class_ids) {
      class_id = place[class_id];
    }
  }
  NumberFrames(dataset.frames);
  return dataset;
}

}  // namespace detwatch::dataset
