#pragma once
// Reference values and the means to compare with them.
//
// The small cases are part of the repository. The real sets and the generator of the synthetic ones are not;
// they are looked for in $DETWATCH_GOLDEN, else beside the source in ../shared/golden, the generator in its
// sibling `synthetic`. Where they are absent a test is skipped, or fails when DETWATCH_REQUIRE_GOLDEN=1.

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/tools/eval.h"
#include "lib/dataset/dataset.h"

namespace detwatch {

using Json = nlohmann::json;

[[nodiscard]] Json ReadJson(const std::filesystem::path& file);

// A golden directory or file by name, nothing when absent.
[[nodiscard]] std::optional<std::filesystem::path> Golden(const std::string& name);

// True when the absence of golden data is a failure.
[[nodiscard]] bool GoldenIsRequired();

// The directory with gt.json and dt.json that the generator makes of these arguments. Made once per build
// directory and kept there; parallel tests wait for each other. Nothing when it cannot be made.
[[nodiscard]] std::optional<std::filesystem::path> Synthetic(const std::vector<std::string>& arguments);

[[nodiscard]] dataset::Dataset ReadDataset(const std::filesystem::path& ground_truth,
                                           const std::filesystem::path& predictions);

// Boxes and areas as a float32 wire would carry them; the reference values of synthetic sets are of those.
void RoundToFloat32(dataset::Dataset& data);

inline constexpr Protocol kVoc2007 = {MatchingRule::kVoc, Interpolation::k11Points};
inline constexpr Protocol kVoc2012 = {MatchingRule::kVoc, Interpolation::kAllPoints};

// COCO unless another protocol is given.
[[nodiscard]] tools::EvalReport EvaluateWith(const dataset::Dataset& data, tools::Method method,
                                             Protocol protocol = {}, bool inclusive_pixels = false);

// Same structure, numbers within `tolerance`; one failure per difference, with its path.
void ExpectSame(const Json& actual, const Json& expected, double tolerance, const std::string& path = "");

// Every AP of `binned`, per class and mean, holds that of `exact` between its bounds, and its own value too.
void ExpectBoundsHold(const tools::EvalReport& binned, const tools::EvalReport& exact);

}  // namespace detwatch

// Sets `variable` to the path or ends the test.
#define DETWATCH_GOLDEN_OR_SKIP(variable, lookup)                     \
  const auto variable##_found = (lookup);                             \
  if (!variable##_found) {                                            \
    if (::detwatch::GoldenIsRequired()) {                             \
      FAIL() << "no golden data: " #lookup;                           \
    }                                                                 \
    GTEST_SKIP() << "no golden data (see DETWATCH_GOLDEN): " #lookup; \
  }                                                                   \
  const std::filesystem::path& variable = *variable##_found
