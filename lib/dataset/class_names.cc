#include "lib/dataset/class_names.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "lib/dataset/text.h"

namespace detwatch::dataset {
namespace {

constexpr std::string_view kLines = "classes.txt";
constexpr std::array<std::string_view, 3> kFiles = {"data.yaml", "data.yml", kLines};

Result<std::vector<ClassEntry>> FromLines(const std::string& file, std::string_view text) {
  std::vector<ClassEntry> classes;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view name = Trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!name.empty()) {
      classes.push_back({static_cast<std::int64_t>(classes.size()), std::string(name)});
    } else if (!Trim(rest).empty()) {
      return Fail(file + ": line " + std::to_string(classes.size() + 1) + " is empty");
    }
  }
  return classes;
}

// yaml-cpp throws on everything; the caller catches.
Result<std::vector<ClassEntry>> FromYamlOrThrow(const std::string& file, std::string_view text) {
  const YAML::Node names = YAML::Load(std::string(text))["names"];
  std::vector<ClassEntry> classes;
  if (names.IsSequence()) {
    classes.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      classes.push_back({static_cast<std::int64_t>(i), names[i].as<std::string>()});
    }
    return classes;
  }
  if (!names.IsMap()) {
    return Fail(file + ": names: is missing, or neither a list nor a map from number to name");
  }
  const auto not_a_number = [&](const std::string& key) {
    return Fail(file + ": names: \"" + key + "\" is not a class number");
  };
  for (const auto& pair : names) {
    const auto key = pair.first.as<std::string>();
    const auto number = ParseNumber<std::int64_t>(key);
    if (!number) {
      return not_a_number(key);
    }
    classes.push_back({*number, pair.second.as<std::string>()});
  }
  std::sort(classes.begin(), classes.end(),
            [](const ClassEntry& a, const ClassEntry& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < classes.size(); ++i) {
    if (classes[i - 1].id == classes[i].id) {
      return Fail(file + ": names: class number " + std::to_string(classes[i].id) + " is listed twice");
    }
  }
  return classes;
}

Result<std::vector<ClassEntry>> FromYaml(const std::string& file, std::string_view text) {
  try {
    return FromYamlOrThrow(file, text);
  } catch (const YAML::Exception& error) {
    return Fail(file + ": " + error.what());
  }
}

}  // namespace

std::span<const std::string_view> ClassNamesFiles() {
  return kFiles;
}

Result<std::vector<ClassEntry>> ParseClassNames(std::string_view file, std::string_view text) {
  const std::string name(file);
  auto classes = file.ends_with(kLines) ? FromLines(name, text) : FromYaml(name, text);
  if (classes && classes->empty()) {
    return Fail(name + ": names no class");
  }
  return classes;
}

}  // namespace detwatch::dataset
