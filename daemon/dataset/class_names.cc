#include "daemon/dataset/class_names.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "daemon/dataset/text.h"

namespace detwatch::dataset {
namespace {

constexpr std::string_view kLines = "classes.txt";
constexpr std::array<std::string_view, 3> kFiles = {"data.yaml", "data.yml", kLines};

Result<std::vector<ClassEntry>> FromLines(const std::filesystem::path& file) {
  const auto text = ReadFile(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  std::vector<ClassEntry> classes;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view name = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!name.empty()) {
      classes.push_back({static_cast<std::int64_t>(classes.size()), std::string(name)});
    } else if (!Trim(rest).empty()) {
      return Fail(file.string() + ": line " + std::to_string(classes.size() + 1) + " is empty");
    }
  }
  return classes;
}

// yaml-cpp throws on everything; the caller catches.
Result<std::vector<ClassEntry>> FromYamlOrThrow(const std::filesystem::path& file, const std::string& text) {
  const YAML::Node names = YAML::Load(text)["names"];
  std::vector<ClassEntry> classes;
  if (names.IsSequence()) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      classes.push_back({static_cast<std::int64_t>(i), names[i].as<std::string>()});
    }
    return classes;
  }
  if (!names.IsMap()) {
    return Fail(file.string() + ": names: is missing, or neither a list nor a map from number to name");
  }
  for (const auto& pair : names) {
    const auto key = pair.first.as<std::string>();
    const auto number = ParseNumber<std::int64_t>(key);
    if (!number) {
      return Fail(file.string() + ": names: \"" + key + "\" is not a class number");
    }
    classes.push_back({*number, pair.second.as<std::string>()});
  }
  std::sort(classes.begin(), classes.end(),
            [](const ClassEntry& a, const ClassEntry& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (classes[i - 1].id == classes[i].id) {
      return Fail(file.string() + ": names: class number " + std::to_string(classes[i].id) +
                  " is listed twice");
    }
  }
  return classes;
}

Result<std::vector<ClassEntry>> FromYaml(const std::filesystem::path& file) {
  const auto text = ReadFile(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  try {
    return FromYamlOrThrow(file, *text);
  } catch (const YAML::Exception& error) {
    return Fail(file.string() + ": " + error.what());
  }
}

}  // namespace

bool IsClassNames(const std::filesystem::path& file) {
  return std::find(kFiles.begin(), kFiles.end(), file.filename().string()) != kFiles.end();
}

Result<std::optional<std::vector<ClassEntry>>> FindClassNames(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(directory, error).lexically_normal();
  if (!place.has_filename()) {
    place = place.parent_path();  // a trailing slash
  }
  for (int level = 0; level < 3; ++level, place = place.parent_path()) {
    for (const std::string_view name : kFiles) {
      const std::filesystem::path file = place / name;
      if (!std::filesystem::is_regular_file(file, error)) {
        continue;
      }
      auto classes = name == kLines ? FromLines(file) : FromYaml(file);
      if (!classes) {
        return tl::unexpected(classes.error());
      }
      if (classes->empty()) {
        return Fail(file.string() + ": names no class");
      }
      return std::optional(std::move(*classes));
    }
  }
  return std::optional<std::vector<ClassEntry>>();
}

}  // namespace detwatch::dataset
