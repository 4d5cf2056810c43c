#include "tests/pipeline/feed_support.h"

#include <algorithm>
#include <map>

#include "lib/match/matcher.h"

namespace detwatch::test {

ClassList MakeClassList(std::vector<std::pair<std::uint32_t, std::string>> entries) {
  std::sort(entries.begin(), entries.end());
  ClassList list;
  list.entries = std::move(entries);
  list.hash = HashClassList(list.entries);
  return list;
}

ClassList ThreeClasses() {
  return MakeClassList({{0, "person"}, {1, "car"}, {2, "dog"}});
}

RandomFrame MakeFrame(std::mt19937& random, const std::string& frame_id, int objects) {
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto number = [&](double lower, double upper) {
    return static_cast<double>(static_cast<float>(lower + (upper - lower) * uniform(random)));
  };
  RandomFrame frame;
  frame.predictions.frame = frame.labels.frame = {"gate", frame_id};
  frame.predictions.model = {"yolo", "1"};
  frame.predictions.class_list = frame.labels.class_list = ThreeClasses().hash;
  frame.labels.source = LabelSource::kHuman;
  frame.labels.final = true;
  const auto detect = [&](const Box& box, std::uint32_t class_id, double score) {
    frame.predictions.boxes.push_back(box);
    frame.predictions.scores.push_back(static_cast<float>(score));
    frame.predictions.class_ids.push_back(class_id);
  };
  for (int i = 0; i < objects; ++i) {
    const Box box{number(0, 500), number(0, 400), number(8, 140), number(8, 140)};
    const auto class_id = static_cast<std::uint32_t>(random() % 3);
    frame.labels.boxes.push_back(box);
    frame.labels.areas.push_back(box.Area());
    frame.labels.class_ids.push_back(class_id);
    if (uniform(random) < 0.8) {
      const double shift = uniform(random) * 0.2;
      detect({static_cast<double>(static_cast<float>(box.x + shift * box.w)), box.y, box.w, box.h}, class_id,
             0.3 + 0.7 * uniform(random));
    }
    if (uniform(random) < 0.5) {
      detect({number(0, 500), number(0, 400), number(8, 140), number(8, 140)}, class_id,
             0.6 * uniform(random));
    }
  }
  return frame;
}

void Absorb(pipeline::Ingest& ingest, pipeline::State& state, TimePoint now) {
  ingest.Tick(now);
  const auto cut = ingest.TakeCut(now);
  ingest.OnAbsorbed(state.Absorb(*cut));
}

std::shared_ptr<const snapshot::Snapshot> Take(pipeline::State& state, TimePoint now) {
  state.Advance(now);
  return state.Take();
}

accumulate::MeanSummary FromScratch(const EvaluationParams& params,
                                    const std::vector<const RandomFrame*>& frames) {
  const accumulate::Shape shape = accumulate::Shape::Fine(params);
  struct Cell {
    accumulate::Histogram counts;
    std::vector<accumulate::RingRecord> records;
  };
  std::map<std::uint32_t, Cell> cells;
  match::Matcher matcher(params);
  FrameOutcome outcome;
  accumulate::Ordinal ordinal = 0;
  for (const RandomFrame* frame : frames) {
    std::vector<ClassId> detected;
    std::vector<ClassId> real;
    for (const std::uint32_t id : frame->predictions.class_ids) {
      detected.push_back(static_cast<ClassId>(id));
    }
    for (const std::uint32_t id : frame->labels.class_ids) {
      real.push_back(static_cast<ClassId>(id));
    }
    matcher.Match({{frame->predictions.scores, detected, frame->labels.areas, real, frame->labels.crowd,
                    frame->labels.difficult},
                   frame->predictions.boxes,
                   frame->labels.boxes},
                  outcome);
    ++ordinal;
    for (std::uint32_t c = 0; c < 3; ++c) {
      cells.try_emplace(c, Cell{accumulate::Histogram(shape), {}})
          .first->second.counts.AddTally(shape.Frames(), 1);
    }
    for (const ClassOutcome& judged : outcome.classes) {
      Cell& cell = cells.at(Index(judged.class_id));
      const std::span<const DetectionOutcome> detections(outcome.detections.data() + judged.first,
                                                         judged.count);
      cell.counts.Count(params, judged, detections);
      for (const DetectionOutcome& detection : detections) {
        cell.records.push_back(accumulate::RingRecord::From(detection, ordinal));
      }
    }
  }
  std::vector<accumulate::ClassSummary> summaries;
  for (auto& [id, cell] : cells) {
    summaries.push_back(accumulate::Summarise(params, cell.counts, &cell.records));
  }
  std::vector<const accumulate::ClassSummary*> pointers;
  for (const accumulate::ClassSummary& summary : summaries) {
    pointers.push_back(&summary);
  }
  return accumulate::Mean(params, pointers);
}

}  // namespace detwatch::test
