#include "daemon/dataset/json_chunks.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <system_error>

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

JsonChunks::JsonChunks(const std::filesystem::path& file, std::size_t chunk_bytes)
    : stream_(file, std::ios::binary), buffer_(chunk_bytes + simdjson::SIMDJSON_PADDING) {
  std::error_code error;
  file_bytes_ = static_cast<double>(std::filesystem::file_size(file, error));
  ended_ = !stream_;
}

double JsonChunks::share() const {
  return std::min(1.0, handed_out_ / std::max(1.0, file_bytes_));
}

void JsonChunks::Fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::size_t room = buffer_.size() - simdjson::SIMDJSON_PADDING - end_;
  stream_.read(buffer_.data() + end_, static_cast<std::streamsize>(room));
  const auto got = static_cast<std::size_t>(stream_.gcount());
  end_ += got;
  ended_ = got < room;
}

simdjson::padded_string_view JsonChunks::Next() {
  if (comma_ != 0) {
    buffer_[comma_] = '[';  // opens what follows as a list of its own
    begin_ = comma_;
    comma_ = 0;
  }
  if (ended_) {
    done_ = true;
    return {};
  }
  Fill();
  std::size_t length = end_;
  if (!ended_) {
    const Cut cut = LastCut(std::string_view(buffer_.data(), end_));
    if (cut.comma == 0) {
      return {};
    }
    buffer_[cut.brace + 1] = ']';  // white space or the comma, which becomes `[` next
    comma_ = cut.comma;
    length = cut.brace + 2;
  }
  handed_out_ += static_cast<double>(length);
  return simdjson::padded_string_view(buffer_.data(), length, length + simdjson::SIMDJSON_PADDING);
}

}  // namespace detwatch::dataset
