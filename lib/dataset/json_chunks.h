#pragma once
// lib/dataset -- a JSON list of objects, too long to be parsed in one go, as short lists one after
// another. Private to the COCO readers.
//
// Why: simdjson wants the whole text and its index in memory, 2.2 times the file, and most of the time of
// reading 50 MB went into touching those fresh pages (0.46 s against 0.15 s, synthetic seed 42).
//
// A list is cut where `}` `,` `{` follow each other. That place may be inside a nested list or a string:
// then the piece is not valid JSON, and the caller reads the text as a whole from the record it came to.

#include <simdjson.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace detwatch::dataset {

class JsonChunks {
 public:
  explicit JsonChunks(std::size_t chunk_bytes = 1 << 18);

  // Takes as much of the front of `bytes` as there is room for, and returns how much.
  [[nodiscard]] std::size_t Take(std::string_view bytes);
  // No room is left: it is time for Next().
  [[nodiscard]] bool full() const { return end_ == buffer_.size() - simdjson::SIMDJSON_PADDING; }
  // The next piece, a JSON list "[{...},{...}]"; valid until the next call of Take. Empty when what was taken
  // cannot be cut. `last`: nothing more will be taken, so the piece is all that is left.
  [[nodiscard]] simdjson::padded_string_view Next(bool last);

 private:
  void MoveToFront();

  std::vector<char> buffer_;  // with simdjson's padding behind it
  std::size_t begin_ = 0;     // of what is not yet handed out
  std::size_t end_ = 0;       // of what was taken
};

}  // namespace detwatch::dataset
