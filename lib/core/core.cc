#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "lib/core/envelope.h"
#include "lib/core/evaluation.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"

namespace detwatch {
namespace {

constexpr std::uint64_t kFnvOffset = 14695981039346656037ULL;
constexpr std::uint64_t kFnvPrime = 1099511628211ULL;

std::uint64_t Fnv(std::uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }
  return hash;
}

std::uint64_t Fnv(std::uint64_t hash, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    hash = (hash ^ ((value >> (8 * i)) & 0xff)) * kFnvPrime;
  }
  return hash;
}

std::size_t HashPair(const std::string& a, const std::string& b) {
  const std::size_t h = std::hash<std::string>{}(a);
  return h ^ (std::hash<std::string>{}(b) + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2));
}

constexpr std::array<std::string_view, kRejectReasons> kReasonNames = {
    "oversized",
    "header_unreadable",
    "header_invalid",
    "sequence_invalid",
    "payload_unreadable",
    "payload_empty",
    "nested_batch",
    "frame_missing",
    "frame_mismatch",
    "string_invalid",
    "string_too_long",
    "model_missing",
    "box_format_missing",
    "image_size_missing",
    "column_length",
    "score_out_of_range",
    "box_not_finite",
    "box_negative_size",
    "area_invalid",
    "value_invalid",
    "too_many_boxes",
    "class_unknown",
    "class_list_unknown",
    "class_list_invalid",
    "too_many_classes",
    "too_many_models",
    "too_many_streams",
    "too_many_groups",
    "too_many_publishers",
    "tag_invalid",
    "too_many_tags",
    "conflict",
    "stale_revision",
    "too_late",
    "memory",
};

// Stores hold fingerprints made of it, so a pair keeps its number. The first three are from when a protocol
// was a single number; a pair that gets a name later stays in the last line.
std::uint64_t NumberOf(Protocol protocol) {
  const auto [rule, interpolation] = protocol;
  if (rule == MatchingRule::kCoco && interpolation == Interpolation::k101Points) {
    return 0;
  }
  if (rule == MatchingRule::kVoc && interpolation == Interpolation::k11Points) {
    return 1;
  }
  if (rule == MatchingRule::kVoc && interpolation == Interpolation::kAllPoints) {
    return 2;
  }
  return (static_cast<std::uint64_t>(rule) + 1) * 256 + static_cast<std::uint64_t>(interpolation);
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  return text;
}

}  // namespace

std::string_view Name(RejectReason reason) {
  return kReasonNames.at(static_cast<std::size_t>(reason));
}

std::string_view Name(Transport transport) {
  return transport == Transport::kReliable ? "reliable" : "subscribe";
}

std::string_view Name(Protocol protocol) {
  for (const auto& [name, known] : kProtocolNames) {
    if (known == protocol) {
      return name;
    }
  }
  return "custom";
}

namespace {

__extension__ using Wide = unsigned __int128;

// Odd constants with well spread bits: the fractional digits of pi.
constexpr std::uint64_t kPi1 = 0x243f6a8885a308d3ULL;
constexpr std::uint64_t kPi2 = 0x13198a2e03707345ULL;
constexpr std::uint64_t kPi3 = 0xa4093822299f31d1ULL;

std::uint64_t Multiply(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// The length goes first, so that bytes cannot wander from one text to the next.
std::uint64_t HashText(std::uint64_t state, std::string_view text) {
  state = Multiply(state ^ kPi1, text.size() ^ kPi2);
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < 8 && at + i < text.size(); ++i) {
      word |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
    }
    state = Multiply(state ^ word, kPi3);
  }
  return Multiply(state ^ kPi2, kPi1);
}

}  // namespace

FrameHash HashFrame(const FrameKey& key) {
  return {HashText(HashText(kPi3, key.stream), key.frame_id),
          HashText(HashText(~kPi3, key.stream), key.frame_id)};
}

std::uint64_t HashModel(const ModelKey& key) {
  return HashText(HashText(kPi1, key.model), key.version);
}

std::size_t FrameKeyHash::operator()(const FrameKey& key) const noexcept {
  return HashPair(key.stream, key.frame_id);
}

std::size_t ModelKeyHash::operator()(const ModelKey& key) const noexcept {
  return HashPair(key.model, key.version);
}

ClassListHash HashClassList(const std::vector<std::pair<std::uint32_t, std::string>>& entries) {
  std::uint64_t hash = kFnvOffset;
  for (const auto& [id, name] : entries) {
    hash = Fnv(hash, std::to_string(id));
    hash = Fnv(hash, ":");
    hash = Fnv(hash, name);
    hash = Fnv(hash, "\n");
  }
  return static_cast<ClassListHash>(hash);
}

std::vector<double> CocoIouThresholds() {
  // numpy.linspace: start + i * ((stop - start) / (n - 1)), with the last value set to stop.
  std::vector<double> values(10);
  const double step = (0.95 - 0.5) / 9;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.5 + static_cast<double>(i) * step;
  }
  values.back() = 0.95;
  return values;
}

