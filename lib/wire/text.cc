#include "lib/wire/text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace detwatch::wire {
namespace {

constexpr std::size_t kPrintableBytes = 40;

bool IsContinuation(unsigned char c) {
  return (c & 0xC0U) == 0x80U;
}

// Eight bytes of 0x20 to 0x7E? Either sum sets the top bit of a byte that is out of range; only such a byte
// borrows from or carries into the next one. False sends the bytes the slow way.
bool AreEightPrintable(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t above_tilde = word + kOnes;
  return ((word | below_space | above_tilde) & (kOnes * 0x80)) == 0;
}

// Bytes of the well-formed character at the start of `text`, 0 when there is none or it is a control.
std::size_t MultiByteLength(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const unsigned char lead = at(0);
  const unsigned char second = at(1);
  if (lead >= 0xC2 && lead <= 0xDF) {
    const bool c1_control = lead == 0xC2 && second < 0xA0;
    return IsContinuation(second) && !c1_control ? 2 : 0;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && second < 0xA0;
    const bool surrogate = lead == 0xED && second > 0x9F;
    return IsContinuation(second) && IsContinuation(at(2)) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && second < 0x90;
    const bool beyond_unicode = lead == 0xF4 && second > 0x8F;
    const bool continued = IsContinuation(second) && IsContinuation(at(2)) && IsContinuation(at(3));
    return continued && !overlong && !beyond_unicode ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsPlainText(std::string_view text) {
  while (!text.empty()) {
    if (text.size() >= 8 && AreEightPrintable(text.data())) {
      text.remove_prefix(8);
      continue;
    }
    const auto c = static_cast<unsigned char>(text.front());
    std::size_t length = c >= 0x20 && c < 0x7F ? 1 : 0;
    if (c >= 0x80) {
      length = MultiByteLength(text);
    }
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string Printable(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, kPrintableBytes)) {
    const bool printable = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
    shown.push_back(printable ? c : '?');
  }
  shown += text.size() > kPrintableBytes ? "\"..." : "\"";
  return shown;
}

std::string Show(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::optional<Reject> CheckString(std::string_view field, std::string_view text) {
  if (text.size() > kMaxStringBytes) {
    return Reject{RejectReason::kStringTooLong, std::string(field) + ": " + std::to_string(text.size()) +
                                                    " bytes, at most " + std::to_string(kMaxStringBytes) +
                                                    ": " + Printable(text)};
  }
  if (!IsPlainText(text)) {
    return Reject{RejectReason::kStringInvalid,
                  std::string(field) + ": not UTF-8, or control characters: " + Printable(text)};
  }
  return std::nullopt;
}

}  // namespace detwatch::wire
