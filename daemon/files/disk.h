#pragma once
// daemon/files -- files and folders as the readers of data sets need them. Errors name the path.

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::files {

using FilesOfFrames = std::map<std::string, std::filesystem::path>;  // stem -> path

// All of it, with so much capacity to spare.
[[nodiscard]] Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t spare = 0);

// The files of a directory with one of these extensions (lower case, with dot). Stems that differ in
// extension only are an error.
[[nodiscard]] Result<FilesOfFrames> FilesByStem(const std::filesystem::path& directory,
                                                std::span<const std::string_view> extensions);

// The .txt files but for a classes.txt, which stands among labels without being one.
[[nodiscard]] Result<FilesOfFrames> LabelFiles(const std::filesystem::path& directory);

// The class list (lib/dataset/class_names.h) in `directory`, its parent or its grandparent; nothing when
// there is none. Errors: a file that cannot be read, or those of the list.
[[nodiscard]] Result<std::optional<std::vector<dataset::ClassEntry>>> FindClassNames(
    const std::filesystem::path& directory);

// Reads no more of the image than its header.
[[nodiscard]] Result<dataset::ImageSize> ReadImageSize(const std::filesystem::path& path);

}  // namespace detwatch::files
