#pragma once
// daemon/config -- one value of a YAML file with its path and its line. Wrong values are noted and skipped,
// so that reading goes on and every problem comes at once.
//
// A key that is empty ("views:") counts as not given. Laws: UnknownKeysNameTheNearestKnownOne,
// AKeyGivenTwiceIsAProblem. Threads: none. Internal to this folder: others need no yaml-cpp.

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/config/similar.h"

namespace detwatch::config {

// What reading found out: problems, where each field stands, and which known keys were not given.
struct Findings {
  std::vector<Problem> problems;
  std::vector<std::string> absent;
  std::map<std::string, int, std::less<>> lines;  // by path

  // Of the field, else of what contains it, else 0.
  [[nodiscard]] int LineOf(std::string_view path) const;
};

class Field {
 public:
  using Read = std::function<void(const Field&)>;
  struct Key {
    std::string_view name;
    Read read;
  };

  Field(const YAML::Node& node, std::string path, Findings& findings);

  [[nodiscard]] const std::string& path() const { return path_; }
  void Note(std::string text) const;

  // A map with only these keys; reads those that are there, in this order, whatever the file's is.
  void Map(const std::vector<Key>& keys) const;
  // A map with any keys, in the file's order.
  void EachEntry(const std::function<void(const std::string&, const Field&)>& read) const;
  [[nodiscard]] bool IsMap() const { return node_.IsMap(); }
  // Calls `read` for each item; false, with a note, when this is not a list.
  bool EachItem(const Read& read) const;

  // These leave `value` alone and note a problem when the text is not one.
  bool To(std::string& value) const;
  bool To(bool& value) const;
  bool To(double& value) const;
  bool To(float& value) const;
  bool To(std::uint32_t& value) const;
  bool To(std::uint64_t& value) const;
  bool To(Duration& value) const;
  bool ToBytes(std::uint64_t& value) const;
  template <class T>
  bool To(std::vector<T>& values) const {
    std::vector<T> read;
    const bool list = EachItem([&](const Field& item) {
      T value{};
      if (item.To(value)) {
        read.push_back(std::move(value));
      }
    });
    if (list) {
      values = std::move(read);
    }
    return list;
  }
  // One of a few names; `names` is an array of (name, value).
  template <class T, class Names>
  bool ToOneOf(const Names& names, T& value) const {
    std::string text;
    if (!To(text)) {
      return false;
    }
    std::string known;
    for (const auto& [name, meaning] : names) {
      if (name == text) {
        value = meaning;
        return true;
      }
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    Note("\"" + text + "\" is none of " + known);
    return false;
  }

 private:
  // The line and text of every entry; notes keys given twice.
  [[nodiscard]] std::vector<std::pair<std::string, Field>> Entries() const;
  [[nodiscard]] std::string Child(const std::string& key) const;

  YAML::Node node_;
  std::string path_;
  Findings* findings_;
};

// Reads into `value`; for the lists of keys above.
template <class T>
[[nodiscard]] Field::Read Into(T& value) {
  return [&value](const Field& field) { field.To(value); };
}
[[nodiscard]] inline Field::Read IntoBytes(std::uint64_t& value) {
  return [&value](const Field& field) { field.ToBytes(value); };
}

}  // namespace detwatch::config
