#include "daemon/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <optional>

namespace detwatch::http {
namespace {

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

bool SameWord(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

// The text up to `separator`, which is taken off `rest` together with it.
std::string_view Next(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view token = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return Trim(token);
}

// A weight is 0 when it has no digit but zeros: "0", "0.", "0.000".
bool IsZeroWeight(std::string_view parameter) {
  const std::size_t equals = parameter.find('=');
  if (equals == std::string_view::npos || !SameWord(Trim(parameter.substr(0, equals)), "q")) {
    return false;
  }
  const std::string_view weight = Trim(parameter.substr(equals + 1));
  return weight.starts_with('0') && weight.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<bool> by_name;
  std::optional<bool> by_star;
  while (!accept_encoding.empty()) {
    std::string_view item = Next(accept_encoding, ',');
    const std::string_view coding = Next(item, ';');
    bool accepted = true;
    while (!item.empty()) {
      accepted = accepted && !IsZeroWeight(Next(item, ';'));
    }
    if (SameWord(coding, "gzip") || SameWord(coding, "x-gzip")) {
      by_name = accepted;
    } else if (coding == "*") {
      by_star = accepted;
    }
  }
  return by_name.value_or(by_star.value_or(false));
}

std::string Gzip(std::string_view body) {
  constexpr int kGzipWindow = 15 + 16;  // 32 KiB, with gzip's header instead of zlib's
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  [[maybe_unused]] int status =
      deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY);
  assert(status == Z_OK);
  std::string out(deflateBound(&stream, body.size()), '\0');
  // zlib counts in 32 bits, so both sides are handed over in pieces.
  std::size_t written = 0;
  std::size_t read = 0;
  constexpr std::size_t kPiece = std::numeric_limits<uInt>::max();
  do {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data() + read));
    stream.avail_in = static_cast<uInt>(std::min(kPiece, body.size() - read));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + written);
    stream.avail_out = static_cast<uInt>(std::min(kPiece, out.size() - written));
    const std::size_t in = stream.avail_in;
    const std::size_t room = stream.avail_out;
    status = deflate(&stream, read + in == body.size() ? Z_FINISH : Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += room - stream.avail_out;
  } while (status == Z_OK);
  assert(status == Z_STREAM_END);
  deflateEnd(&stream);
  out.resize(written);
  return out;
}

std::shared_ptr<const std::string> GzipCache::Compressed(const std::shared_ptr<const std::string>& body) {
  // Held while compressing: who asks for the same body meanwhile would only do the same work.
  const MutexLock lock(mutex_);
  if (compressed_ == nullptr || body_.lock() != body) {
    compressed_ = std::make_shared<const std::string>(Gzip(*body));
    body_ = body;
  }
  return compressed_;
}

}  // namespace detwatch::http
