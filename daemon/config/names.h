#pragma once
// daemon/config -- the words of the file and what they mean; one table each, for reading and for telling.

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/config/config.h"

namespace detwatch::config {

template <class T, std::size_t kSize>
using Names = std::array<std::pair<std::string_view, T>, kSize>;

inline constexpr Names<LabelSource, 4> kSourceNames = {{{"human", LabelSource::kHuman},
                                                        {"auto", LabelSource::kAuto},
                                                        {"simulator", LabelSource::kSimulator},
                                                        {"unknown", LabelSource::kUnknown}}};
inline constexpr Names<Sampling, 3> kSamplingNames = {
    {{"random", Sampling::kRandom}, {"triggered", Sampling::kTriggered}, {"unknown", Sampling::kUnknown}}};
inline constexpr Names<LogLevel, 4> kLogLevelNames = {{{"debug", LogLevel::kDebug},
                                                       {"info", LogLevel::kInfo},
                                                       {"warn", LogLevel::kWarn},
                                                       {"error", LogLevel::kError}}};
inline constexpr Names<LogFormat, 2> kLogFormatNames = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
inline constexpr Names<bool Families::*, 10> kFamilyNames = {
    {{"mean_average_precision", &Families::mean_average_precision},
     {"average_precision", &Families::average_precision},
     {"average_recall", &Families::average_recall},
     {"precision", &Families::precision},
     {"recall", &Families::recall},
     {"f1_score", &Families::f1_score},
     {"micro_macro", &Families::micro_macro},
     {"frame_outcomes", &Families::frame_outcomes},
     {"localization", &Families::localization},
     {"calibration", &Families::calibration}}};

template <class T, std::size_t kSize>
[[nodiscard]] std::optional<T> FindName(const Names<T, kSize>& names, std::string_view name) {
  for (const auto& [known, value] : names) {
    if (known == name) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace detwatch::config
