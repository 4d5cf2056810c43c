#include "daemon/files/folders.h"

#include <array>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/files/disk.h"
#include "lib/dataset/image_size.h"
#include "lib/dataset/text_predictions.h"
#include "lib/dataset/voc.h"
#include "lib/dataset/yolo.h"

namespace detwatch::files {
namespace {

namespace fs = std::filesystem;

using dataset::Dataset;
using dataset::Frame;
using dataset::ImageSize;

// Says how far a folder is, every 256 files.
void Report(const ReadOptions& options, const std::string& name, std::size_t done, std::size_t all) {
  if (options.progress && done % 256 == 0) {
    options.progress(name, static_cast<double>(done) / static_cast<double>(all));
  }
}

// The directory of the images that belong to `labels`; empty when there is none.
fs::path ImagesOf(const fs::path& labels) {
  std::error_code error;
  const fs::path place = fs::absolute(labels, error).lexically_normal();
  fs::path tail;  // below the last `labels`
  for (fs::path at = place; at.has_relative_path(); at = at.parent_path()) {
    if (at.filename() == "labels") {
      fs::path images = tail.empty() ? at.parent_path() / "images" : at.parent_path() / "images" / tail;
      if (fs::is_directory(images, error)) {
        return images;
      }
      break;
    }
    tail = tail.empty() ? at.filename() : at.filename() / tail;
  }
  for (const fs::path& images : {place / "images", place / ".." / "images"}) {
    if (fs::is_directory(images, error)) {
      return images.lexically_normal();
    }
  }
  return {};
}

// One frame for every image and every label file, with its size.
Result<std::vector<Frame>> MakeFrames(const fs::path& labels, const FilesOfFrames& label_files,
                                      const ReadOptions& options) {
  FilesOfFrames image_files;
  const fs::path images = ImagesOf(labels);
  if (!images.empty()) {
    auto found = FilesByStem(images, dataset::ImageExtensions());
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
    const Result<ImageSize> size = options.image_size ? *options.image_size : ReadImageSize(path);
    if (!size) {
      return tl::unexpected(size.error());
    }
    add(stem, path.filename().string(), *size);
    Report(options, images.filename().string(), frames.size(), image_files.size());
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

Result<Dataset> ReadVocFolder(const fs::path& annotations, const ReadOptions& options) {
  constexpr std::array<std::string_view, 1> kXml = {".xml"};
  const auto files = FilesByStem(annotations, kXml);
  if (!files) {
    return tl::unexpected(files.error());
  }
  dataset::VocReader reader;
  std::size_t done = 0;
  for (const auto& [stem, file] : *files) {
    const auto text = ReadFile(file);
    if (!text) {
      return tl::unexpected(text.error());
    }
    if (auto read = reader.Add(file.string(), stem, *text); !read) {
      return tl::unexpected(read.error());
    }
    Report(options, annotations.string(), ++done, files->size());
  }
  return std::move(reader).Finish();
}

Result<Dataset> ReadYoloFolder(const fs::path& labels, const ReadOptions& options) {
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
  dataset::YoloReader reader(std::move(**classes), std::move(*frames));
  for (std::size_t i = 0; i < reader.frames().size(); ++i) {
    const auto file = label_files->find(reader.frames()[i].frame_id);
    if (file == label_files->end()) {
      continue;
    }
    const auto text = ReadFile(file->second);
    if (!text) {
      return tl::unexpected(text.error());
    }
    if (auto read = reader.AddLabels(i, file->second.string(), *text); !read) {
      return tl::unexpected(read.error());
    }
  }
  return std::move(reader).Finish();
}

Result<void> ReadTextFolder(const fs::path& directory, const ReadOptions& options, Dataset& data) {
  const auto files = LabelFiles(directory);
  if (!files) {
    return tl::unexpected(files.error());
  }
  const auto names = FindClassNames(directory);
  if (!names) {
    return tl::unexpected(names.error());
  }
  dataset::TextPredictions predictions(*names, options.image_size, data);
  std::size_t done = 0;
  for (const auto& [stem, file] : *files) {
    const auto text = ReadFile(file);
    if (!text) {
      return tl::unexpected(text.error());
    }
    if (auto read = predictions.Add(file.string(), stem, *text); !read) {
      return read;
    }
    Report(options, directory.string(), ++done, files->size());
  }
  predictions.Finish(directory.string());
  return {};
}

}  // namespace detwatch::files
