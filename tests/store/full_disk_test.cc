// A disk without room, on one that is really full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>

#include "tests/store/store_support.h"

namespace detwatch::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string Noise(unsigned seed, std::size_t size) {
  std::mt19937 random(seed);
  std::string noise(size, ' ');
  for (char& byte : noise) {
    byte = static_cast<char>(random());
  }
  return noise;
}

class FullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.problem().empty()) {
      ASSERT_FALSE(MountIsRequired()) << disk_.problem();
      GTEST_SKIP() << disk_.problem();
    }
  }
  // Commits until it fails; the number of the first one that did.
  int CommitUntilFull(Store& store, std::size_t size) {
    for (int i = 0; i < 1000; ++i) {
      store.Put("k" + std::to_string(i), Noise(static_cast<unsigned>(i), size));
      if (const auto committed = store.Commit(); !committed) {
        EXPECT_THAT(committed.error().message,
                    AllOf(StartsWith("the store " + path_ + " cannot be written: "),
                          HasSubstr("No space left on device"), HasSubstr("make room, nothing is lost")));
        EXPECT_EQ(store.trouble(), Trouble::kNoSpace);
        return i;
      }
    }
    ADD_FAILURE() << "never full";
    return 0;
  }
  static void ExpectAll(const Store& store, int n, std::size_t size) {
    for (int i = 0; i < n; ++i) {
      EXPECT_TRUE(store.Get("k" + std::to_string(i)) == Noise(static_cast<unsigned>(i), size)) << i;
    }
  }

  TempFolder folder_;
  SmallDisk disk_{folder_.At("disk"), 96};
  std::string path_ = folder_.At("disk/s");
};

TEST_F(FullDiskTest, AFullDiskLosesNothing) {
  constexpr std::size_t kSize = 100000;
  const auto store = MustOpen(path_);
  PutAndCommit(*store, "first", "1");
  disk_.Fill();
  const int failed = CommitUntilFull(*store, kSize);
  ExpectAll(*store, failed + 1, kSize);
  store->Put("while full", "2");
  store->Delete("first");
  EXPECT_FALSE(store->Commit());
  EXPECT_FALSE(store->Commit());
  EXPECT_EQ(store->Get("while full"), "2");
  // Killed while it is full: what was committed is there.
  CopyFolder(path_, folder_.At("full"));
  EXPECT_EQ(MustOpen(folder_.At("full"))->Get("first"), "1");
  ExpectAll(*MustOpen(folder_.At("full")), failed, kSize);

  disk_.Free();
  MustCommit(*store);  // at once, with all that failed before
  EXPECT_EQ(store->trouble(), Trouble::kNone);
  EXPECT_EQ(store->pending_bytes(), 0U);
  PutAndCommit(*store, "after", "3");
  // Killed afterwards: what was cut off in the log is not in the way of what came behind it.
  CopyFolder(path_, folder_.At("image"));
  const auto image = MustOpen(folder_.At("image"));
  ExpectAll(*image, failed + 1, kSize);
  EXPECT_EQ(image->Get("while full"), "2");
  EXPECT_EQ(image->Get("after"), "3");
  EXPECT_EQ(image->Get("first"), std::nullopt);
}

TEST_F(FullDiskTest, BuffersThatCouldNotBeWrittenToFilesAreWrittenLater) {
  constexpr std::size_t kSize = 1000000;
  const auto store = MustOpen(path_);
  // Without a filler: the disk is filled by buffers of 16 MiB, the files they become, and logs.
  const int failed = CommitUntilFull(*store, kSize);
  EXPECT_GT(failed, 16);
  EXPECT_FALSE(store->Commit());
  std::filesystem::create_directories(folder_.At("larger"));
  CopyFolder(path_, folder_.At("larger/full"));
  ExpectAll(*MustOpen(folder_.At("larger/full")), failed, kSize);
  ExpectAll(*store, failed + 1, kSize);
  disk_.Grow(256);
  MustCommit(*store);
  PutAndCommit(*store, "after", "1");
  CopyFolder(path_, folder_.At("larger/image"));
  ExpectAll(*MustOpen(folder_.At("larger/image")), failed + 1, kSize);
  EXPECT_EQ(MustOpen(folder_.At("larger/image"))->Get("after"), "1");
}

TEST_F(FullDiskTest, ItGoesFullAndFreeAgainAndAgain) {
  constexpr std::size_t kSize = 100000;
  const auto store = MustOpen(path_);
  for (int round = 0; round < 3; ++round) {
    disk_.Fill();
    const int failed = CommitUntilFull(*store, kSize);
    disk_.Free();
    MustCommit(*store);
    ExpectAll(*store, failed + 1, kSize);
    store->DeletePrefix("k");
    MustCommit(*store);
  }
}

TEST_F(FullDiskTest, WhatIsPutAgainWhileItIsFullDoesNotAddUp) {
  const auto store = MustOpen(path_);
  disk_.Fill();
  CommitUntilFull(*store, 100000);
  store->Put("gone", "1");
  const std::size_t before = store->pending_bytes();
  for (int i = 0; i < 100; ++i) {
    store->Put("again", Noise(static_cast<unsigned>(i), 1000000));
    store->Delete("gone");
    ASSERT_FALSE(store->Commit());
    ASSERT_LT(store->pending_bytes(), before + 8'000'000);
  }
  EXPECT_TRUE(store->Get("again") == Noise(99, 1000000));
  disk_.Free();
  MustCommit(*store);
  EXPECT_TRUE(store->Get("again") == Noise(99, 1000000));
  EXPECT_EQ(store->Get("gone"), std::nullopt);
}

TEST_F(FullDiskTest, ANewStoreOnAFullDiskIsRefused) {
  disk_.Fill();
  EXPECT_THAT(WhyNot(path_), AllOf(HasSubstr("No space left on device"), HasSubstr("make room")));
  disk_.Free();
  EXPECT_TRUE(MustOpen(path_)->created());
}

}  // namespace
}  // namespace detwatch::store
