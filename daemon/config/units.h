#pragma once
// daemon/config -- durations and byte sizes as people write them: "1h30m", "512MiB".
//
// Laws: FormatOfAParsedDurationParsesToTheSame, DurationsAndBytesThatOverflowAreRefused,
//   GarbageIsNotAUnit. Cost: trivial. Threads: pure functions. Errors say what would have been right.

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/core/result.h"
#include "lib/core/time.h"

namespace detwatch::config {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// As in Prometheus: numbers with the units w, d, h, m, s, ms, largest first, each at most once ("1h30m").
// A day has 24 hours. "0" needs no unit.
[[nodiscard]] Result<Duration> ParseDuration(std::string_view text);
// The shortest text that parses to the same; whole milliseconds (the rest is cut off).
[[nodiscard]] std::string FormatDuration(Duration duration);

// A whole number with B, KiB, MiB, GiB or TiB; without a unit it is bytes. Decimal units (MB) are refused,
// for one reads them as 1024 and another as 1000.
[[nodiscard]] Result<std::uint64_t> ParseBytes(std::string_view text);
// In the largest unit that divides it: "512MiB".
[[nodiscard]] std::string FormatBytes(std::uint64_t bytes);

// Locale-free decimal numbers; the whole text must be one.
[[nodiscard]] Result<double> ParseNumber(std::string_view text);
[[nodiscard]] Result<std::uint64_t> ParseCount(std::string_view text);
// The shortest text that reads back as the same number.
[[nodiscard]] std::string FormatNumber(double value);
[[nodiscard]] std::string FormatNumber(float value);

}  // namespace detwatch::config
