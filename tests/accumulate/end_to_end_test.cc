// Random frames through the matcher, the histogram and the ring, against COCO's rules written down a second
// time in the slowest way: for each class, area range and threshold, each frame is matched and each curve
// built anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "lib/accumulate/summary.h"
#include "lib/match/matcher.h"
#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

struct Scene {
  std::vector<Box> boxes;
  std::vector<float> scores;
  std::vector<ClassId> classes;
  std::vector<Box> truth_boxes;
  std::vector<double> truth_areas;
  std::vector<ClassId> truth_classes;
  std::vector<std::uint8_t> crowd;

  [[nodiscard]] FrameView View() const {
    return {{scores, classes, truth_areas, truth_classes, crowd, {}}, boxes, truth_boxes};
  }
};

constexpr std::uint32_t kClasses = 4;

// Boxes on whole pixels around the area limits, so that equal IoUs and equal areas happen.
Scene RandomScene(Random& random) {
  Scene scene;
  const double side[] = {16, 32, 40, 96, 120};
  for (std::uint64_t i = random.Below(8); i > 0; --i) {
    const Box box{static_cast<double>(random.Below(200)), static_cast<double>(random.Below(200)),
                  side[random.Below(5)], side[random.Below(5)]};
    scene.truth_boxes.push_back(box);
    scene.truth_areas.push_back(random.Chance(0.5) ? box.Area() : box.Area() * 0.75);
    scene.truth_classes.push_back(ClassId{static_cast<std::uint32_t>(random.Below(kClasses - 1))});
    scene.crowd.push_back(random.Chance(0.1) ? 1 : 0);
    for (std::uint64_t near = random.Below(4); near > 0; --near) {
      scene.boxes.push_back({box.x + static_cast<double>(random.Below(9)),
                             box.y + static_cast<double>(random.Below(9)), box.w, box.h});
      scene.classes.push_back(random.Chance(0.9)
                                  ? scene.truth_classes.back()
                                  : ClassId{static_cast<std::uint32_t>(random.Below(kClasses))});
    }
  }
  for (std::uint64_t i = random.Below(6); i > 0; --i) {
    scene.boxes.push_back({static_cast<double>(random.Below(200)), static_cast<double>(random.Below(200)),
                           side[random.Below(5)], side[random.Below(5)]});
    scene.classes.push_back(ClassId{static_cast<std::uint32_t>(random.Below(kClasses))});
  }
  for (std::size_t i = 0; i < scene.boxes.size(); ++i) {
    const std::uint64_t steps = random.Chance(0.5) ? 10 : 1'000'000;  // many equal scores
    scene.scores.push_back(static_cast<float>(random.Below(steps + 1)) / static_cast<float>(steps));
  }
  return scene;
}

double Overlap(const Box& d, const Box& g, bool crowd) {
  const double w = std::min(d.x + d.w, g.x + g.w) - std::max(d.x, g.x);
  const double h = std::min(d.y + d.h, g.y + g.h) - std::max(d.y, g.y);
  if (w <= 0 || h <= 0) {
    return 0;
  }
  return w * h / (crowd ? d.w * d.h : d.w * d.h + g.w * g.h - w * h);
}

struct Ranked {
  float score;
  bool true_positive;
  bool ignored;
};

struct Evaluated {
  std::vector<Ranked> detections;
  std::int64_t ground_truths = 0;

  [[nodiscard]] double Ap() const {
    std::vector<Ranked> sorted = detections;
    std::stable_sort(sorted.begin(), sorted.end(), [](auto& a, auto& b) { return a.score > b.score; });
    std::vector<std::uint8_t> list;
    for (const Ranked& d : sorted) {
      if (!d.ignored) {
        list.push_back(d.true_positive ? 1 : 0);
      }
    }
    return ObviousAveragePrecision(list, ground_truths, Interpolation::k101Points);
  }
  [[nodiscard]] double Recall() const {
    const auto hits =
        std::count_if(detections.begin(), detections.end(), [](auto& d) { return d.true_positive; });
    return static_cast<double>(hits) / static_cast<double>(ground_truths);
  }
};

