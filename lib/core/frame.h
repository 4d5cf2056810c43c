#pragma once
// lib/core -- what a publisher said about one frame, decoded and checked, columns as vectors.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/geometry.h"
#include "lib/core/time.h"

namespace detwatch {

// Names a frame: frame_id is unique per stream over the daemon's retention.
struct FrameKey {
  std::string stream;
  std::string frame_id;
  friend bool operator==(const FrameKey&, const FrameKey&) = default;
};

struct FrameKeyHash {
  std::size_t operator()(const FrameKey& key) const noexcept;
};

// A number for a frame's name that is the same on every machine and for ever: dedup keys and the store use
// it. 128 bits, so that two names never share one in practice.
struct FrameHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const FrameHash&, const FrameHash&) = default;
};

struct FrameHashHash {
  std::size_t operator()(const FrameHash& hash) const noexcept { return hash.low; }
};

[[nodiscard]] FrameHash HashFrame(const FrameKey& key);

// Names a model setting; predictions of one frame are counted once per ModelKey.
struct ModelKey {
  std::string model;
  std::string version;
  friend bool operator==(const ModelKey&, const ModelKey&) = default;
};

struct ModelKeyHash {
  std::size_t operator()(const ModelKey& key) const noexcept;
};

// As HashFrame, 64 bits.
[[nodiscard]] std::uint64_t HashModel(const ModelKey& key);

// Identifies a class list by its content (detwatch.v1.ClassList.hash).
enum class ClassListHash : std::uint64_t {};

struct Predictions {
  FrameKey frame;
  ModelKey model;
  TimePoint capture_time;  // unknown when default
  ClassListHash class_list{};
  std::vector<Box> boxes;                // n
  std::vector<float> scores;             // n, in [0, 1]
  std::vector<std::uint32_t> class_ids;  // n, ids of class_list
  double inference_seconds = 0;          // 0: unknown
  std::uint64_t content_hash = 0;        // of everything judged; tells a repeat from a conflict
};

enum class LabelSource : std::uint8_t { kUnknown, kHuman, kAuto, kSimulator };
enum class Sampling : std::uint8_t { kUnknown, kRandom, kTriggered };

struct Labels {
  FrameKey frame;
  TimePoint capture_time;
  ClassListHash class_list{};
  std::vector<Box> boxes;                // m
  std::vector<double> areas;             // m, square pixels; width x height where the sender gave none
  std::vector<std::uint32_t> class_ids;  // m
  std::vector<std::uint8_t> crowd;       // m, or empty: none
  std::vector<std::uint8_t> difficult;   // m, or empty: none
  bool partial = false;                  // only `examined` classes were looked for
  std::vector<std::uint32_t> examined;   // ids of class_list, ascending
  LabelSource source = LabelSource::kUnknown;
  Sampling sampling = Sampling::kUnknown;
  std::uint32_t revision = 0;
  bool final = false;
  std::uint64_t content_hash = 0;
};

using Tags = std::vector<std::pair<std::string, std::string>>;

struct ModelInfo {
  ModelKey model;
  ClassListHash class_list{};
  Tags tags;
  float score_threshold = -1;        // -1: not announced
  std::int64_t max_detections = -1;  // -1: not announced
  bool labels_expected = true;
};

struct StreamInfo {
  std::string stream;
  Tags tags;
};

struct ClassList {
  ClassListHash hash{};
  std::vector<std::pair<std::uint32_t, std::string>> entries;  // ascending id, names unique
};

// FNV-1a over "<id>:<name>\n" of every entry in ascending id order. Requires: entries sorted by id.
[[nodiscard]] ClassListHash HashClassList(const std::vector<std::pair<std::uint32_t, std::string>>& entries);

struct Tombstone {
  std::string reason;
  std::uint64_t frames = 0;
};

}  // namespace detwatch
