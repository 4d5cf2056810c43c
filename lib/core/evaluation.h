#pragma once
// lib/core -- what is evaluated: IoU thresholds, area ranges, max dets, operating points, matching rule,
// interpolation. Two cells can only be merged when these agree, so they have a fingerprint.
//
// Laws (tests of the same name): TheFingerprintOfEveryProtocolIsFrozen, NoTwoPairsShareAFingerprint.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace detwatch {

// Fixed upper sizes let an outcome be a flat record; COCO needs 10, 4, 3 and we default to 1.
inline constexpr std::size_t kMaxIouThresholds = 16;
inline constexpr std::size_t kMaxAreaRanges = 4;
inline constexpr std::size_t kMaxMaxDets = 4;
inline constexpr std::size_t kMaxOperatingPoints = 8;

// How pairs of a detection and a ground truth are assigned. lib/match alone asks for it.
enum class MatchingRule : std::uint8_t {
  kCoco,  // the best ground truth that is still free; crowds
  kVoc,   // the best-overlapping ground truth or none; difficult ones
};

// How AP is read off the precision-recall curve. lib/accumulate alone asks for it.
enum class Interpolation : std::uint8_t {
  k101Points,  // mean over recalls i * 0.01, as COCO has it
  k11Points,   // mean over recalls i * 0.1, as Pascal VOC had it until 2009
  kAllPoints,  // area under the precision envelope, as Pascal VOC has it since 2010
};

// What `protocol` says in the configuration, on the command line and in JSON: a rule and an interpolation
// that are used together. Nothing is computed by it.
struct Protocol {
  MatchingRule matching_rule = MatchingRule::kCoco;
  Interpolation interpolation = Interpolation::k101Points;
  friend bool operator==(const Protocol&, const Protocol&) = default;
};
inline constexpr std::array<std::pair<std::string_view, Protocol>, 3> kProtocolNames = {
    {{"coco", {MatchingRule::kCoco, Interpolation::k101Points}},
     {"voc2007", {MatchingRule::kVoc, Interpolation::k11Points}},
     {"voc2012", {MatchingRule::kVoc, Interpolation::kAllPoints}}}};

// "custom" for a pair without a name, which only a program can ask for.
[[nodiscard]] std::string_view Name(Protocol protocol);

// Square pixels; both ends are inside.
struct AreaRange {
  std::string name;
  double lower = 0;
  double upper = 0;
  friend bool operator==(const AreaRange&, const AreaRange&) = default;
};

struct EvaluationParams {
  MatchingRule matching_rule = MatchingRule::kCoco;
  Interpolation interpolation = Interpolation::k101Points;
  bool inclusive_pixels = false;        // VOC devkit IoU: widths and heights are max - min + 1
  std::vector<double> iou_thresholds;   // ascending, in (0, 1], 1 to 16
  std::vector<AreaRange> area_ranges;   // 1 to 4; the first is the headline, "all"
  std::vector<std::uint32_t> max_dets;  // ascending, 1 to 4; the last one truncates a frame's class
  std::vector<float>
      operating_points;  // confidences, 1 to 8; score >= point counts; the first is the headline

  // linspace(.5, .95, 10); all, small, medium, large; 1, 10, 100; 0.5.
  [[nodiscard]] static EvaluationParams Coco();
  // IoU 0.50, area all, no truncation. Pascal VOC's years differ in the interpolation.
  [[nodiscard]] static EvaluationParams Voc(Interpolation interpolation, bool inclusive_pixels);

  [[nodiscard]] Protocol protocol() const { return {matching_rule, interpolation}; }
  [[nodiscard]] std::size_t thresholds() const { return iou_thresholds.size(); }
  [[nodiscard]] std::size_t areas() const { return area_ranges.size(); }
  // Index of the threshold nearest to 0.50, where F1, mean IoU and calibration are taken.
  [[nodiscard]] std::size_t HeadlineIou() const;
  // Changes whenever the meaning of an accumulated count would.
  [[nodiscard]] std::uint64_t Fingerprint() const;
  // Every problem, empty when sound; each names the field, for example "iou_thresholds: 1.5 is above 1".
  [[nodiscard]] std::vector<std::string> Problems() const;
  friend bool operator==(const EvaluationParams&, const EvaluationParams&) = default;
};

// numpy.linspace(.5, .95, 10) to the bit; the ninth is 0.8999999999999999.
[[nodiscard]] std::vector<double> CocoIouThresholds();

}  // namespace detwatch
