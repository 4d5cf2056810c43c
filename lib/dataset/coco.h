#pragma once
// lib/dataset -- COCO: one JSON file of ground truths, one of detections; dataset.h says what holds for all
// formats.
//
// Ground truth ("instances"): `images` (id, width, height, file_name), `annotations` (image_id, category_id,
// bbox, area, iscrowd, difficult), `categories` (id, name), in any order; everything else is skipped unread.
// Detections ("results"): a list of {image_id, category_id, bbox, score}. An image_id is the id or the
// frame's name; an unknown image is an error, unknown categories are left out with a warning.
//
// Laws: HowAResultsListIsCutDoesNotMatter.
// Cost: ground truth holds its text and an index of it, 2.2 times the file. Results are read in pieces of
//   256 KiB, and only one that cannot be cut (see json_chunks.h) is held as a whole.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "lib/core/result.h"
#include "lib/dataset/dataset.h"

namespace detwatch::dataset {

// The parser looks this far beyond the end. A text with that much spare capacity is not copied.
inline constexpr std::size_t kTextPadding = 64;

// `name` stands for the file in errors.
[[nodiscard]] Result<Dataset> ReadCocoGroundTruth(std::string_view name, std::string text,
                                                  const Progress& progress = {});

// A results list, piece by piece. Detections go to the frames of `dataset`, after those already there.
//
//   CocoResults results("dt.json", data);
//   while (more bytes && results.Add(bytes)) {}
//   Result<void> read = results.End() ? Result<void>() : results.ReadWhole(all bytes of the file);
class CocoResults {
 public:
  // Requires: `dataset` lives as long as this, and nobody else changes it.
  CocoResults(std::string name, Dataset& dataset);
  ~CocoResults();
  CocoResults(const CocoResults&) = delete;
  CocoResults& operator=(const CocoResults&) = delete;

  // False when pieces do not do: the list cannot be cut, or something in it is wrong.
  [[nodiscard]] bool Add(std::string_view bytes);
  // After the last piece. The same answer; when it is true, everything was read.
  [[nodiscard]] bool End();
  // Goes on from the record to which the pieces came, and tells what is wrong.
  [[nodiscard]] Result<void> ReadWhole(std::string text);

 private:
  class Reader;  // simdjson is slow to compile
  std::unique_ptr<Reader> reader_;
};

// All of it, when the bytes are in memory anyway.
[[nodiscard]] Result<void> ReadCocoResults(std::string_view name, std::string_view text, Dataset& dataset);

}  // namespace detwatch::dataset
