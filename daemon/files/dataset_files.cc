#include "daemon/files/dataset_files.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "daemon/files/disk.h"
#include "daemon/files/folders.h"
#include "lib/dataset/coco.h"

namespace detwatch::files {
namespace {

namespace fs = std::filesystem;

using dataset::Dataset;
using dataset::Format;

struct Source {
  Format format = Format::kCoco;
  fs::path path;
};

bool Holds(const fs::path& directory, std::string_view extension) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == extension) {
      return true;
    }
  }
  return false;
}

Result<Source> Identify(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    if (Holds(path, ".xml")) {
      return Source{Format::kVoc, path};
    }
    if (fs::is_directory(path / "Annotations", error)) {
      return Source{Format::kVoc, path / "Annotations"};
    }
    if (fs::is_directory(path / "labels", error)) {
      return Source{Format::kYolo, path / "labels"};
    }
    if (Holds(path, ".txt")) {
      return Source{Format::kYolo, path};
    }
    return Fail(path.string() +
                ": holds neither .xml (Pascal VOC) nor .txt files (YOLO), nor Annotations/ or labels/");
  }
  if (!fs::exists(path, error)) {
    return Fail(path.string() + ": does not exist");
  }
  if (path.extension() == ".json") {
    return Source{Format::kCoco, path};
  }
  return Fail(path.string() + ": neither a .json file (COCO) nor a directory (Pascal VOC, YOLO)");
}

// A JSON file as a whole, with room for the parser.
Result<std::string> ReadJson(const fs::path& path) {
  auto text = ReadFile(path, dataset::kTextPadding);
  return text ? std::move(text) : Fail(path.string() + ": cannot be read");
}

Result<Dataset> ReadCoco(const fs::path& path, const ReadOptions& options) {
  auto text = ReadJson(path);
  if (!text) {
    return tl::unexpected(text.error());
  }
  dataset::Progress progress;
  if (options.progress) {
    progress = [&options, name = path.filename().string()](double done) { options.progress(name, done); };
  }
  return dataset::ReadCocoGroundTruth(path.string(), std::move(*text), progress);
}

Result<void> ReadResults(const fs::path& path, const ReadOptions& options, Dataset& data) {
  std::error_code error;
  const auto size = static_cast<double>(fs::file_size(path, error));
  std::ifstream stream(path, std::ios::binary);
  std::vector<char> piece(std::size_t{1} << 18);
  dataset::CocoResults results(path.string(), data);
  double done = 0;
  bool good = true;
  while (good && stream) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto got = static_cast<std::size_t>(stream.gcount());
    good = results.Add({piece.data(), got});
    done += static_cast<double>(got);
    if (options.progress && good) {
      options.progress(path.filename().string(), std::min(1.0, done / std::max(1.0, size)));
    }
  }
  if (good && results.End()) {
    return {};
  }
  auto text = ReadJson(path);
  return text ? results.ReadWhole(std::move(*text)) : tl::unexpected(text.error());
}

}  // namespace

Result<Dataset> ReadGroundTruth(const fs::path& path, const ReadOptions& options) {
  const auto source = Identify(path);
  if (!source) {
    return tl::unexpected(source.error());
  }
  switch (source->format) {
    case Format::kVoc:
      return ReadVocFolder(source->path, options);
    case Format::kYolo:
      return ReadYoloFolder(source->path, options);
    case Format::kCoco:
      break;
  }
  return ReadCoco(source->path, options);
}

Result<void> ReadPredictions(const fs::path& path, const ReadOptions& options, Dataset& data) {
  const auto source = Identify(path);
  if (!source) {
    return tl::unexpected(source.error());
  }
  switch (source->format) {
    case Format::kVoc:
      return Fail(path.string() + ": holds .xml files; predictions are .txt files or a COCO results list");
    case Format::kYolo:
      return ReadTextFolder(source->path, options, data);
    case Format::kCoco:
      break;
  }
  return ReadResults(source->path, options, data);
}

}  // namespace detwatch::files
