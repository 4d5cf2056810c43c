#pragma once
// lib/core -- the bytes of stored forms: variable-length integers (seven bits a byte, lowest first; signed
// ones in zigzag order 0, -1, 1, -2, ... so that small numbers are short), fixed ones with the highest byte
// first so that keys sort as numbers do, and strings behind their length. The same on every machine.
//
// Errors: a reader never reads past its end and never throws; it remembers the first failure, returns zeros
// from it on, and the caller asks ok() before it believes anything. Threads: none.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace detwatch {

[[nodiscard]] constexpr std::uint64_t ZigZag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0);
}
[[nodiscard]] constexpr std::int64_t UnZigZag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0));
}

inline void AppendVarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
inline void AppendSigned(std::string& out, std::int64_t value) {
  AppendVarint(out, ZigZag(value));
}
inline void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out += text;
}
// Highest byte first.
inline void AppendFixed32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}
inline void AppendFixed64(std::string& out, std::uint64_t value) {
  AppendFixed32(out, static_cast<std::uint32_t>(value >> 32));
  AppendFixed32(out, static_cast<std::uint32_t>(value));
}
inline void AppendDouble(std::string& out, double value) {
  AppendFixed64(out, std::bit_cast<std::uint64_t>(value));
}

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  // Everything was read, and nothing was missing.
  [[nodiscard]] bool AtEnd() const { return ok_ && left() == 0; }

  std::uint8_t Byte() {
    if (at_ == bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return ok_ ? static_cast<std::uint8_t>(bytes_[at_++]) : std::uint8_t{0};
  }

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Byte();
      if (shift == 63 && byte > 1) {
        break;  // more than 64 bits
      }
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) {
        return ok_ ? value : 0;
      }
    }
    ok_ = false;
    return 0;
  }
  std::int64_t Signed() { return UnZigZag(Varint()); }

  std::uint32_t Fixed32() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      value = (value << 8) | Byte();
    }
    return ok_ ? value : 0;
  }
  std::uint64_t Fixed64() {
    const std::uint64_t high = Fixed32();
    const std::uint64_t low = Fixed32();
    return ok_ ? (high << 32) | low : 0;
  }
  double Double() { return std::bit_cast<double>(Fixed64()); }

  // The next n bytes; lives as long as what is read from.
  std::string_view Raw(std::uint64_t n) {
    if (!ok_ || n > left()) {
      ok_ = false;
      return {};
    }
    const std::string_view raw = bytes_.substr(at_, n);
    at_ += n;
    return raw;
  }
  std::string_view Text() { return Raw(Varint()); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace detwatch
