#pragma once
// lib/client -- what a caller may not publish. The daemon would reject the same things with a reason; said
// here, the mistake is where it was made. Every error names the argument. Pure functions.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/client/options.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"

namespace detwatch::client {

// UTF-8 without control characters, at most 128 bytes.
[[nodiscard]] Result<void> CheckText(std::string_view argument, std::string_view text, bool may_be_empty);
[[nodiscard]] Result<void> CheckOptions(const PublisherOptions& options);
// What is announced and the daemon refuses, in the words of the options: against its `classes_per_list` and
// `tags`, where 0 was not told.
[[nodiscard]] std::vector<std::string> CheckTold(const PublisherOptions& options, std::size_t classes,
                                                 std::size_t tags);
// `known`: ids of the class list, ascending.
[[nodiscard]] Result<void> CheckPredictions(const Predictions& predictions,
                                            std::span<const std::uint32_t> known);
[[nodiscard]] Result<void> CheckLabels(const Labels& labels, std::span<const std::uint32_t> known);

}  // namespace detwatch::client
