#include "daemon/config/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace detwatch::config {
namespace {

struct TimeUnit {
  std::string_view name;
  std::int64_t nanos;
};

constexpr std::int64_t kMilli = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMilli;
constexpr std::int64_t kDay = 86400 * kSecond;
constexpr std::array<TimeUnit, 6> kTimeUnits = {{{"w", 7 * kDay},
                                                 {"d", kDay},
                                                 {"h", 3600 * kSecond},
                                                 {"m", 60 * kSecond},
                                                 {"s", kSecond},
                                                 {"ms", kMilli}}};

struct ByteUnit {
  std::string_view name;
  int shift;
};

constexpr std::array<ByteUnit, 6> kByteUnits = {
    {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

// Takes the digits at the front of `text`. Requires: there is one.
bool TakeNumber(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

template <class T>
std::string Shortest(T value) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
  if (text == "0") {
    return Duration(0);
  }
  const auto bad = [&] {
    return Fail(Quoted(text) + " is not a duration; write for example 30s, 5m or 1h30m");
  };
  const auto too_long = [&] { return Fail(Quoted(text) + " is longer than 292 years"); };
  if (text.empty()) {
    return bad();
  }
  std::string_view rest = text;
  std::size_t next_unit = 0;  // units come largest first, each once
  std::int64_t total = 0;
  while (!rest.empty()) {
    if (!IsDigit(rest.front())) {
      return bad();
    }
    std::uint64_t number = 0;
    if (!TakeNumber(rest, number)) {
      return too_long();
    }
    std::size_t letters = 0;
    while (letters < rest.size() && !IsDigit(rest[letters])) {
      ++letters;
    }
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    std::size_t unit = next_unit;
    while (unit < kTimeUnits.size() && kTimeUnits[unit].name != name) {
      ++unit;
    }
    if (unit == kTimeUnits.size()) {
      return bad();
    }
    next_unit = unit + 1;
    const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - total);
    const auto nanos = static_cast<std::uint64_t>(kTimeUnits[unit].nanos);
    if (number > room / nanos) {
      return too_long();
    }
    total += static_cast<std::int64_t>(number * nanos);
  }
  return Duration(total);
}

std::string FormatDuration(Duration duration) {
  std::int64_t rest = duration.count() / kMilli * kMilli;
  if (rest <= 0) {
    return "0s";
  }
  std::string text;
  for (const TimeUnit& unit : kTimeUnits) {
    // Weeks only when nothing is left over: 31d reads better than 4w3d.
    if (unit.name == "w" && rest % unit.nanos != 0) {
      continue;
    }
    if (const std::int64_t n = rest / unit.nanos; n > 0) {
      text += std::to_string(n) + std::string(unit.name);
      rest %= unit.nanos;
    }
  }
  return text;
}

Result<std::uint64_t> ParseBytes(std::string_view text) {
  std::string_view rest = text;
  std::uint64_t number = 0;
  if (text.empty() || !IsDigit(text.front())) {
    return Fail(Quoted(text) + " is not a size; write a whole number of KiB, MiB or GiB");
  }
  const bool fits = TakeNumber(rest, number);
  for (const ByteUnit& unit : kByteUnits) {
    if (rest != unit.name) {
      continue;
    }
    if (!fits || number > (std::numeric_limits<std::uint64_t>::max() >> unit.shift)) {
      return Fail(Quoted(text) + " is larger than 16 EiB");
    }
    return number << unit.shift;
  }
  return Fail(Quoted(text) + " is not a size; write a whole number of KiB, MiB or GiB");
}

std::string FormatBytes(std::uint64_t bytes) {
  for (auto unit = kByteUnits.rbegin(); unit != kByteUnits.rend(); ++unit) {
    const std::uint64_t size = std::uint64_t{1} << unit->shift;
    if (unit->shift == 0 || (bytes >= size && bytes % size == 0)) {
      return std::to_string(bytes >> unit->shift) + std::string(unit->name);
    }
  }
  return std::to_string(bytes) + "B";
}

Result<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return Fail(Quoted(text) + " is not a number");
  }
  return value;
}

Result<std::uint64_t> ParseCount(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return Fail(Quoted(text) + " is too large");
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(Quoted(text) + " is not a whole number");
  }
  return value;
}

std::string FormatNumber(double value) {
  return Shortest(value);
}
std::string FormatNumber(float value) {
  return Shortest(value);
}

}  // namespace detwatch::config