// COCO's rules for one frame, as the reference evaluator states them.
void EvaluateFrame(const Scene& scene, ClassId class_id, const AreaRange& range, double threshold,
                   std::size_t max_dets, Evaluated& out) {
  const auto outside = [&](double area) { return area < range.lower || area > range.upper; };
  std::vector<std::size_t> truths, order;
  for (std::size_t g = 0; g < scene.truth_boxes.size(); ++g) {
    if (scene.truth_classes[g] == class_id) {
      truths.push_back(g);
    }
  }
  const auto ignored = [&](std::size_t g) { return scene.crowd[g] != 0 || outside(scene.truth_areas[g]); };
  std::stable_partition(truths.begin(), truths.end(), [&](std::size_t g) { return !ignored(g); });
  out.ground_truths +=
      std::count_if(truths.begin(), truths.end(), [&](std::size_t g) { return !ignored(g); });
  for (std::size_t d = 0; d < scene.boxes.size(); ++d) {
    if (scene.classes[d] == class_id) {
      order.push_back(d);
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scene.scores[a] > scene.scores[b]; });
  order.resize(std::min(order.size(), max_dets));
  std::vector<bool> taken(scene.truth_boxes.size());
  for (const std::size_t d : order) {
    double best = std::min(threshold, 1 - 1e-10);
    std::ptrdiff_t match = -1;
    for (const std::size_t g : truths) {
      if (taken[g] && scene.crowd[g] == 0) {
        continue;
      }
      if (match >= 0 && !ignored(static_cast<std::size_t>(match)) && ignored(g)) {
        break;
      }
      const double iou = Overlap(scene.boxes[d], scene.truth_boxes[g], scene.crowd[g] != 0);
      if (iou >= best) {
        best = iou;
        match = static_cast<std::ptrdiff_t>(g);
      }
    }
    Ranked ranked{scene.scores[d], false, false};
    if (match >= 0) {
      taken[static_cast<std::size_t>(match)] = true;
      ranked.ignored = ignored(static_cast<std::size_t>(match));
      ranked.true_positive = !ranked.ignored;
    } else {
      ranked.ignored = outside(scene.boxes[d].Area());
    }
    out.detections.push_back(ranked);
  }
}

class EndToEndTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EndToEndTest, EveryNumberOfCocoIsThatOfTheSlowReading) {
  Random random(GetParam());
  EvaluationParams params = EvaluationParams::Coco();
  params.max_dets = {1, 2, 6};
  std::vector<Scene> scenes(1 + random.Below(40));
  std::vector<Histogram> counts(kClasses, Histogram(Shape::Coarse(params)));
  std::vector<Ring> rings(kClasses, Ring(Ring::kUnlimited));
  match::Matcher matcher(params);
  FrameOutcome outcome;
  for (std::size_t i = 0; i < scenes.size(); ++i) {
    scenes[i] = RandomScene(random);
    matcher.Match(scenes[i].View(), outcome);
    for (const ClassOutcome& one : outcome.classes) {
      const auto detections = std::span(outcome.detections).subspan(one.first, one.count);
      counts[Index(one.class_id)].Count(params, one, detections);
      std::vector<RingRecord> records;
      for (const DetectionOutcome& d : detections) {
        records.push_back(RingRecord::From(d, i));
      }
      rings[Index(one.class_id)].Append(records);
    }
  }

  std::vector<ClassSummary> exact, binned;
  std::vector<const ClassSummary*> classes;
  for (std::uint32_t c = 0; c < kClasses; ++c) {
    std::vector<RingRecord> records;
    rings[c].CopyFrom(0, records);
    exact.push_back(Summarise(params, counts[c], &records));
    binned.push_back(Summarise(params, counts[c], nullptr));
  }
  for (const ClassSummary& one : exact) {
    classes.push_back(&one);
  }
  const MeanSummary mean = Mean(params, classes);

  for (std::size_t area = 0; area < params.areas(); ++area) {
    double map_sum = 0;
    double ar_sum = 0;
    int defined = 0;
    for (std::uint32_t c = 0; c < kClasses; ++c) {
      for (std::size_t t = 0; t < params.thresholds(); ++t) {
        Evaluated evaluated;
        for (const Scene& scene : scenes) {
          EvaluateFrame(scene, ClassId{c}, params.area_ranges[area], params.iou_thresholds[t], 6, evaluated);
        }
        ASSERT_EQ(exact[c].ground_truths[area], evaluated.ground_truths);
        if (evaluated.ground_truths == 0) {
          ASSERT_TRUE(std::isnan(exact[c].ap[area][t].value));
          continue;
        }
        const double ap = evaluated.Ap();
        ASSERT_EQ(exact[c].ap[area][t].value, ap) << "class " << c << " area " << area << " threshold " << t;
        ASSERT_LE(binned[c].ap[area][t].lower, ap);
        ASSERT_GE(binned[c].ap[area][t].upper, ap);
        ASSERT_EQ(exact[c].recall[area][t], evaluated.Recall());
        map_sum += ap;
        ar_sum += evaluated.Recall();
        ++defined;
        for (std::size_t k = 0; area == 0 && k < params.max_dets.size(); ++k) {
          Evaluated truncated;
          for (const Scene& scene : scenes) {
            EvaluateFrame(scene, ClassId{c}, params.area_ranges[0], params.iou_thresholds[t],
                          params.max_dets[k], truncated);
          }
          ASSERT_EQ(exact[c].recall_by_max_dets[k][t], truncated.Recall());
        }
      }
    }
    if (defined > 0) {
      ASSERT_NEAR(mean.map[area][params.thresholds()].value, map_sum / defined, 1e-12);
      ASSERT_NEAR(mean.ar[area], ar_sum / defined, 1e-12);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, EndToEndTest, testing::Range<std::uint64_t>(100, 140),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace detwatch::accumulate
