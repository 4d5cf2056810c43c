#include "daemon/config/reader.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace detwatch::config {
namespace {

template <class T>
bool Store(const Field& field, Result<T> read, T& value) {
  if (!read) {
    field.Note(std::move(read.error().message));
    return false;
  }
  value = *read;
  return true;
}

}  // namespace

int Findings::LineOf(std::string_view path) const {
  while (!path.empty()) {
    if (const auto found = lines.find(path); found != lines.end()) {
      return found->second;
    }
    const std::size_t end = path.find_last_of(".[");
    path = path.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return 0;
}

Field::Field(const YAML::Node& node, std::string path, Findings& findings)
    : node_(node), path_(std::move(path)), findings_(&findings) {
  // An alias has the mark of its anchor; an empty value has none, but its key has (Entries).
  if (node_.Mark().line >= 0) {
    findings.lines.try_emplace(path_, node_.Mark().line + 1);
  }
}

void Field::Note(std::string text) const {
  findings_->problems.push_back({findings_->LineOf(path_), path_, std::move(text)});
}

std::string Field::Child(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

std::vector<std::pair<std::string, Field>> Field::Entries() const {
  std::vector<std::pair<std::string, Field>> entries;
  for (const auto& entry : node_) {
    const int line = entry.first.Mark().line + 1;
    if (!entry.first.IsScalar()) {
      findings_->problems.push_back({line, path_, "a key must be a word"});
      continue;
    }
    const std::string key = entry.first.Scalar();
    const bool again =
        std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.first == key; });
    if (again) {
      findings_->problems.push_back({line, Child(key), "is given twice"});
      continue;
    }
    findings_->lines.try_emplace(Child(key), line);
    entries.emplace_back(key, Field(entry.second, Child(key), *findings_));
  }
  return entries;
}

void Field::Map(const std::vector<Key>& keys) const {
  if (node_.IsNull()) {
    return;
  }
  if (!node_.IsMap()) {
    Note("must be a map of keys and values");
    return;
  }
  const auto entries = Entries();
  std::vector<std::string_view> known;
  for (const Key& key : keys) {
    known.push_back(key.name);
    bool given = false;
    for (const auto& [name, field] : entries) {
      if (name == key.name && !field.node_.IsNull()) {
        key.read(field);
        given = true;
      }
    }
    if (!given) {
      findings_->absent.push_back(Child(std::string(key.name)));
    }
  }
  for (const auto& [name, field] : entries) {
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    const std::string_view nearest = Nearest(name, known);
    field.Note(nearest.empty() ? "is not a known key"
                               : "is not a known key; did you mean " + std::string(nearest) + "?");
  }
}

void Field::EachEntry(const std::function<void(const std::string&, const Field&)>& read) const {
  for (const auto& [name, field] : Entries()) {
    read(name, field);
  }
}

bool Field::EachItem(const Read& read) const {
  if (!node_.IsSequence()) {
    Note("must be a list, for example [a, b]");
    return false;
  }
  for (std::size_t i = 0; i < node_.size(); ++i) {
    read(Field(node_[i], path_ + "[" + std::to_string(i) + "]", *findings_));
  }
  return true;
}

bool Field::To(std::string& value) const {
  if (!node_.IsScalar()) {
    Note("must be a single value");
    return false;
  }
  value = node_.Scalar();
  return true;
}

bool Field::To(bool& value) const {
  std::string text;
  if (!To(text)) {
    return false;
  }
  if (text != "true" && text != "false") {
    Note("\"" + text + "\" is neither true nor false");
    return false;
  }
  value = text == "true";
  return true;
}

bool Field::To(double& value) const {
  std::string text;
  return To(text) && Store(*this, ParseNumber(text), value);
}

bool Field::To(float& value) const {
  double wide = 0;
  if (!To(wide)) {
    return false;
  }
  value = static_cast<float>(wide);
  return true;
}

bool Field::To(std::uint64_t& value) const {
  std::string text;
  return To(text) && Store(*this, ParseCount(text), value);
}

bool Field::To(std::uint32_t& value) const {
  std::uint64_t wide = 0;
  if (!To(wide)) {
    return false;
  }
  if (wide > std::numeric_limits<std::uint32_t>::max()) {
    Note(std::to_string(wide) + " is too large");
    return false;
  }
  value = static_cast<std::uint32_t>(wide);
  return true;
}

bool Field::To(Duration& value) const {
  std::string text;
  return To(text) && Store(*this, ParseDuration(text), value);
}

bool Field::ToBytes(std::uint64_t& value) const {
  std::string text;
  return To(text) && Store(*this, ParseBytes(text), value);
}

}  // namespace detwatch::config
