// Corrections: what was wrong first and right later is as if it had been right from the start.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/pipeline/rig_support.h"

namespace detwatch::pipeline {
namespace {

using test::At;
using test::Comparison;
using test::ExpectSame;
using test::OtherClasses;
using test::Play;
using test::Rig;
using test::Script;

constexpr double kStart = 1'700'000'000;

// Labels of another opinion: boxes elsewhere, other classes, crowd, fewer examined, or nothing at all.
Labels Wrong(std::mt19937& random, Labels labels) {
  switch (random() % 6) {
    case 0:
      labels.boxes.clear();
      labels.areas.clear();
      labels.class_ids.clear();
      break;
    case 1:
      for (std::uint32_t& id : labels.class_ids) {
        id = static_cast<std::uint32_t>(random() % 3);
      }
      break;
    case 2:
      labels.crowd.assign(labels.boxes.size(), 1);
      break;
    case 3:
      labels.partial = true;
      labels.examined = {static_cast<std::uint32_t>(random() % 3)};
      break;
    case 4:
      labels.class_list = OtherClasses().hash;
      for (std::uint32_t& id : labels.class_ids) {
        id = id == 0 ? 8 : id == 1 ? 9 : 3;
      }
      break;
    default:
      for (Box& box : labels.boxes) {
        box.x += 30;
      }
  }
  return labels;
}

struct Timed {
  double at = 0;
  wire::Message message;
  bool correction = false;  // only for those who were wrong
  Labels right;             // in place of the message, for the others
};

Script MakeScript(const std::vector<Timed>& traffic, bool right, unsigned cuts) {
  std::mt19937 random(cuts);
  Script script;
  for (const Timed& timed : traffic) {
    if (!right || !timed.correction) {
      const bool replaced = right && !timed.right.frame.frame_id.empty();
      script.Send("camera", replaced ? wire::Message(timed.right) : timed.message, At(timed.at));
    }
    if (random() % 6 == 0) {
      script.Cut(At(timed.at));
      if (random() % 25 == 0) {
        script.Take(At(timed.at));
      }
    }
  }
  for (const double later : {1.0, 400.0, 8000.0, 100'000.0}) {  // windows lose their frames, one by one
    script.Cut(At(traffic.back().at + later));
    script.Take(At(traffic.back().at + later));
  }
  return script;
}

std::vector<Timed> MakeTraffic(std::mt19937& random, int frames) {
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  std::vector<Timed> traffic;
  traffic.push_back({kStart, test::ThreeClasses(), false, {}});
  traffic.push_back({kStart, OtherClasses(), false, {}});
  double now = kStart;
  for (int i = 0; i < frames; ++i) {
    const unsigned pause = below(100);
    now += pause < 70 ? below(4) : pause < 97 ? below(120) : below(6000);
    test::RandomFrame frame = test::MakeFrame(random, std::to_string(i), static_cast<int>(below(6)));
    frame.predictions.frame.stream = frame.labels.frame.stream = below(2) == 0 ? "gate" : "yard";
    // All predictions within the time for which labels linger; labels before, between or after.
    for (const char* model : {"yolo", "frcnn"}) {
      Predictions predictions = frame.predictions;
      predictions.model.model = model;
      for (float& score : predictions.scores) {
        score = std::min(1.0F, score + 0.001F * static_cast<float>(below(100)));
      }
      traffic.push_back({now + below(300), predictions, false, {}});
    }
    frame.labels.final = false;
    double at = now + (below(3) == 0 ? 0 : below(2) == 0 ? below(300) : below(20'000));
    const unsigned corrections = below(4);
    Labels right = frame.labels;
    for (unsigned revision = 0; revision <= corrections; ++revision) {
      Labels labels = revision == corrections ? frame.labels : Wrong(random, frame.labels);
      labels.revision = revision;
      labels.final = revision == corrections && below(3) == 0;
      traffic.push_back({at, labels, revision > 0, revision == 0 ? right : Labels{}});
      at += below(3) == 0 ? 0 : below(2) == 0 ? below(600) : below(60'000);
    }
  }
  std::stable_sort(traffic.begin(), traffic.end(),
                   [](const Timed& a, const Timed& b) { return a.at < b.at; });
  return traffic;
}

PipelineConfig Config() {
  PipelineConfig config;
  config.ring_capacity = 1U << 20;
  config.views.push_back({"stream", {"stream"}, true, false, {}, {"5m", "1h"}});
  config.join.corrections = std::chrono::hours(72);
  config.join.linger = std::chrono::hours(3);  // pauses between cuts are long here
  return config;
}

void RunProperty(const PipelineConfig& config, unsigned seed, bool ap, bool restarts) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<Timed> traffic = MakeTraffic(random, 90);
  Rig wrong(config);
  Play(MakeScript(traffic, false, seed), wrong, restarts ? &random : nullptr);
  Rig right(config);
  Play(MakeScript(traffic, true, seed), right);
  const std::size_t looks = wrong.taken.size();
  ASSERT_EQ(looks, right.taken.size());
  for (std::size_t i = 1; i < looks; ++i) {
    test::ExpectNothingFell(*wrong.taken[i - 1], *wrong.taken[i]);
    test::ExpectSound(*wrong.taken[i]);
  }
  // By then all corrections have come; the windows differ in what they have lost since.
  for (std::size_t i = looks - 4; i < looks; ++i) {
    SCOPED_TRACE("look " + std::to_string(looks - i) + " before the end");
    ExpectSame(*wrong.taken[i], *right.taken[i], {ap, false, true, false});
  }
  const IngestCounters& a = wrong.taken.back()->counters;
  const IngestCounters& b = right.taken.back()->counters;
  EXPECT_EQ(a.judged_frames, b.judged_frames);
  EXPECT_EQ(a.unjudged_detections - a.retracted_unjudged_detections, b.unjudged_detections);
  EXPECT_EQ(a.unjudged_ground_truths - a.retracted_unjudged_ground_truths, b.unjudged_ground_truths);
  EXPECT_GT(a.corrected_frames, 50U);
  EXPECT_EQ(b.corrected_frames, 0U);
  EXPECT_TRUE(wrong.late.empty());
}

TEST(CorrectionTest, ACorrectionIsAsIfItHadBeenRightFromTheStart) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    RunProperty(Config(), seed, true, false);
  }
}

TEST(CorrectionTest, ACorrectionAcrossRestartsIsAsIfItHadBeenRightFromTheStart) {
  for (unsigned seed = 11; seed <= 12; ++seed) {
    RunProperty(Config(), seed, true, true);
  }
}

TEST(CorrectionTest, CountsAreRightWhateverTheRingHasLost) {
  PipelineConfig config = Config();
  config.ring_capacity = 40;
  RunProperty(config, 21, false, true);
}

}  // namespace
}  // namespace detwatch::pipeline
