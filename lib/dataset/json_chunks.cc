#include "lib/dataset/json_chunks.h"

#include <cstring>
#include <string_view>

namespace detwatch::dataset {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

struct Cut {
  std::size_t brace = 0;  // position of `}`
  std::size_t comma = 0;  // 0: no place to cut
};

// The last `}` `,` `{`, white space between them allowed.
Cut LastCut(std::string_view text) {
  for (std::size_t open = text.rfind('{'); open != std::string_view::npos && open > 0;
       open = text.rfind('{', open - 1)) {
    const std::size_t comma = text.find_last_not_of(kSpace, open - 1);
    if (comma == std::string_view::npos || comma == 0 || text[comma] != ',') {
      continue;
    }
    const std::size_t brace = text.find_last_not_of(kSpace, comma - 1);
    if (brace != std::string_view::npos && text[brace] == '}') {
      return {brace, comma};
    }
  }
  return {};
}

}  // namespace

JsonChunks::JsonChunks(std::size_t chunk_bytes) : buffer_(chunk_bytes + simdjson::SIMDJSON_PADDING) {}

std::size_t JsonChunks::Take(std::string_view bytes) {
  MoveToFront();
  const std::size_t taken =
      bytes.copy(buffer_.data() + end_, buffer_.size() - simdjson::SIMDJSON_PADDING - end_);
  end_ += taken;
  return taken;
}

void JsonChunks::MoveToFront() {
  if (begin_ == 0) {
    return;
  }
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  buffer_[0] = '[';  // the comma of the last cut opens what follows as a list of its own
}

simdjson::padded_string_view JsonChunks::Next(bool last) {
  MoveToFront();
  std::size_t length = end_;
  if (!last) {
    const Cut cut = LastCut(std::string_view(buffer_.data(), end_));
    if (cut.comma == 0) {
      return {};
    }
    buffer_[cut.brace + 1] = ']';  // white space or the comma, which becomes `[` next
    begin_ = cut.comma;
    length = cut.brace + 2;
  }
  return simdjson::padded_string_view(buffer_.data(), length, length + simdjson::SIMDJSON_PADDING);
}

}  // namespace detwatch::dataset
