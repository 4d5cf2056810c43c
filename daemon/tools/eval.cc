#include "daemon/tools/eval.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>

#include "daemon/files/dataset_files.h"
#include "daemon/tools/eval_format.h"
#include "daemon/tools/terminal.h"
#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/outcome.h"
#include "lib/match/matcher.h"

namespace detwatch::tools {
namespace {

using accumulate::ClassSummary;
using accumulate::Histogram;
using accumulate::RingRecord;

constexpr int kExitData = 1;
constexpr int kExitOptions = 2;

EvaluationParams ParamsFor(const EvalOptions& options) {
  EvaluationParams params =
      options.protocol.matching_rule == MatchingRule::kCoco
          ? EvaluationParams::Coco()
          : EvaluationParams::Voc(options.protocol.interpolation, options.voc_inclusive_pixels);
  params.inclusive_pixels = options.voc_inclusive_pixels;
  if (options.protocol.matching_rule != MatchingRule::kCoco) {
    params.operating_points = {0.0F};  // TP and FP of the report are those of all detections
  }
  return params;
}

std::vector<ClassId> ToClassIds(const std::vector<std::uint32_t>& indices) {
  std::vector<ClassId> ids(indices.size());
  std::transform(indices.begin(), indices.end(), ids.begin(), [](std::uint32_t i) { return ClassId{i}; });
  return ids;
}

// The counts of every class, and in exact mode its detections.
class Accumulator {
 public:
  // `classes` says how many detections of each will come.
  Accumulator(const EvaluationParams& params, Method method, const std::vector<ClassReport>& classes)
      : params_(params),
        matcher_(params),
        histograms_(classes.size(), Histogram(accumulate::Shape::Fine(params))),
        records_(method == Method::kExact ? classes.size() : 0) {
    for (std::size_t c = 0; c < records_.size(); ++c) {
      records_[c].reserve(static_cast<std::size_t>(classes[c].detections));
    }
  }

  void Add(const dataset::Frame& frame, accumulate::Ordinal ordinal) {
    const std::vector<ClassId> detected = ToClassIds(frame.predictions.class_ids);
    const std::vector<ClassId> labelled = ToClassIds(frame.labels.class_ids);
    FrameView view;
    view.detection_boxes = frame.predictions.boxes;
    view.scores = frame.predictions.scores;
    view.detection_classes = detected;
    view.ground_truth_boxes = frame.labels.boxes;
    view.ground_truth_areas = frame.labels.areas;
    view.ground_truth_classes = labelled;
    view.crowd = frame.labels.crowd;
    view.difficult = frame.labels.difficult;
    matcher_.Match(view, outcome_);
    for (const ClassOutcome& outcome : outcome_.classes) {
      const auto detections = std::span(outcome_.detections).subspan(outcome.first, outcome.count);
      histograms_[Index(outcome.class_id)].Count(params_, outcome, detections);
      if (records_.empty()) {
        continue;
      }
      std::vector<RingRecord>& records = records_[Index(outcome.class_id)];
      for (const DetectionOutcome& detection : detections) {
        records.push_back(RingRecord::From(detection, ordinal));
      }
    }
  }

  ClassSummary Finish(std::size_t class_index, std::size_t frames) {
    Histogram& histogram = histograms_[class_index];
    histogram.AddTally(histogram.shape().Frames(), static_cast<std::int64_t>(frames));
    return Summarise(params_, histogram, records_.empty() ? nullptr : &records_[class_index]);
  }

 private:
  const EvaluationParams& params_;
  match::Matcher matcher_;
  FrameOutcome outcome_;
  std::vector<Histogram> histograms_;
  // All of them, so no ring: a ring is for those that may leave again.
  std::vector<std::vector<RingRecord>> records_;
};

// "reading dt.json 42 %" on one line of a terminal, once reading has taken long enough to wonder.
class ProgressLine {
 public:
  explicit ProgressLine(std::ostream& out) : out_(out), shown_at_(Clock::now()) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (visible_) {
      out_ << "\r\x1b[K" << std::flush;
    }
  }

  void operator()(std::string_view file, double done) {
    const Clock::time_point now = Clock::now();
    if (now - shown_at_ < (visible_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(500))) {
      return;
    }
    shown_at_ = now;
    visible_ = true;
    out_ << "\r\x1b[Kreading " << file << ' ' << static_cast<int>(100 * done) << " %" << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::ostream& out_;
  Clock::time_point shown_at_;
  bool visible_ = false;
};

Result<dataset::Dataset> Read(const EvalOptions& options, std::ostream& err) {
  ProgressLine progress(err);
  files::ReadOptions read_options;
  read_options.image_size = options.image_size;
  if (IsTerminal(err)) {
    read_options.progress = [&progress](std::string_view file, double done) { progress(file, done); };
  }
  auto data = files::ReadGroundTruth(options.ground_truth, read_options);
  if (data) {
    if (auto read = files::ReadPredictions(options.predictions, read_options, *data); !read) {
      return tl::unexpected(read.error());
    }
  }
  return data;
}

}  // namespace

Result<EvalReport> Evaluate(const dataset::Dataset& data, const EvalOptions& options) {
  EvalReport report;
  report.params = ParamsFor(options);
  if (const auto problems = report.params.Problems(); !problems.empty()) {
    return Fail(problems.front());
  }
  report.method = options.method;
  report.frames = data.frames.size();
  report.ground_truths = data.GroundTruths();
  report.detections = data.Detections();
  report.classes.resize(data.classes.size());
  for (const dataset::Frame& frame : data.frames) {
    for (const std::uint32_t class_index : frame.predictions.class_ids) {
      ++report.classes[class_index].detections;
    }
  }
  Accumulator accumulator(report.params, options.method, report.classes);
  for (std::size_t i = 0; i < data.frames.size(); ++i) {
    accumulator.Add(data.frames[i], i);
  }
  std::vector<const ClassSummary*> summaries;
  for (std::size_t c = 0; c < data.classes.size(); ++c) {
    report.classes[c].entry = data.classes[c];
    report.classes[c].summary = accumulator.Finish(c, data.frames.size());
    summaries.push_back(&report.classes[c].summary);
  }
  report.mean = Mean(report.params, summaries);
  return report;
}

int RunEval(const EvalOptions& options, std::ostream& out, std::ostream& err) {
  if (options.voc_inclusive_pixels && options.protocol.matching_rule == MatchingRule::kCoco) {
    err << "error: --voc-inclusive-pixels needs --protocol voc2007 or voc2012\n";
    return kExitOptions;
  }
  const auto data = Read(options, err);
  if (!data) {
    err << "error: " << data.error().message << '\n';
    return kExitData;
  }
  for (const std::string& warning : data->warnings) {
    err << "warning: " << warning << '\n';
  }
  const auto report = Evaluate(*data, options);
  if (!report) {
    err << "error: " << report.error().message << '\n';
    return kExitOptions;
  }
  out << (options.format == OutputFormat::kJson ? FormatJson(*report)
                                                : FormatTable(*report, IsTerminal(out)));
  out.flush();
  if (!out) {
    err << "error: the report could not be written\n";
    return kExitData;
  }
  return 0;
}

}  // namespace detwatch::tools
