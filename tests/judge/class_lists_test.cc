#include "lib/judge/class_lists.h"

#include <gtest/gtest.h>

#include "lib/judge/class_registry.h"

namespace detwatch::judge {
namespace {

using std::chrono::hours;

const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

ClassList List(std::vector<std::pair<std::uint32_t, std::string>> entries) {
  ClassList list;
  list.entries = std::move(entries);
  list.hash = HashClassList(list.entries);
  return list;
}

TEST(ClassListsTest, TheSameClassesAreTheSameSet) {
  ClassLists ours(10);
  ClassLists theirs(10);
  const auto model = static_cast<ClassListHash>(1);
  const auto people = static_cast<ClassListHash>(2);
  const auto robots = static_cast<ClassListHash>(3);
  for (ClassLists* lists : {&ours, &theirs}) {
    lists->Add(model, {{0, ClassId{5}}, {1, ClassId{7}}, {2, ClassId{9}}});
    lists->Add(people, {{4, ClassId{9}}, {5, ClassId{5}}, {6, ClassId{11}}});
    lists->Add(robots, {{1, ClassId{5}}, {9, ClassId{9}}});
  }
  const ClassSetId set = ours.Judged(model, people).set;
  EXPECT_EQ(ours.Judged(model, people).classes, (std::vector<ClassId>{ClassId{5}, ClassId{9}}));
  EXPECT_EQ(ours.Judged(model, robots).set, set);
  EXPECT_EQ(theirs.Judged(model, robots).set, set) << "nobody has to tell the other";
  EXPECT_NE(ours.Judged(model, model).set, set);
  EXPECT_EQ(ours.TakeNewSets().size(), 2U);
  EXPECT_TRUE(ours.TakeNewSets().empty());
}

TEST(ClassListsTest, ASetBeyondTheLimitIsCountedClassByClass) {
  ClassLists lists(1);
  const auto a = static_cast<ClassListHash>(1);
  const auto b = static_cast<ClassListHash>(2);
  lists.Add(a, {{0, ClassId{0}}, {1, ClassId{1}}});
  lists.Add(b, {{0, ClassId{0}}});
  EXPECT_TRUE(lists.Judged(a, a).by_set);
  EXPECT_FALSE(lists.Judged(a, b).by_set);
  EXPECT_EQ(lists.Judged(a, b).classes, (std::vector<ClassId>{ClassId{0}}));
}

// Regression: a reload changed how many lists are known, and not how many sets.
TEST(ClassListsTest, ASetThatWasBeyondTheLimitIsLookedAtAgainUnderAnother) {
  ClassRegistry registry(10, 1);
  ClassLists& lists = registry.lists();
  const auto a = static_cast<ClassListHash>(1);
  const auto b = static_cast<ClassListHash>(2);
  lists.Add(a, {{0, ClassId{0}}, {1, ClassId{1}}});
  lists.Add(b, {{0, ClassId{0}}});
  EXPECT_TRUE(lists.Judged(a, a).by_set);
  EXPECT_FALSE(lists.Judged(a, b).by_set);
  registry.SetLimits(10, 2);
  EXPECT_TRUE(lists.Judged(a, b).by_set);
  registry.SetLimits(10, 1);
  EXPECT_TRUE(lists.Judged(a, b).by_set) << "nothing is taken back";
  EXPECT_EQ(lists.TakeNewSets().size(), 2U);
}

TEST(ClassRegistryTest, AListThatIsIdleLeaves) {
  ClassRegistry registry(100, 2);
  const ClassList one = List({{0, "a"}});
  const ClassList two = List({{0, "b"}});
  const ClassList three = List({{0, "c"}});
  EXPECT_TRUE(*registry.Announce(one, kStart));
  EXPECT_TRUE(*registry.Announce(two, kStart));
  EXPECT_FALSE(*registry.Announce(one, kStart));
  EXPECT_EQ(registry.Announce(three, kStart).error().reason, RejectReason::kTooManyClasses);
  EXPECT_NE(registry.Use(two.hash, kStart + hours(5)), nullptr);
  EXPECT_EQ(registry.Expire(kStart + hours(6), hours(6)), (std::vector<ClassListHash>{one.hash}));
  EXPECT_EQ(registry.Use(one.hash, kStart + hours(6)), nullptr);
  EXPECT_TRUE(*registry.Announce(three, kStart + hours(6))) << "there is room again";
}

TEST(ClassRegistryTest, OnlyNamesOfKnownListsCount) {
  ClassRegistry registry(3, 10);
  EXPECT_TRUE(registry.Announce(List({{0, "a"}, {1, "b"}}), kStart));
  EXPECT_EQ(registry.Announce(List({{0, "c"}, {1, "d"}}), kStart).error().reason,
            RejectReason::kTooManyClasses);
  EXPECT_EQ(registry.names_in_use(), 2U);
  EXPECT_EQ(registry.Expire(kStart + hours(1), hours(1)).size(), 1U);
  EXPECT_EQ(registry.names_in_use(), 0U);
  EXPECT_TRUE(registry.Announce(List({{0, "c"}, {1, "d"}}), kStart + hours(1)));
}

TEST(ClassRegistryTest, ANameKeepsItsId) {
  ClassRegistry registry(10, 10);
  EXPECT_TRUE(registry.Announce(List({{0, "a"}, {1, "b"}}), kStart));
  EXPECT_EQ(registry.TakeNewNames().size(), 2U);
  (void)registry.Expire(kStart + hours(1), hours(1));
  const ClassList again = List({{7, "b"}, {9, "c"}});
  EXPECT_TRUE(registry.Announce(again, kStart + hours(1)));
  EXPECT_EQ(registry.Use(again.hash, kStart)->Find(7), 1U);
  EXPECT_EQ(registry.Use(again.hash, kStart)->Find(9), 2U);
  ASSERT_EQ(registry.TakeNewNames().size(), 1U);
  // A start that remembers them gives the same ids.
  ClassRegistry restarted(10, 10);
  restarted.Restore({{ClassId{1}, "b"}, {ClassId{2}, "c"}},
                    {{again.hash, {{7, ClassId{1}}, {9, ClassId{2}}}}}, ClassId{3}, kStart);
  const ClassList more = List({{0, "c"}, {1, "new"}});
  EXPECT_TRUE(restarted.Announce(more, kStart));
  EXPECT_EQ(restarted.Use(more.hash, kStart)->Find(0), 2U);
  EXPECT_EQ(restarted.Use(more.hash, kStart)->Find(1), 3U);
}

}  // namespace
}  // namespace detwatch::judge
