#pragma once
// lib/dataset -- small helpers the readers share: numbers without the process locale, words, and the
// rules that hold for every format.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

// The whole of `text` as a number, nothing when it is none. Never the process locale.
template <class T>
[[nodiscard]] std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// Shortest text that reads back as the same number.
[[nodiscard]] std::string NumberText(double value);

// Without white space at both ends.
[[nodiscard]] std::string_view Trim(std::string_view text);

// The words between white space.
[[nodiscard]] std::vector<std::string_view> Words(std::string_view line);

// Gives every frame its image id (dataset.h says which), its keys, and the order by it.
void NumberFrames(std::vector<Frame>& frames);

// Makes class names unique: a second "cell" with id 7 becomes "cell (id 7)", with a warning.
void MakeNamesUnique(Dataset& dataset);

// Makes room for exactly so many ground truths.
void ReserveGroundTruths(Frame& frame, std::size_t count);

// Appends one ground truth. Requires: class_index < classes.
void AddGroundTruth(Frame& frame, const Box& box, double area, std::uint32_t class_index, bool crowd,
                    bool difficult);

// Appends one detection.
void AddDetection(Frame& frame, const Box& box, float score, std::uint32_t class_index);

// What makes a box or a score unusable, empty when it is fine. Boxes are finite with sides that are not
// negative; scores, rounded to float32, are in [0, 1].
[[nodiscard]] std::string BoxProblem(const Box& box);
[[nodiscard]] std::string ScoreProblem(double score);

}  // namespace detwatch::dataset
