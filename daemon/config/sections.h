#pragma once
// daemon/config -- the sections of the file that need more than "key into member". Internal to this folder.

#include "daemon/config/config.h"
#include "daemon/config/reader.h"

namespace detwatch::config {

// A protocol brings its own thresholds, areas and max dets; the keys beside it change those.
void ReadEvaluation(const Field& field, EvaluationParams& params);
// Requires: config.evaluation was read; overrides start from it, or from their own protocol's defaults.
void ReadModels(const Field& field, Config& config);
void ReadWindows(const Field& field, Config& config);
// Requires: config.windows were read; views without a list of windows have them all.
void ReadViews(const Field& field, Config& config);

// Reads a list of names as a list of what they mean.
template <class Names, class T>
[[nodiscard]] Field::Read IntoOneOf(const Names& names, std::vector<T>& values) {
  return [&](const Field& field) {
    std::vector<T> read;
    if (field.EachItem([&](const Field& item) {
          T value{};
          if (item.ToOneOf(names, value)) {
            read.push_back(value);
          }
        })) {
      values = std::move(read);
    }
  };
}
template <class Names, class T>
[[nodiscard]] Field::Read IntoOneOf(const Names& names, T& value) {
  return [&](const Field& field) { field.ToOneOf(names, value); };
}

}  // namespace detwatch::config
