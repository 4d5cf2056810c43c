// A pipeline that dies and goes on from its last commit is one that never died.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pipeline/rig_support.h"

namespace detwatch::pipeline {
namespace {

using test::At;
using test::Comparison;
using test::Event;
using test::Play;
using test::Rig;
using test::Script;

constexpr double kStart = 1'700'000'000;

PipelineConfig Config() {
  PipelineConfig config;
  config.views.push_back({"site", {"site"}, false, false, {}, {"5m", "24h"}});
  config.views.push_back({"stream", {"model", "stream"}, true, false, {}, {"1h"}});
  config.ring_capacity = 300;
  return config;
}

struct Timed {
  double at = 0;
  wire::Message message;
  std::string publisher;
  Transport transport = Transport::kReliable;
};

// Everything that publishers do, over about two days.
std::vector<Timed> MakeTraffic(std::mt19937& random, int frames) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  std::vector<Timed> traffic;
  traffic.push_back({kStart, test::ThreeClasses(), "camera"});
  traffic.push_back({kStart + 40, test::OtherClasses(), "people"});  // what came before it waits for it
  double now = kStart;
  for (int i = 0; i < frames; ++i) {
    const unsigned pause = below(100);
    now += pause < 70 ? below(4) : pause < 97 ? below(200) : below(20'000);
    if (i < 3) {
      now = kStart + 20 + i;
    }
    test::RandomFrame frame = test::MakeFrame(random, std::to_string(i), static_cast<int>(below(6)));
    const std::string stream = below(2) == 0 ? "gate" : "yard";
    frame.predictions.frame.stream = frame.labels.frame.stream = stream;
    frame.predictions.capture_time = At(now - below(100));
    if (below(40) == 0) {
      traffic.push_back({now, StreamInfo{stream, {{"site", below(2) == 0 ? "north" : "south"}}}, "camera"});
    }
    if (below(60) == 0) {
      ModelInfo info;
      info.model = {"slow", "1"};
      info.tags = {{"site", below(2) == 0 ? "lab" : "field"}};
      info.score_threshold = 0.25F;
      info.max_detections = 300;
      traffic.push_back({now, info, "camera"});
    }
    if (i == 5) {
      ModelInfo info;
      info.model = {"never", "2"};
      info.labels_expected = false;
      traffic.push_back({now, info, "camera"});
    }
    for (const char* model : {"yolo", "slow", "never"}) {
      if (below(4) == 0) {
        continue;
      }
      Predictions predictions = frame.predictions;
      predictions.model = {model, model == std::string("never") ? "2" : "1"};
      predictions.inference_seconds = 0.01 * below(10);
      for (float& score : predictions.scores) {
        score = std::min(1.0F, score + 0.001F * static_cast<float>(below(100)));
      }
      const bool fast = below(5) == 0;
      const double delay = below(3) == 0 ? below(30) : below(20) == 0 ? below(90'000) : 0;
      traffic.push_back({now + delay, predictions, fast ? "fast" : "camera",
                         fast ? Transport::kSubscribe : Transport::kReliable});
      if (below(30) == 0) {  // again, and again with other content
        traffic.push_back({now + delay + 1, predictions, "camera"});
        predictions.boxes.push_back({1, 1, 5, 5});
        predictions.scores.push_back(0.5F);
        predictions.class_ids.push_back(0);
        traffic.push_back({now + delay + 2, predictions, "camera"});
      }
    }
    if (below(8) == 0) {
      continue;  // no labels
    }
    double labelled = now + (below(3) == 0   ? 0
                             : below(3) == 0 ? below(7200)
                             : below(6) == 0 ? below(100'000)
                                             : 5);
    const unsigned revisions = below(3) == 0 ? 1 + below(3) : 1;
    for (unsigned revision = 0; revision < revisions; ++revision) {
      Labels labels = frame.labels;
      labels.revision = revision;
      labels.final = below(3) == 0;
      for (Box& box : labels.boxes) {
        box.x += below(20);
      }
      if (below(4) == 0) {
        labels.crowd.assign(labels.boxes.size(), 0);
        if (!labels.crowd.empty()) {
          labels.crowd[0] = 1;
        }
      }
      if (below(5) == 0 || i < 3) {
        labels.class_list = test::OtherClasses().hash;
        for (std::uint32_t& id : labels.class_ids) {
          id = id == 0 ? 8 : id == 1 ? 9 : 3;
        }
      } else if (below(5) == 0) {
        labels.partial = true;
        labels.examined = {0, 1, 2};
        labels.examined.resize(1 + below(3));
      }
      if (below(12) == 0) {
        labels.boxes.clear();
        labels.areas.clear();
        labels.class_ids.clear();
        labels.crowd.clear();
      }
      if (below(15) == 0 && revision == 0) {
        Predictions predictions = frame.predictions;
        predictions.model = {"pair", "1"};
        traffic.push_back({labelled, wire::FramePair{predictions, labels}, "camera"});
      } else {
        traffic.push_back({labelled, labels, "people"});
      }
      if (below(10) == 0) {
        traffic.push_back({labelled + below(3) * 4000, labels, "people"});  // again, perhaps long after
      }
      labelled += below(3) == 0 ? below(100) : below(40'000);
    }
  }
  std::stable_sort(traffic.begin(), traffic.end(),
                   [](const Timed& a, const Timed& b) { return a.at < b.at; });
  return traffic;
}

// With cuts and looks in between; `cuts` decides where.
Script MakeScript(const std::vector<Timed>& traffic, unsigned cuts) {
  std::mt19937 random(cuts);
  Script script;
  double last = traffic.front().at;
  for (const Timed& timed : traffic) {
    // Somebody looks while nothing happens: windows go on.
    if (timed.at - last > 30 && random() % 6 == 0) {
      script.Cut(At(last + 10), random() % 4 != 0);
      script.Take(At(last + 20));
    }
    last = timed.at;
    script.Send(timed.publisher, timed.message, At(timed.at), timed.transport);
    if (random() % 4 == 0) {
      script.Cut(At(timed.at), random() % 4 != 0);
      if (random() % 40 == 0) {
        script.Take(At(timed.at));
      }
    }
  }
  const double end = traffic.back().at + 1;
  script.Cut(At(end));
  script.Take(At(end));
  script.Cut(At(end + 30 * 3600));
  script.Take(At(end + 30 * 3600));
  return script;
}

TEST(RestartTest, ARestartAtAnyCheckpointChangesNothing) {
  int crashes = 0;
  std::uint64_t judged = 0;
  std::uint64_t corrected = 0;
  for (unsigned seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const Script script = MakeScript(MakeTraffic(random, 120), seed);
    PipelineConfig config = Config();
    if (seed % 2 == 0) {
      config.join.bytes = 60'000;
      config.join.corrections_bytes = 80'000;
      config.join.linger_bytes = 20'000;
    }
    Rig undisturbed(config);
    Play(script, undisturbed);
    Rig restarted(config);
    crashes += Play(script, restarted, &random);
    ASSERT_EQ(undisturbed.taken.size(), restarted.taken.size());
    for (std::size_t i = 0; i < undisturbed.taken.size(); ++i) {
      SCOPED_TRACE("look " + std::to_string(i) + " of " + std::to_string(undisturbed.taken.size()));
      test::ExpectSame(*undisturbed.taken[i], *restarted.taken[i]);
      test::ExpectSound(*undisturbed.taken[i]);
      if (HasFailure()) {
        return;
      }
    }
    judged += undisturbed.taken.back()->counters.judged_frames;
    corrected += undisturbed.taken.back()->counters.corrected_frames;
  }
  EXPECT_GT(crashes, 15);
  EXPECT_GT(judged, 250U);
  EXPECT_GT(corrected, 15U);
}

TEST(RestartTest, ItDoesNotMatterWhereACutFalls) {
  for (unsigned seed = 11; seed <= 11; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    std::vector<Timed> traffic = MakeTraffic(random, 70);
    // Waiting ends with a cut, so nothing here waits for long.
    std::erase_if(traffic, [&](const Timed& timed) { return timed.at > kStart + 80'000; });
    PipelineConfig config = Config();
    config.join.linger = std::chrono::hours(200);
    config.join.dedup_horizon = std::chrono::hours(200);
    config.limits.class_list_wait = std::chrono::hours(1);
    Rig one(config);
    Play(MakeScript(traffic, 1), one);
    Rig other(config);
    Play(MakeScript(traffic, 2), other, &random);
    Rig each(config);  // a cut after every message: nothing meets in ingest
    Script all = MakeScript(traffic, 3);
    std::vector<Event> events;
    for (const Event& event : all.events) {
      events.push_back(event);
      if (event.kind == Event::Kind::kMessage) {
        events.push_back({Event::Kind::kCut, event.at, Transport::kReliable, {}, {}, true});
      }
    }
    all.events = std::move(events);
    Play(all, each);
    const Comparison how{false, true, true, true};
    test::ExpectSame(*one.taken.back(), *other.taken.back(), how);
    test::ExpectSame(*one.taken.back(), *each.taken.back(), how);
    EXPECT_EQ(one.taken.back()->counters.corrected_frames > 0, true);
    EXPECT_EQ(one.taken.back()->counters.judged_frames, each.taken.back()->counters.judged_frames);
    EXPECT_EQ(one.taken.back()->counters.rejected, each.taken.back()->counters.rejected);
    EXPECT_EQ(one.taken.back()->counters.labels, each.taken.back()->counters.labels);
    EXPECT_EQ(one.taken.back()->counters.rejected, other.taken.back()->counters.rejected);
    if (HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace detwatch::pipeline
