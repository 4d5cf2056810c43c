#pragma once
// daemon/dataset -- a JSON list of objects, too long to be parsed in one go, as short lists one after
// another. Private to the COCO readers.
//
// Why: simdjson wants the whole text and its index in memory, 2.2 times the file, and most of the time of
// reading 50 MB went into touching those fresh pages (0.46 s against 0.15 s, synthetic seed 42).
//
// A list is cut where `}` `,` `{` follow each other. That place may be inside a nested list or a string:
// then the piece is not valid JSON, and the caller reads the file as a whole from the record it came to.

#include <simdjson.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <vector>

namespace detwatch::dataset {

class JsonChunks {
 public:
  // Reads the first bytes of `file`.
  explicit JsonChunks(const std::filesystem::path& file, std::size_t chunk_bytes = 1 << 18);

  // The next piece, a JSON list "[{...},{...}]"; valid until the next call. Empty when the file has ended or
  // cannot be cut; done() tells which.
  [[nodiscard]] simdjson::padded_string_view Next();
  // Everything was handed out.
  [[nodiscard]] bool done() const { return done_; }
  // Of the file, handed out so far.
  [[nodiscard]] double share() const;

 private:
  void Fill();

  std::ifstream stream_;
  double file_bytes_ = 0;
  double handed_out_ = 0;
  std::vector<char> buffer_;  // with simdjson's padding behind it
  std::size_t begin_ = 0;     // of what is not yet handed out
  std::size_t end_ = 0;       // of what was read
  std::size_t comma_ = 0;     // where the piece handed out last was cut, 0: nowhere
  bool ended_ = false;        // the stream
  bool done_ = false;
};

}  // namespace detwatch::dataset
