// A store over its life: made, closed, killed, locked, refused, migrated.
#include "lib/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/store/store_support.h"

namespace detwatch::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

std::vector<std::string> AllKeys(const KeyValue& store) {
  std::vector<std::string> keys;
  store.Scan("", "\xff", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  return keys;
}

TEST(StoreTest, AStoreIsMadeOnceWithTheFoldersAboveIt) {
  const TempFolder folder;
  const std::string path = folder.At("a/b/store");
  EXPECT_TRUE(MustOpen(path)->created());
  EXPECT_FALSE(MustOpen(path)->created());
  fs::create_directories(folder.At("empty"));
  EXPECT_TRUE(MustOpen(folder.At("empty"))->created());
  // The root of a disk of its own.
  fs::create_directories(folder.At("disk/lost+found"));
  EXPECT_TRUE(MustOpen(folder.At("disk"))->created());
}

TEST(StoreTest, WhatWasCommittedIsThereWhenItIsOpenedAgain) {
  const TempFolder folder;
  auto store = MustOpen(folder.At("s"));
  PutAndCommit(*store, "a", "1");
  PutAndCommit(*store, "b", "2");
  store->Delete("a");
  MustCommit(*store);
  store->Put("c", "not committed");
  store.reset();
  store = MustOpen(folder.At("s"));
  EXPECT_THAT(AllKeys(*store), ElementsAre("b"));
  EXPECT_EQ(store->Get("b"), "2");
}

TEST(StoreTest, WhatWasCommittedSurvivesAKill) {
  const TempFolder folder;
  const auto store = MustOpen(folder.At("s"));
  for (int i = 0; i < 100; ++i) {
    store->Put("k" + std::to_string(i), std::string(1000, 'v'));
  }
  MustCommit(*store);
  store->Put("late", "not committed");
  CopyFolder(folder.At("s"), folder.At("image"));
  const auto image = MustOpen(folder.At("image"));
  EXPECT_EQ(AllKeys(*image).size(), 100U);
  EXPECT_EQ(image->Get("k99"), std::string(1000, 'v'));
  EXPECT_EQ(image->Get("late"), std::nullopt);
}

// A kill at any moment of a commit: the log is there up to any byte.
TEST(StoreTest, ACommitIsAllOrNothing) {
  const TempFolder folder;
  const auto store = MustOpen(folder.At("s"));
  PutAndCommit(*store, "a", "before");
  const std::size_t before = fs::file_size(FilesOf(folder.At("s"), ".log").back());
  store->Put("a", "after");
  store->Put("b", std::string(300, 'v'));
  store->Delete("a");
  store->Put("c", "after");
  MustCommit(*store);
  CopyFolder(folder.At("s"), folder.At("whole"));
  const std::string log = FilesOf(folder.At("whole"), ".log").back().filename().string();
  const std::size_t after = fs::file_size(folder.At("whole/" + log));
  for (std::size_t length = before; length <= after; length += 37) {
    const std::string image = folder.At("image" + std::to_string(length));
    CopyFolder(folder.At("whole"), image);
    fs::resize_file(fs::path(image) / log, length);
    EXPECT_EQ(MustOpen(image)->Get("a"), "before") << length;
    EXPECT_THAT(AllKeys(*MustOpen(image)), ElementsAre("a")) << length;
    fs::remove_all(image);
  }
  EXPECT_THAT(AllKeys(*MustOpen(folder.At("whole"))), ElementsAre("b", "c"));
}

TEST(StoreTest, AStartThatWasCutShortGoesOn) {
  const TempFolder folder;
  MustOpen(folder.At("s")).reset();
  // Killed after the lock; after the first marker; before the last one.
  fs::create_directories(folder.At("locked"));
  WriteFile(folder.At("locked/detwatch.lock"), "1\n");
  EXPECT_TRUE(MustOpen(folder.At("locked"))->created());
  fs::create_directories(folder.At("marked"));
  WriteFile(folder.At("marked/DETWATCH"), "detwatch store, format 0\n");
  EXPECT_TRUE(MustOpen(folder.At("marked"))->created());
  CopyFolder(folder.At("s"), folder.At("made"));
  WriteFile(folder.At("made/DETWATCH"), "detwatch store, format 0\n");
  EXPECT_TRUE(MustOpen(folder.At("made"))->created());
  EXPECT_FALSE(MustOpen(folder.At("made"))->created());
}

TEST(StoreTest, OneProcessAtATime) {
  const TempFolder folder;
  auto store = MustOpen(folder.At("s"));
  const std::string refused = "another detwatch (process " + std::to_string(getpid()) + ") has the store " +
                              folder.At("s") + " open; stop it, or ";
  EXPECT_THAT(WhyNot(folder.At("s")), StartsWith(refused));
  EXPECT_THAT(Store::Repair(folder.At("s")).error().message, StartsWith(refused));
  PutAndCommit(*store, "a", "the first one goes on");
  store.reset();
  EXPECT_EQ(WhyNot(folder.At("s")), "");
}

TEST(StoreTest, AFolderThatIsNotAStoreIsNeverWrittenTo) {
  const TempFolder folder;
  fs::create_directories(folder.At("photos"));
  WriteFile(folder.At("photos/cat.jpg"), "x");
  EXPECT_THAT(WhyNot(folder.At("photos")),
              AllOf(HasSubstr("the folder " + folder.At("photos") + " is not empty and is not a store"),
                    HasSubstr("cat.jpg is in it"), HasSubstr("name an empty folder")));
  EXPECT_FALSE(Store::Repair(folder.At("photos")));
  EXPECT_EQ(FilesOf(folder.At("photos"), "").size(), 1U);
  // A database of somebody else.
  MustOpen(folder.At("other")).reset();
  fs::remove(folder.At("other/DETWATCH"));
  fs::remove(folder.At("other/detwatch.lock"));
  EXPECT_THAT(WhyNot(folder.At("other")), HasSubstr("is not a store of detwatch"));
  WriteFile(folder.At("file"), "x");
  EXPECT_THAT(WhyNot(folder.At("file")), HasSubstr("is not a folder"));
  EXPECT_THAT(WhyNot(folder.At("file/below")), HasSubstr("cannot be written: Not a directory"));
}

TEST(StoreTest, ThereIsNothingToRepairWhereThereIsNoStore) {
  const TempFolder folder;
  EXPECT_THAT(Store::Repair(folder.At("nothing")).error().message, HasSubstr("there is no store in"));
  EXPECT_FALSE(fs::exists(folder.At("nothing")));
  fs::create_directories(folder.At("empty"));
  EXPECT_THAT(Store::Repair(folder.At("empty")).error().message, HasSubstr("there is no store in"));
  EXPECT_TRUE(fs::is_empty(folder.At("empty")));
}

TEST(StoreTest, AReadOnlyDiskIsTold) {
  const TempFolder folder;
  const SmallDisk disk(folder.At("disk"), 64);
  if (!disk.problem().empty()) {
    ASSERT_FALSE(MountIsRequired()) << disk.problem();
    GTEST_SKIP() << disk.problem();
  }
  PutAndCommit(*MustOpen(folder.At("disk/s")), "a", "1");
  disk.MakeReadOnly();
  EXPECT_THAT(WhyNot(folder.At("disk/s")), AllOf(HasSubstr("cannot be written: Read-only file system"),
                                                 HasSubstr("mount it writable, or name another folder")));
  EXPECT_THAT(WhyNot(folder.At("disk/new")), HasSubstr("cannot be written: Read-only file system"));
}

TEST(StoreTest, AFolderOfSomebodyElseIsTold) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  const TempFolder folder;
  fs::create_directories(folder.At("s"));
  fs::permissions(folder.At("s"), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(WhyNot(folder.At("s")), AllOf(HasSubstr("cannot be written: Permission denied"),
                                            HasSubstr("let the user that runs detwatch write there")));
}

TEST(StoreTest, TheFormatIsNotAmongTheKeys) {
  const TempFolder folder;
  EXPECT_THAT(AllKeys(*MustOpen(folder.At("s"))), ElementsAre());
}

TEST(StoreTest, AStoreOfANewerProgramIsRefusedAndNotChanged) {
  const TempFolder folder;
  PutAndCommit(*MustOpen(Options{.path = folder.At("s"), .format = 7}), "a", "1");
  EXPECT_THAT(WhyNot(folder.At("s")),
              AllOf(HasSubstr("was written by a newer detwatch (format 7, this one knows 1): "),
                    HasSubstr("nothing was changed")));
  EXPECT_EQ(MustOpen(Options{.path = folder.At("s"), .format = 7})->Get("a"), "1");
}

TEST(StoreTest, MigrationsRunOnceAndWhole) {
  const TempFolder folder;
  PutAndCommit(*MustOpen(folder.At("s")), "a", "1");
  std::string ran;
  Options options{.path = folder.At("s"), .format = 3};
  const auto step = [&](const std::string& name) {
    return [&ran, name](KeyValue& store) -> Result<void> {
      ran += name;
      store.Put("a", *store.Get("a") + name);
      return {};
    };
  };
  options.migrations = {step("x"), step("y")};
  const auto store = MustOpen(options);
  EXPECT_EQ(store->opened_format(), 1U);
  EXPECT_EQ(store->Get("a"), "1xy");
  CopyFolder(folder.At("s"), folder.At("image"));
  options.path = folder.At("image");
  EXPECT_EQ(MustOpen(options)->opened_format(), 3U);
  EXPECT_EQ(MustOpen(options)->Get("a"), "1xy");
  EXPECT_EQ(ran, "xy");
  // A new store has nothing to migrate.
  options.path = folder.At("new");
  EXPECT_EQ(MustOpen(options)->opened_format(), 3U);
  EXPECT_EQ(ran, "xy");
}

TEST(StoreTest, AMigrationThatFailsLeavesTheStoreAsItWas) {
  const TempFolder folder;
  PutAndCommit(*MustOpen(folder.At("s")), "a", "1");
  Options options{.path = folder.At("s"), .format = 2};
  options.migrations = {[](KeyValue& store) -> Result<void> {
    store.Put("a", "2");
    return Fail("a is odd");
  }};
  EXPECT_THAT(WhyNot(options),
              AllOf(HasSubstr("could not be brought from format 1 to 2: a is odd"), HasSubstr("run the")));
  EXPECT_EQ(MustOpen(folder.At("s"))->Get("a"), "1");
  options.migrations.clear();
  EXPECT_THAT(WhyNot(options), HasSubstr("has format 1, which this detwatch no longer reads"));
}

TEST(StoreTest, MemoryOfABusyStoreIsBounded) {
  const TempFolder folder;
  const auto store = MustOpen(Options{.path = folder.At("s"), .fsync = false});
  std::string value(2500, 'v');
  for (int i = 0; i < 60000; ++i) {
    value[static_cast<std::size_t>(i) % value.size()] = static_cast<char>(i);
    store->Put("F" + std::to_string(i * 7919 % 60000) + "-of-some-hash", value);
    if (i % 1000 == 999) {
      MustCommit(*store);
    }
  }
  int seen = 0;
  store->ScanPrefix("F", [&](std::string_view, std::string_view) { return ++seen > 0; });
  EXPECT_EQ(seen, 60000);
  EXPECT_LT(store->MemoryBytes(),
            96U << 20);  // three buffers of 16 MiB while busy, one when idle, and the cache
  EXPECT_GT(store->DiskBytes(), 1U << 20);
}

}  // namespace
}  // namespace detwatch::store
