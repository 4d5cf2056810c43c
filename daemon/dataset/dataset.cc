#include "daemon/dataset/dataset.h"

#include <string>
#include <system_error>

#include "daemon/dataset/formats.h"
#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

struct Source {
  Format format = Format::kCoco;
  std::filesystem::path path;
};

bool Holds(const std::filesystem::path& directory, std::string_view extension) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == extension) {
      return true;
    }
  }
  return false;
}

Result<Source> Identify(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    if (Holds(path, ".xml")) {
      return Source{Format::kVoc, path};
    }
    if (std::filesystem::is_directory(path / "Annotations", error)) {
      return Source{Format::kVoc, path / "Annotations"};
    }
    if (std::filesystem::is_directory(path / "labels", error)) {
      return Source{Format::kYolo, path / "labels"};
    }
    if (Holds(path, ".txt")) {
      return Source{Format::kYolo, path};
    }
    return Fail(path.string() +
                ": holds neither .xml (Pascal VOC) nor .txt files (YOLO), nor Annotations/ or labels/");
  }
  if (!std::filesystem::exists(path, error)) {
    return Fail(path.string() + ": does not exist");
  }
  if (path.extension() == ".json") {
    return Source{Format::kCoco, path};
  }
  return Fail(path.string() + ": neither a .json file (COCO) nor a directory (Pascal VOC, YOLO)");
}

}  // namespace

std::size_t Dataset::GroundTruths() const {
  std::size_t count = 0;
  for (const Frame& frame : frames) {
    count += frame.labels.boxes.size();
  }
  return count;
}

std::size_t Dataset::Detections() const {
  std::size_t count = 0;
  for (const Frame& frame : frames) {
    count += frame.predictions.boxes.size();
  }
  return count;
}

Result<Dataset> ReadGroundTruth(const std::filesystem::path& path, const ReadOptions& options) {
  const auto source = Identify(path);
  if (!source) {
    return tl::unexpected(source.error());
  }
  switch (source->format) {
    case Format::kVoc:
      return ReadVocGroundTruth(source->path, options);
    case Format::kYolo:
      return ReadYoloGroundTruth(source->path, options);
    case Format::kCoco:
      break;
  }
  return ReadCocoGroundTruth(source->path, options);
}

Result<void> ReadPredictions(const std::filesystem::path& path, const ReadOptions& options,
                             Dataset& dataset) {
  const auto source = Identify(path);
  if (!source) {
    return tl::unexpected(source.error());
  }
  switch (source->format) {
    case Format::kVoc:
      return Fail(path.string() + ": holds .xml files; predictions are .txt files or a COCO results list");
    case Format::kYolo:
      return ReadTextPredictions(source->path, options, dataset);
    case Format::kCoco:
      break;
  }
  return ReadCocoResults(source->path, options, dataset);
}

Result<ImageSize> ParseImageSize(std::string_view text) {
  constexpr std::uint32_t kMost = 1000000;
  const std::size_t cross = text.find('x');
  if (cross != std::string_view::npos) {
    const auto width = ParseNumber<std::uint32_t>(text.substr(0, cross));
    const auto height = ParseNumber<std::uint32_t>(text.substr(cross + 1));
    if (width && height && *width >= 1 && *height >= 1 && *width <= kMost && *height <= kMost) {
      return ImageSize{*width, *height};
    }
  }
  return Fail("image size \"" + std::string(text) + "\" is not WIDTHxHEIGHT in pixels, for example 640x480");
}

}  // namespace detwatch::dataset
