// A group of cells: what frames do to it, and what a restart finds.
#include "lib/cells/group.h"

#include <gtest/gtest.h>

#include "tests/cells/cells_support.h"

namespace detwatch::cells {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::vector<ClassId> kThree = {ClassId{0}, ClassId{1}, ClassId{2}};

TEST(ContributionTest, WhatIsTakenBackLeavesNothing) {
  std::mt19937 random(1);
  GroupRig rig;
  const auto stays = MakeFrame(random, kThree, {ClassId{0}, ClassId{1}});
  rig.Count(*stays, 1, kStart);
  rig.group->Advance(kStart, rig.store);
  const auto before = Numbers(rig.Show());
  const auto wrong = MakeFrame(random, kThree, {ClassId{0}, ClassId{2}});
  rig.Count(*wrong, 2, kStart);
  rig.group->Know({ClassId{2}});
  EXPECT_NE(Numbers(rig.Show()), before);
  rig.Count(*wrong, 2, kStart, -1);
  std::vector<std::int64_t> after = Numbers(rig.Show());
  snapshot::Group shown = rig.Show();
  EXPECT_EQ(shown.windows[0].frames, 1);
  EXPECT_TRUE(shown.retracted.empty()) << "nobody has seen it, so nothing is retracted";
  EXPECT_EQ(shown.windows[0].classes.back(), nullptr);
  EXPECT_EQ(shown.windows[1].classes.back(), nullptr);
  // The rest is as it was, exactly, also what comes from single detections.
  GroupRig other;
  other.Count(*stays, 1, kStart);
  other.group->Advance(kStart, other.store);
  EXPECT_EQ(shown.windows[0].classes[0]->ap[0][0].value, other.Show().windows[0].classes[0]->ap[0][0].value);
}

TEST(ContributionTest, ACorrectionIsTheDifference) {
  std::mt19937 random(2);
  for (int round = 0; round < 50; ++round) {
    GroupRig corrected;
    GroupRig right;
    for (GroupRig* rig : {&corrected, &right}) {
      rig->group->SetCorrectable();
    }
    const auto other = MakeFrame(random, kThree, {ClassId{0}, ClassId{1}});
    const auto wrong = MakeFrame(random, kThree, {ClassId{0}, ClassId{1}});
    const auto good = MakeFrame(random, {ClassId{0}, ClassId{1}}, {ClassId{0}});
    corrected.Count(*other, 1, kStart);
    corrected.Count(*wrong, 2, kStart);
    corrected.Count(*other, 3, kStart + minutes(1));
    corrected.Count(*wrong, 2, kStart, -1, true);
    corrected.Count(*good, 2, kStart, 1, true);
    right.Count(*other, 1, kStart);
    right.Count(*good, 2, kStart);
    right.Count(*other, 3, kStart + minutes(1));
    const snapshot::Group a = corrected.Show();
    const snapshot::Group b = right.Show();
    for (std::size_t w = 0; w < a.windows.size(); ++w) {
      EXPECT_EQ(a.windows[w].frames, b.windows[w].frames);
      for (std::size_t c = 0; c < b.windows[w].classes.size(); ++c) {
        ASSERT_EQ(a.windows[w].classes[c]->operating[0][0].true_positives,
                  b.windows[w].classes[c]->operating[0][0].true_positives);
        EXPECT_EQ(FramesOfClass(a.windows[w], c)[0].tn, FramesOfClass(b.windows[w], c)[0].tn);
        if (!std::isnan(b.windows[w].classes[c]->ap[0][0].value)) {
          EXPECT_DOUBLE_EQ(a.windows[w].classes[c]->ap[0][0].value, b.windows[w].classes[c]->ap[0][0].value);
        }
      }
    }
    for (std::size_t c = 0; c < b.iou_quantiles.size(); ++c) {
      EXPECT_TRUE(a.iou_quantiles[c].tenth == b.iou_quantiles[c].tenth ||
                  std::isnan(b.iou_quantiles[c].tenth));
    }
    // Exported counters: what stands and what was taken out.
    const auto wrong_detections = static_cast<std::int64_t>(wrong->judged.outcome.detections.size());
    std::int64_t retracted = 0;
    for (const auto& counters : a.retracted) {
      if (counters != nullptr) {
        for (const std::int64_t n : counters->bin_detections[0]) {
          retracted += n;
        }
      }
    }
    EXPECT_EQ(retracted, wrong_detections);
  }
}

TEST(GroupTest, AFrameCostsWhatItTouches) {
  std::mt19937 random(3);
  GroupRig rig;
  std::vector<ClassId> all;
  for (std::uint32_t c = 0; c < 5000; ++c) {
    all.push_back(ClassId{c});
  }
  rig.group->Know(all);
  const auto frame = MakeFrame(random, all, {ClassId{17}, ClassId{4000}});
  rig.Count(*frame, 1, kStart);
  rig.group->Advance(kStart, rig.store);
  EXPECT_EQ(rig.group->cells(), 2U);
  rig.group->Write(rig.store);
  std::size_t rows = 0;
  rig.store.ScanPrefix(CellsKey(GroupId{3}), [&](std::string_view, std::string_view) { return ++rows > 0; });
  EXPECT_EQ(rows, 2U);
  // Yet it was judged for all of them.
  const snapshot::Group shown = rig.Show();
  EXPECT_EQ(FramesOfClass(shown.windows[0], 4999)[0].tn, 1);
  EXPECT_EQ(shown.windows[0].mean.frames[0].tp + shown.windows[0].mean.frames[0].fp +
                shown.windows[0].mean.frames[0].fn + shown.windows[0].mean.frames[0].tn,
            5000);
}

TEST(GroupTest, KnownClassesHaveCountersAndNoCells) {
  GroupRig rig;
  rig.group->Know(kThree);
  rig.group->Know(kThree);
  EXPECT_EQ(rig.group->cells(), 0U);
  const snapshot::Group shown = rig.Show();
  EXPECT_EQ(shown.class_names.size(), 3U);
  EXPECT_EQ(shown.counters.size(), 3U);
  rig.Restart(kStart);
  EXPECT_EQ(rig.Show().class_names.size(), 3U);
}

TEST(GroupTest, LookingChangesNothing) {
  std::mt19937 random(4);
  GroupRig looked;
  GroupRig quiet;
  for (int i = 0; i < 200; ++i) {
    const auto frame = MakeFrame(random, kThree, {ClassId{static_cast<std::uint32_t>(random() % 3)}});
    const TimePoint at = kStart + seconds(7 * i);
    for (GroupRig* rig : {&looked, &quiet}) {
      rig->Count(*frame, static_cast<accumulate::Ordinal>(i + 1), at);
      rig->group->Advance(at, rig->store);
      rig->group->Write(rig->store);
    }
    const auto once = Numbers(looked.Show());
    ASSERT_EQ(Numbers(looked.Show()), once);
  }
  EXPECT_EQ(Numbers(looked.Show()), Numbers(quiet.Show()));
  std::vector<std::pair<std::string, std::string>> rows[2];
  for (const auto& [rig, into] : {std::pair{&looked, &rows[0]}, std::pair{&quiet, &rows[1]}}) {
    rig->store.Scan("", "\xff", [&, to = into](std::string_view key, std::string_view value) {
      to->emplace_back(key, value);
      return true;
    });
  }
  EXPECT_EQ(rows[0], rows[1]);
}

// Everything that is shown of a window, but the sums that the mean is made of.
void ExpectSame(const snapshot::Window& a, const snapshot::Window& b) {
  ASSERT_EQ(a.classes.size(), b.classes.size());
  for (std::size_t c = 0; c < a.classes.size(); ++c) {
    ASSERT_EQ(a.classes[c] == nullptr, b.classes[c] == nullptr) << a.name << ", class " << c;
    if (a.classes[c] == nullptr) {
      continue;
    }
    ASSERT_EQ(a.classes[c]->exact, b.classes[c]->exact) << a.name << ", class " << c;
    const accumulate::ApValue& ap = a.classes[c]->ap[0][0];
    const accumulate::ApValue& other = b.classes[c]->ap[0][0];
    ASSERT_TRUE(ap.value == other.value || std::isnan(other.value)) << a.name << ", class " << c;
    ASSERT_TRUE(ap.upper == other.upper || std::isnan(other.upper)) << a.name << ", class " << c;
  }
  EXPECT_EQ(a.mean.exact, b.mean.exact);
  EXPECT_EQ(a.mean.classes, b.mean.classes);
  EXPECT_EQ(a.mean.ground_truths, b.mean.ground_truths);
  EXPECT_EQ(a.mean.micro[0][0].true_positives, b.mean.micro[0][0].true_positives);
  if (b.mean.classes > 0) {
    EXPECT_NEAR(a.mean.map[0][0].value, b.mean.map[0][0].value, 1e-12);
    EXPECT_NEAR(a.mean.map[0][0].lower, b.mean.map[0][0].lower, 1e-12);
  }
}

// Only what may have changed is asked for again, of thousands of classes: a look now and then sees what a
// look at every step sees.
TEST(GroupTest, WhatWasShownBeforeDoesNotMatter) {
  std::vector<ClassId> all;
  for (std::uint32_t c = 0; c < 400; ++c) {
    all.push_back(ClassId{c});
  }
  for (unsigned seed = 30; seed < 36; ++seed) {
    std::mt19937 random(seed);
    GroupRig often;
    GroupRig seldom;
    for (GroupRig* rig : {&often, &seldom}) {
      rig->layout.ring_capacity = 12;  // so that windows go from exact to binned and back
      rig->Start();
      rig->group->Know({all.begin(), all.begin() + (seed % 2 == 0 ? 400 : 200)});
    }
    TimePoint at = kStart;
    std::vector<std::unique_ptr<TestFrame>> frames;
    for (int i = 1; i < 250; ++i) {
      at += seconds(random() % (random() % 20 == 0 ? 200 : 15));
      const ClassId some{static_cast<std::uint32_t>(random() % 400)};
      const ClassId few{static_cast<std::uint32_t>(random() % 5)};
      frames.push_back(MakeFrame(random, all, some > few ? std::vector{few, some} : std::vector{few}));
      const std::size_t wrong = random() % frames.size();
      const bool corrects = random() % 6 == 0;
      for (GroupRig* rig : {&often, &seldom}) {
        rig->Count(*frames.back(), static_cast<accumulate::Ordinal>(i), at);
        if (corrects) {
          rig->Count(*frames[wrong], static_cast<accumulate::Ordinal>(wrong + 1), at, -1, true);
          rig->Count(*frames[wrong], static_cast<accumulate::Ordinal>(wrong + 1), at, 1, true);
        }
        rig->group->Advance(at, rig->store);
        rig->group->Write(rig->store);
      }
      const snapshot::Group shown = often.Show();
      if (random() % 50 == 0) {
        const snapshot::Group other = seldom.Show();
        ASSERT_EQ(Numbers(shown), Numbers(other)) << "seed " << seed << ", step " << i;
        for (std::size_t w = 0; w < shown.windows.size(); ++w) {
          ASSERT_NO_FATAL_FAILURE(ExpectSame(shown.windows[w], other.windows[w])) << "seed " << seed;
        }
        seldom.Restart(at);  // nothing was shown of it yet
      }
    }
  }
}

TEST(GroupTest, ReadingWhatWasWrittenGivesTheSame) {
  for (unsigned seed = 10; seed < 20; ++seed) {
    std::mt19937 random(seed);
    GroupRig rig;
    GroupRig steady;
    TimePoint at = kStart;
    for (int i = 1; i < 150; ++i) {
      at += seconds(random() % 40);
      const auto frame = MakeFrame(random, kThree, {ClassId{static_cast<std::uint32_t>(random() % 3)}});
      for (GroupRig* one : {&rig, &steady}) {
        one->Count(*frame, static_cast<accumulate::Ordinal>(i), at);
      }
      if (random() % 4 == 0) {
        for (GroupRig* one : {&rig, &steady}) {
          one->group->Advance(at, one->store);
          one->group->Write(one->store);
        }
      }
      if (random() % 10 == 0) {
        rig.Restart(at);
        if (testing::Test::HasFatalFailure()) {
          return;
        }
      }
    }
    for (GroupRig* one : {&rig, &steady}) {
      one->group->Advance(at, one->store);
    }
    // Classes stand in the order of their first appearance in both.
    ASSERT_EQ(Numbers(rig.Show()), Numbers(steady.Show())) << "seed " << seed;
  }
}

}  // namespace
}  // namespace detwatch::cells
