#include "daemon/files/disk.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <utility>

#include "lib/dataset/class_names.h"
#include "lib/dataset/image_size.h"

namespace detwatch::files {
namespace {

namespace fs = std::filesystem;

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return text;
}

bool IsClassNames(const fs::path& file) {
  const auto names = dataset::ClassNamesFiles();
  return std::find(names.begin(), names.end(), file.filename().string()) != names.end();
}

}  // namespace

Result<std::string> ReadFile(const fs::path& path, std::size_t spare) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    return Fail(path.string() + ": cannot be opened");
  }
  const std::streamoff size = file.tellg();
  if (size < 0) {
    return Fail(path.string() + ": cannot be read");
  }
  std::string text;
  text.reserve(static_cast<std::size_t>(size) + spare);
  text.resize(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(text.data(), size)) {
    return Fail(path.string() + ": cannot be read");
  }
  return text;
}

Result<FilesOfFrames> FilesByStem(const fs::path& directory, std::span<const std::string_view> extensions) {
  FilesOfFrames files;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    const std::string extension = LowerCase(path.extension().string());
    if (std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) {
      continue;
    }
    const auto [known, fresh] = files.emplace(path.stem().string(), path);
    if (!fresh) {
      return Fail(directory.string() + ": " + known->second.filename().string() + " and " +
                  path.filename().string() + " name the same frame");
    }
  }
  if (error) {
    return Fail(directory.string() + ": cannot be listed: " + error.message());
  }
  return files;
}

Result<FilesOfFrames> LabelFiles(const fs::path& directory) {
  constexpr std::array<std::string_view, 1> kText = {".txt"};
  auto files = FilesByStem(directory, kText);
  if (files) {
    std::erase_if(*files, [](const auto& entry) { return IsClassNames(entry.second); });
  }
  return files;
}

Result<std::optional<std::vector<dataset::ClassEntry>>> FindClassNames(const fs::path& directory) {
  std::error_code error;
  fs::path place = fs::absolute(directory, error).lexically_normal();
  if (!place.has_filename()) {
    place = place.parent_path();  // a trailing slash
  }
  for (int level = 0; level < 3; ++level, place = place.parent_path()) {
    for (const std::string_view name : dataset::ClassNamesFiles()) {
      const fs::path file = place / name;
      if (!fs::is_regular_file(file, error)) {
        continue;
      }
      const auto text = ReadFile(file);
      if (!text) {
        return tl::unexpected(text.error());
      }
      auto classes = dataset::ParseClassNames(file.string(), *text);
      if (!classes) {
        return tl::unexpected(classes.error());
      }
      return std::optional(std::move(*classes));
    }
  }
  return std::optional<std::vector<dataset::ClassEntry>>();
}

Result<dataset::ImageSize> ReadImageSize(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Fail(path.string() + ": cannot be opened");
  }
  std::string head;
  for (;;) {
    const dataset::ImageHeader header = dataset::ReadImageHeader(head);
    if (header.size) {
      return *header.size;
    }
    const std::size_t had = head.size();
    if (file && header.wants > had) {
      head.resize(header.wants);
      file.read(head.data() + had, static_cast<std::streamsize>(head.size() - had));
      head.resize(had + static_cast<std::size_t>(file.gcount()));
    }
    if (head.size() == had) {
      return Fail(path.string() + ": " + std::string(header.problem));
    }
  }
}

}  // namespace detwatch::files
