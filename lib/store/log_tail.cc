#include "lib/store/log_tail.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

namespace detwatch::store {
namespace {

namespace fs = std::filesystem;

// A log is blocks of 32 KiB; a record does not cross their borders but goes on as a fragment in the next.
// Fragment: masked CRC-32C of type and payload (4), length (2), type (1), payload; lowest byte first.
constexpr std::size_t kBlock = 32768;
constexpr std::size_t kHeader = 7;
enum Type : unsigned char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    }
    table[i] = crc;
  }
  return table;
}();

std::uint32_t MaskedCrc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

struct Fragment {
  Type type;
  std::size_t size;  // with its header
};

// A good fragment that starts with `bytes`, which end where its block does.
std::optional<Fragment> FragmentAt(std::string_view bytes) {
  if (bytes.size() < kHeader) {
    return std::nullopt;
  }
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  const std::size_t length = byte(4) | byte(5) << 8;
  if (byte(6) < kFull || byte(6) > kLast || length > bytes.size() - kHeader) {
    return std::nullopt;
  }
  const std::uint32_t expected = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
  if (MaskedCrc(bytes.substr(6, 1 + length)) != expected) {
    return std::nullopt;
  }
  return Fragment{static_cast<Type>(byte(6)), kHeader + length};
}

// Whether the header of what is left promises more than there is.
bool IsCutOff(std::string_view rest) {
  return rest.size() < kHeader ||
         (static_cast<std::size_t>(static_cast<unsigned char>(rest[4])) |
          static_cast<std::size_t>(static_cast<unsigned char>(rest[5])) << 8) > rest.size() - kHeader;
}

}  // namespace

LogState StateOf(std::string_view log) {
  LogState state = LogState::kWhole;
  for (std::size_t start = 0; start < log.size(); start += kBlock) {
    const std::string_view block = log.substr(start, kBlock);
    const bool last_block = start + kBlock >= log.size();
    for (std::size_t at = 0; at < block.size();) {
      const std::string_view rest = block.substr(at);
      if (const auto fragment = FragmentAt(rest)) {
        if (state != LogState::kWhole && (fragment->type == kFull || fragment->type == kFirst)) {
          return LogState::kDamaged;
        }
        at += fragment->size;
        continue;
      }
      if (rest.size() < kHeader && !last_block) {
        break;  // the few bytes at the end of a block that hold no header
      }
      // The header may be what is bad, so its length is not believed: the next record may begin anywhere.
      if (state == LogState::kWhole) {
        const bool reserved = log.find_first_not_of('\0', start + at) == std::string_view::npos;
        state = reserved || (last_block && IsCutOff(rest)) ? LogState::kCutOff : LogState::kTorn;
      }
      ++at;
    }
  }
  return state;
}

Logs InspectLogs(const std::string& folder) {
  std::vector<std::pair<unsigned long long, fs::path>> paths;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string stem = at->path().stem().string();
    if (at->path().extension() == ".log" && !stem.empty() && stem.size() < 19 &&
        std::all_of(stem.begin(), stem.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      paths.emplace_back(std::stoull(stem), at->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  Logs logs;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::string name = paths[i].second.filename().string();
    std::ifstream file(paths[i].second, std::ios::binary);
    std::ostringstream log;
    log << file.rdbuf();
    if (!file.is_open() || file.bad()) {
      logs.damaged = name + " cannot be read";
      return logs;
    }
    const LogState state = StateOf(log.view());
    if (state == LogState::kDamaged || (state == LogState::kTorn && i + 1 < paths.size())) {
      logs.damaged = name + " has a record in its middle that is not what was written";
      return logs;
    }
    logs.torn = state == LogState::kTorn;
  }
  return logs;
}

}  // namespace detwatch::store
