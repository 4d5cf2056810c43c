#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "daemon/dataset/class_names.h"
#include "daemon/dataset/formats.h"
#include "daemon/dataset/image_size.h"
#include "daemon/dataset/label_lines.h"
#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

using Files = std::map<std::string, std::filesystem::path>;

// The directory of the images that belong to `labels`; empty when there is none.
std::filesystem::path ImagesOf(const std::filesystem::path& labels) {
  std::error_code error;
  const std::filesystem::path place = std::filesystem::absolute(labels, error).lexically_normal();
  std::filesystem::path tail;  // below the last `labels`
  for (std::filesystem::path at = place; at.has_relative_path(); at = at.parent_path()) {
    if (at.filename() == "labels") {
      std::filesystem::path images =
          tail.empty() ? at.parent_path() / "images" : at.parent_path() / "images" / tail;
      if (std::filesystem::is_directory(images, error)) {
        return images;
      }
      break;
    }
    tail = tail.empty() ? at.filename() : at.filename() / tail;
  }
  for (const std::filesystem::path& images : {place / "images", place / ".." / "images"}) {
    if (std::filesystem::is_directory(images, error)) {
      return images.lexically_normal();
    }
  }
  return {};
}

Result<Files> LabelFiles(const std::filesystem::path& labels) {
  auto files = FilesByStem(labels, {".txt"});
  if (files) {
    std::erase_if(*files, [](const auto& entry) { return IsClassNames(entry.second); });
  }
  return files;
}

// One frame for every image and every label file, with its size.
Result<std::vector<Frame>> MakeFrames(const std::filesystem::path& labels, const Files& label_files,
                                      const ReadOptions& options) {
  Files image_files;
  const std::filesystem::path images = ImagesOf(labels);
  if (!images.empty()) {
    auto found = FilesByStem(images, ImageExtensions());
    if (!found) {
      return tl::unexpected(found.error());
    }
    image_files = std::move(*found);
  }
  std::vector<Frame> frames;
  const auto add = [&](const std::string& stem, std::string file_name, ImageSize size) {
    frames.emplace_back();
    frames.back().frame_id = stem;
    frames.back().file_name = std::move(file_name);
    frames.back().size = size;
  };
  for (const auto& [stem, path] : image_files) {
    if (options.image_size) {
      add(stem, path.filename().string(), *options.image_size);
    } else if (const auto size = ReadImageSize(path)) {
      add(stem, path.filename().string(), *size);
    } else {
      return tl::unexpected(size.error());
    }
    if (options.progress && frames.size() % 256 == 0) {
      options.progress(images.filename().string(),
                       static_cast<double>(frames.size()) / static_cast<double>(image_files.size()));
    }
  }
  for (const auto& [stem, path] : label_files) {
    if (image_files.contains(stem)) {
      continue;
    }
    if (!options.image_size) {
      return Fail(path.string() + ": no image " + stem + " in " +
                  (images.empty() ? std::string("a directory `images` beside the labels") : images.string()) +
                  "; give --image-size if all images have one size");
    }
    add(stem, {}, *options.image_size);
  }
  return frames;
}

}  // namespace

Result<Dataset> ReadYoloGroundTruth(const std::filesystem::path& labels, const ReadOptions& options) {
  const auto label_files = LabelFiles(labels);
  if (!label_files) {
    return tl::unexpected(label_files.error());
  }
  auto classes = FindClassNames(labels);
  if (!classes) {
    return tl::unexpected(classes.error());
  }
  if (!*classes) {
    return Fail(labels.string() +
                ": no data.yaml or classes.txt with the class names here or in the two directories above");
  }
  auto frames = MakeFrames(labels, *label_files, options);
  if (!frames) {
    return tl::unexpected(frames.error());
  }
  Dataset dataset;
  dataset.format = Format::kYolo;
  dataset.classes = std::move(**classes);
  dataset.frames = std::move(*frames);
  NumberFrames(dataset.frames);
  MakeNamesUnique(dataset);
  std::unordered_map<std::int64_t, std::uint32_t> class_of;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
    class_of.emplace(dataset.classes[i].id, static_cast<std::uint32_t>(i));
  }
  for (Frame& frame : dataset.frames) {
    const auto file = label_files->find(frame.frame_id);
    if (file == label_files->end()) {
      continue;
    }
    auto read = ForEachLine(file->second, [&](const LabelLine& line) -> Result<void> {
      if (line.words.size() != 5) {
        return line.Wrong(std::to_string(line.words.size()) + " values; a ground truth is CLASS CX CY W H");
      }
      const auto number = ParseNumber<std::int64_t>(line.words[0]);
      const auto found = number ? class_of.find(*number) : class_of.end();
      if (found == class_of.end()) {
        return line.Wrong("class \"" + std::string(line.words[0]) + "\" is not among the class names");
      }
      const auto box = YoloBox(line, frame.size);
      if (!box) {
        return tl::unexpected(box.error());
      }
      AddGroundTruth(frame, *box, box->Area(), found->second, false, false);
      return {};
    });
    if (!read) {
      return tl::unexpected(read.error());
    }
  }
  return dataset;
}

}  // namespace detwatch::dataset
