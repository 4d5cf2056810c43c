#pragma once
// lib/wire -- strings from strangers: checked before they become label values, made harmless before they
// are logged. Pure functions; no locale is asked.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/result.h"

namespace detwatch::wire {

inline constexpr std::size_t kMaxStringBytes = 128;

// True when `text` is well-formed UTF-8 (no overlong forms, no surrogates, nothing beyond U+10FFFF;
// Unicode 15, table 3-7) and holds no control character (C0, DEL, C1). Cost: 8 ASCII bytes a step.
[[nodiscard]] bool IsPlainText(std::string_view text);

// `text` in quotes, cut at 40 bytes, everything but printable ASCII as '?': safe in any log and reply.
[[nodiscard]] std::string Printable(std::string_view text);

// The shortest decimal that reads back as the same number; "nan", "inf", "-inf".
[[nodiscard]] std::string Show(double value);

// kStringTooLong or kStringInvalid, naming the field; nothing when the string is in order.
[[nodiscard]] std::optional<Reject> CheckString(std::string_view field, std::string_view text);

}  // namespace detwatch::wire
