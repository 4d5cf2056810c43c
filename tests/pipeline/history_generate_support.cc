// What happens in a history: few frames, said much about, with time that passes every limit.
#include <algorithm>
#include <random>

#include "tests/pipeline/history_support.h"

namespace detwatch::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) { history_.seed = seed; }

  History Make() {
    MakeConfig();
    frames_ = Pick({1, 1, 2, 2, 3, 12});
    Announce();
    const int events = 30 + Below(50);
    for (int i = 0; i < events; ++i) {
      const int kind = Below(100);
      if (kind < 62) {
        Speak();
      } else if (kind < 84) {
        Pass();
      } else if (kind < 88) {
        history_.events.emplace_back().kind = HistoryEvent::Kind::kHear;
      } else {
        HistoryEvent& event = AddCut(kind < 96 ? HistoryEvent::Kind::kCut : HistoryEvent::Kind::kCrash);
        if (event.kind == HistoryEvent::Kind::kCrash) {
          event.by_publisher = Chance(30);
          event.wall = Chance(25) ? Pick({-4000, -100, -30, 30, 100, 4000}) : 0;
        }
      }
    }
    return std::move(history_);
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  template <class T>
  T Pick(const std::vector<T>& from) {
    return from[static_cast<std::size_t>(Below(static_cast<int>(from.size())))];
  }
  int Pick(std::initializer_list<int> from) { return Pick(std::vector<int>(from)); }

  // Halves of a second, which no time in a history has: nothing happens at a limit.
  Duration Limit(std::initializer_list<int> from) { return seconds(Pick(from)) + milliseconds(500); }

  void MakeConfig() {
    pipeline::PipelineConfig& config = history_.config;
    config.evaluation.iou_thresholds = {0.5, 0.75};
    config.evaluation.area_ranges.resize(1);
    config.evaluation.max_dets = {100};
    config.windows = {{"20s", seconds(5), 4}, {"2m", seconds(30), 4}};
    config.views = {{"default", {"model", "version"}, true, true, {}, {"20s", "2m"}},
                    {"streams", {"stream"}, true, false, {}, {"20s", "2m"}}};
    config.ring_capacity = 64;
    config.labels.sources = {LabelSource::kUnknown, LabelSource::kHuman, LabelSource::kAuto};
    config.labels.sampling = {Sampling::kUnknown, Sampling::kRandom};
    config.limits.class_list_wait = Limit({30});
    config.join.linger = Limit({10, 10, 10, 80});
    config.join.retention = Limit({100, 100, 45});
    config.join.corrections = Chance(15) ? Duration{0} : Limit({60, 60, 150});
    config.join.dedup_horizon = Chance(25) ? Limit({20}) : Duration(std::chrono::hours(1000));
  }

  void Announce() {
    for (const int list : {0, 1, 2, 3}) {
      if (history_.Forgets() || Chance(85)) {
        AddSaid(List(list));
      }
    }
    if (Chance(80)) {
      AddSaid(Quiet());
    }
  }

  HistoryEvent& AddCut(HistoryEvent::Kind kind) {
    HistoryEvent& event = history_.events.emplace_back();
    event.kind = kind;
    event.commit = Chance(85);
    event.answer = Chance(65);
    event.look = Chance(12);
    return event;
  }

  void Pass() {
    HistoryEvent& event = AddCut(HistoryEvent::Kind::kTime);
    event.monotonic = Pick({0, 1, 1, 2, 5, 5, 11, 11, 11, 21, 31, 46, 61, 61, 101, 101, 151, 400});
    event.wall = Chance(8) ? Pick({-4000, -100, -30, 30, 100, 1000}) : 0;
  }

  void AddSaid(const Said& said) {
    HistoryEvent& event = history_.events.emplace_back();
    event.said = {said};
  }

  void Speak() {
    HistoryEvent event;
    const int items = Chance(10) ? 2 + Below(3) : 1;
    for (int i = 0; i < items; ++i) {
      event.said.push_back(Next());
      event.said.back().publisher = event.said.front().publisher;
    }
    history_.events.push_back(std::move(event));
  }

  Said List(int list) {
    Said said;
    said.kind = Said::Kind::kList;
    said.publisher = list < 2 ? "camera" : "people";
    said.list = list;
    return said;
  }
  Said Quiet() {
    Said said;
    said.kind = Said::Kind::kModel;
    said.publisher = "camera";
    said.predictions.model = kQuietModel;
    return said;
  }

  Said Next() {
    if (Chance(7)) {
      return Chance(85) ? List(Below(4)) : Quiet();
    }
    if (!past_.empty() && Chance(25)) {
      return Again(Pick(past_));
    }
    Said said;
    const int kind = Below(100);
    said.kind = kind < 38 ? Said::Kind::kPredictions : kind < 74 ? Said::Kind::kLabels : Said::Kind::kFrame;
    said.publisher = kind < 38 ? "camera" : kind < 74 ? "people" : "robot";
    const int frame = Below(frames_);
    said.frame = {frame % 3 == 0 ? "gate" : frame % 3 == 1 ? "yard" : "dock", std::to_string(frame)};
    said.predictions = NextPredictions();
    said.labels = NextLabels();
    past_.push_back(said);
    return said;
  }

  // The same, by whom it may be; or the same labels with other predictions, or another word about them.
  Said Again(Said said) {
    if (Chance(20)) {
      said.publisher = Chance(50) ? "people" : "robot";
    }
    if (said.HasLabels() && Chance(40)) {
      said.kind = Said::Kind::kFrame;
      said.predictions = NextPredictions();
    }
    if (Chance(10)) {
      said.labels.final = !said.labels.final;
    }
    return said;
  }

  SaidPredictions NextPredictions() {
    const int model = Below(100);
    SaidPredictions said;
    said.model = model < 40 ? "fast" : model < 80 ? "slow" : kQuietModel;
    said.list = Chance(75) ? 0 : 1;
    said.content = Below(4);
    said.fault = Chance(96) ? Fault::kNone : Chance(50) ? Fault::kClassId : Fault::kScore;
    return said;
  }

  SaidLabels NextLabels() {
    SaidLabels said;
    said.list = Chance(70) ? 2 : 3;
    said.content = Below(4);
    said.examined = Chance(25) ? 1 + static_cast<unsigned>(Below(7)) : 0;
    said.source = Chance(4) ? LabelSource::kSimulator : static_cast<LabelSource>(Below(3));
    said.sampling = Chance(4) ? Sampling::kTriggered : static_cast<Sampling>(Below(2));
    said.revision = static_cast<std::uint32_t>(Pick({0, 0, 0, 0, 1, 1, 1, 2, 2, 3}));
    said.final = Chance(35);
    said.fault = Chance(97) ? Fault::kNone : Fault::kClassId;
    return said;
  }

  std::mt19937_64 random_;
  History history_;
  int frames_ = 1;
  std::vector<Said> past_;
};

}  // namespace

History MakeHistory(std::uint64_t seed) {
  return Generator(seed).Make();
}

}  // namespace detwatch::test
