#include <array>
#include <map>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/dataset/formats.h"
#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

class Reader {
 public:
  Result<void> ReadFrame(const std::string& stem, const std::filesystem::path& path) {
    file_ = path.string();
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_file(path.c_str());
    if (!parsed) {
      return Fail(file_ + ": not valid XML at byte " + std::to_string(parsed.offset) + ": " +
                  parsed.description());
    }
    const pugi::xml_node annotation = document.child("annotation");
    if (!annotation) {
      return Fail(file_ + ": not a VOC annotation: the root is not <annotation>");
    }
    Frame frame;
    frame.frame_id = stem;
    frame.file_name = annotation.child("filename").text().get();
    if (auto size = ReadSize(annotation.child("size"), frame.size); !size) {
      return size;
    }
    std::size_t index = 0;
    for (const pugi::xml_node object : annotation.children("object")) {
      if (auto read = ReadObject(object, index++, frame); !read) {
        return read;
      }
    }
    frames_.push_back(std::move(frame));
    return {};
  }

  Dataset Finish() {
    Dataset dataset;
    dataset.format = Format::kVoc;
    dataset.frames = std::move(frames_);
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

 private:
  [[nodiscard]] tl::unexpected<Error> Wrong(std::size_t object, std::string_view what) const {
    return Fail(file_ + ": object[" + std::to_string(object) + "]: " + std::string(what));
  }

  // Optional: it is only needed for shares of the image.
  Result<void> ReadSize(const pugi::xml_node& node, ImageSize& size) const {
    for (const auto& [name, side] : {std::pair{"width", &size.width}, {"height", &size.height}}) {
      const std::string_view text = Trim(node.child_value(name));
      const auto number = ParseNumber<std::uint32_t>(text);
      if (!number && !text.empty()) {
        return Fail(file_ + ": size." + name + ": \"" + std::string(text) + "\" is not a whole number");
      }
      *side = number.value_or(0);
    }
    return {};
  }

  Result<void> ReadObject(const pugi::xml_node& object, std::size_t index, Frame& frame) {
    const std::string_view name = Trim(object.child_value("name"));
    if (name.empty()) {
      return Wrong(index, "name is missing");
    }
    const std::string_view flag = Trim(object.child_value("difficult"));
    if (!flag.empty() && flag != "0" && flag != "1") {
      return Wrong(index, "difficult \"" + std::string(flag) + "\" is not 0 or 1");
    }
    const pugi::xml_node corners = object.child("bndbox");
    constexpr std::array<const char*, 4> kNames = {"xmin", "ymin", "xmax", "ymax"};
    std::array<double, 4> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string_view text = Trim(corners.child_value(kNames[i]));
      const auto number = ParseNumber<double>(text);
      if (!number) {
        return Wrong(index,
                     "bndbox." + std::string(kNames[i]) +
                         (text.empty() ? " is missing" : " \"" + std::string(text) + "\" is not a number"));
      }
      values[i] = *number;
    }
    const Box box{values[0], values[1], values[2] - values[0], values[3] - values[1]};
    if (const std::string problem = BoxProblem(box); !problem.empty()) {
      return Wrong(index, "bndbox: " + problem);
    }
    const auto number = static_cast<std::uint32_t>(class_of_name_.size());
    const auto entry = class_of_name_.emplace(name, number).first;
    AddGroundTruth(frame, box, box.Area(), entry->second, false, flag == "1");
    return {};
  }

  std::string file_;  // being read
  std::vector<Frame> frames_;
  std::map<std::string, std::uint32_t> class_of_name_;  // -> number by first sight
};

}  // namespace

Result<Dataset> ReadVocGroundTruth(const std::filesystem::path& annotations, const ReadOptions& options) {
  const auto files = FilesByStem(annotations, {".xml"});
  if (!files) {
    return tl::unexpected(files.error());
  }
  Reader reader;
  std::size_t done = 0;
  for (const auto& [stem, file] : *files) {
    if (auto read = reader.ReadFrame(stem, file); !read) {
      return tl::unexpected(read.error());
    }
    if (options.progress && ++done % 256 == 0) {
      options.progress(annotations.string(), static_cast<double>(done) / static_cast<double>(files->size()));
    }
  }
  return reader.Finish();
}

}  // namespace detwatch::dataset