EvaluationParams EvaluationParams::Coco() {
  EvaluationParams params;
  params.iou_thresholds = CocoIouThresholds();
  params.area_ranges = {{"all", 0, 1e10}, {"small", 0, 1024}, {"medium", 1024, 9216}, {"large", 9216, 1e10}};
  params.max_dets = {1, 10, 100};
  params.operating_points = {0.5F};
  return params;
}

EvaluationParams EvaluationParams::Voc(Interpolation interpolation, bool inclusive_pixels) {
  EvaluationParams params;
  params.matching_rule = MatchingRule::kVoc;
  params.interpolation = interpolation;
  params.inclusive_pixels = inclusive_pixels;
  params.iou_thresholds = {0.5};
  params.area_ranges = {{"all", 0, std::numeric_limits<double>::max()}};
  params.max_dets = {std::numeric_limits<std::uint32_t>::max()};
  params.operating_points = {0.5F};
  return params;
}

std::size_t EvaluationParams::HeadlineIou() const {
  std::size_t best = 0;
  for (std::size_t t = 1; t < iou_thresholds.size(); ++t) {
    if (std::abs(iou_thresholds[t] - 0.5) < std::abs(iou_thresholds[best] - 0.5)) {
      best = t;
    }
  }
  return best;
}

std::uint64_t EvaluationParams::Fingerprint() const {
  std::uint64_t hash = Fnv(kFnvOffset, NumberOf(protocol()) * 2 + (inclusive_pixels ? 1 : 0));
  hash = Fnv(hash, iou_thresholds.size());
  for (const double t : iou_thresholds) {
    hash = Fnv(hash, std::bit_cast<std::uint64_t>(t));
  }
  hash = Fnv(hash, area_ranges.size());
  for (const AreaRange& range : area_ranges) {
    hash = Fnv(Fnv(hash, range.name), std::bit_cast<std::uint64_t>(range.lower));
    hash = Fnv(hash, std::bit_cast<std::uint64_t>(range.upper));
  }
  hash = Fnv(hash, max_dets.size());
  for (const std::uint32_t k : max_dets) {
    hash = Fnv(hash, k);
  }
  hash = Fnv(hash, operating_points.size());
  for (const float c : operating_points) {
    hash = Fnv(hash, std::bit_cast<std::uint32_t>(c));
  }
  return hash;
}

std::vector<std::string> EvaluationParams::Problems() const {
  std::vector<std::string> problems;
  const auto count = [&](std::string_view field, std::size_t n, std::size_t most) {
    if (n == 0 || n > most) {
      problems.push_back(std::string(field) + ": " + std::to_string(n) + " entries, need 1 to " +
                         std::to_string(most));
    }
  };
  const auto ascending = [&](std::string_view field, const auto& values) {
    for (std::size_t i = 1; i < values.size(); ++i) {
      if (!(values[i - 1] < values[i])) {
        problems.push_back(std::string(field) + ": " + Number(static_cast<double>(values[i])) +
                           " does not ascend; list each value once, smallest first");
      }
    }
  };
  count("iou_thresholds", iou_thresholds.size(), kMaxIouThresholds);
  ascending("iou_thresholds", iou_thresholds);
  for (const double t : iou_thresholds) {
    if (!(t > 0 && t <= 1)) {
      problems.push_back("iou_thresholds: " + Number(t) + " is not in (0, 1]");
    }
  }
  count("area_ranges", area_ranges.size(), kMaxAreaRanges);
  for (std::size_t i = 0; i < area_ranges.size(); ++i) {
    const AreaRange& range = area_ranges[i];
    if (range.name.empty()) {
      problems.emplace_back("area_ranges: a range has no name");
    }
    if (!(range.lower >= 0 && range.lower <= range.upper && std::isfinite(range.upper))) {
      problems.push_back("area_ranges: " + range.name + " is not 0 <= lower <= upper");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (area_ranges[j].name == range.name) {
        problems.push_back("area_ranges: " + range.name + " is listed twice");
      }
    }
  }
  count("max_dets", max_dets.size(), kMaxMaxDets);
  ascending("max_dets", max_dets);
  if (!max_dets.empty() && max_dets.front() == 0) {
    problems.emplace_back("max_dets: 0 keeps no detection");
  }
  count("operating_points", operating_points.size(), kMaxOperatingPoints);
  ascending("operating_points", operating_points);
  for (const float c : operating_points) {
    if (!(c >= 0 && c <= 1)) {
      problems.push_back("operating_points: " + Number(c) + " is not in [0, 1]");
    }
  }
  if (matching_rule == MatchingRule::kCoco && inclusive_pixels) {
    problems.emplace_back("inclusive_pixels: only the VOC protocols know inclusive pixels");
  }
  return problems;
}

}  // namespace detwatch
