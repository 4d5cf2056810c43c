// What happens to a store whose files are not what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/store/store_support.h"

namespace detwatch::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

// The key numbered i, and its incompressible value.
std::string Key(int i) {
  return "F" + std::to_string(100000 + i) + "-sixteen-bytes";
}
std::string Value(int i) {
  std::string value(2000, ' ');
  unsigned state = static_cast<unsigned>(i) * 2654435761U + 1;
  for (char& byte : value) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return value;
}

class DamageTest : public testing::Test {
 protected:
  // Frames [0, n) in tables, and three small commits that are only in the log.
  void Make(int n) {
    const auto first = MustOpen(Options{.path = folder_.At("first"), .fsync = false});
    for (int i = 0; i < n; ++i) {
      first->Put(Key(i), Value(i));
      if (i % 100 == 99) {
        MustCommit(*first);
      }
    }
    MustCommit(*first);
    CopyFolder(folder_.At("first"), folder_.At("second"));
    const auto second = MustOpen(folder_.At("second"));  // makes a table of the log
    for (const std::string key : {"a", "b", "c"}) {
      PutAndCommit(*second, key, key);
    }
    CopyFolder(folder_.At("second"), path_);
  }
  [[nodiscard]] fs::path Log() const { return FilesOf(path_, ".log").back(); }
  [[nodiscard]] int FramesLeft(const Store& store, int n) const {
    int left = 0;
    for (int i = 0; i < n; ++i) {
      left += store.Get(Key(i)) == Value(i) ? 1 : 0;
    }
    return left;
  }
  void ExpectRefusedUnchanged() {
    const std::string before = Contents(path_);
    EXPECT_THAT(WhyNot(path_),
                AllOf(StartsWith("the store " + path_ + " is damaged: "),
                      EndsWith("; try detwatch serve --storage.repair, or move the folder away and start "
                               "fresh; nothing was changed")));
    EXPECT_TRUE(Contents(path_) == before);
  }

  TempFolder folder_;
  std::string path_ = folder_.At("s");
};

TEST_F(DamageTest, DamageIsRefusedAndChangesNothing) {
  Make(100);
  for (const std::string gone : {"CURRENT", "DETWATCH", "MANIFEST", ".sst"}) {
    const std::string image = path_;
    path_ = folder_.At("without" + gone);
    CopyFolder(image, path_);
    fs::remove(FilesOf(path_, gone).front());
    SCOPED_TRACE(gone);
    ExpectRefusedUnchanged();
    path_ = image;
  }
}

TEST_F(DamageTest, AStoreThatLostEverythingButItsMarkerIsNotAnEmptyOne) {
  Make(1);
  for (const fs::path& file : FilesOf(path_, "")) {
    if (file.filename() != "DETWATCH" && file.filename() != "detwatch.lock") {
      fs::remove(file);
    }
  }
  ExpectRefusedUnchanged();
}

TEST_F(DamageTest, GarbageInTheManifestIsRefused) {
  Make(100);
  const fs::path manifest = FilesOf(path_, "MANIFEST").back();
  std::string bytes = ReadFile(manifest);
  bytes.replace(bytes.size() / 2, 20, "this is not a record");
  WriteFile(manifest, bytes);
  ExpectRefusedUnchanged();
  WriteFile(FilesOf(path_, "CURRENT").back(), "garbage\n");
  ExpectRefusedUnchanged();
}

TEST_F(DamageTest, ATableThatIsTooShortIsRefused) {
  Make(100);
  const fs::path table = FilesOf(path_, ".sst").front();
  fs::resize_file(table, fs::file_size(table) / 2);
  ExpectRefusedUnchanged();
}

TEST_F(DamageTest, AFlippedBitInATableIsFoundByTheRead) {
  Make(1000);
  const fs::path table = FilesOf(path_, ".sst").front();
  std::string bytes = ReadFile(table);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFile(table, bytes);
  const auto store = MustOpen(path_);
  int seen = 0;
  try {
    store->ScanPrefix("F", [&](std::string_view, std::string_view) { return ++seen > 0; });
    ADD_FAILURE() << "read " << seen;
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(StartsWith("the store " + path_ + " is damaged: "),
                                    HasSubstr("try detwatch serve --storage.repair")));
  }
  EXPECT_GT(seen, 0);
  EXPECT_LT(seen, 1000);
  int failed = 0;
  for (int i = 0; i < 1000; ++i) {
    try {
      ASSERT_EQ(store->Get(Key(i)), Value(i));
    } catch (const std::runtime_error&) {
      ++failed;
    }
  }
  EXPECT_GT(failed, 0);
  EXPECT_LT(failed, 10);
}

TEST_F(DamageTest, AFlippedBitInTheMiddleOfTheLogIsRefused) {
  Make(1);
  const std::string log = ReadFile(Log());
  // In what a, b and c were put by, but not in c's.
  for (std::size_t at = 0; at + 1 < log.size() * 2 / 3; at += 5) {
    std::string flipped = log;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x40);
    WriteFile(Log(), flipped);
    SCOPED_TRACE(at);
    ExpectRefusedUnchanged();
  }
}

TEST_F(DamageTest, ATornLastRecordIsLeftOut) {
  Make(1);
  const std::string log = ReadFile(Log());
  // Cut off; overwritten in part, as by a disk that wrote its pages in another order.
  std::string torn = log;
  torn.replace(log.size() - 4, 4, 4, '\0');
  for (const std::string& tail : {log.substr(0, log.size() - 3), torn}) {
    const std::string image = folder_.At("torn" + std::to_string(tail.size()));
    CopyFolder(path_, image);
    WriteFile(FilesOf(image, ".log").back(), tail);
    const auto store = MustOpen(image);
    EXPECT_EQ(store->Get("b"), "b");
    EXPECT_EQ(store->Get("c"), std::nullopt);
    EXPECT_EQ(store->Get(Key(0)), Value(0));
    PutAndCommit(*store, "d", "d");
  }
  for (const std::size_t size : {log.size(), log.size() - 3}) {
    EXPECT_EQ(MustOpen(folder_.At("torn" + std::to_string(size)))->Get("d"), "d");
  }
}

TEST_F(DamageTest, RepairKeepsAStoreThatIsWhole) {
  Make(100);
  const auto said = Store::Repair(path_);
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(*said, AllOf(HasSubstr("kept 103 keys"), HasSubstr("no file was lost")));
  EXPECT_EQ(FramesLeft(*MustOpen(path_), 100), 100);
}

TEST_F(DamageTest, RepairDoesWithoutCurrentAndManifest) {
  Make(100);
  fs::remove(path_ + "/CURRENT");
  fs::remove(FilesOf(path_, "MANIFEST").back());
  const auto said = Store::Repair(path_);
  ASSERT_TRUE(said) << said.error().message;
  const auto store = MustOpen(path_);
  EXPECT_FALSE(store->created());
  EXPECT_EQ(FramesLeft(*store, 100), 100);
  EXPECT_EQ(store->Get("c"), "c");
}

TEST_F(DamageTest, RepairKeepsWhatTheBrokenRecordOfALogLeaves) {
  Make(100);
  std::string log = ReadFile(Log());
  log[log.size() / 2] = static_cast<char>(log[log.size() / 2] ^ 1);  // in b's
  WriteFile(Log(), log);
  ExpectRefusedUnchanged();
  ASSERT_TRUE(Store::Repair(path_));
  const auto store = MustOpen(path_);
  EXPECT_EQ(FramesLeft(*store, 100), 100);
  EXPECT_EQ(store->Get("a"), "a");
  EXPECT_EQ(store->Get("b"), std::nullopt);
}

TEST_F(DamageTest, RepairKeepsTheTablesThatCanBeRead) {
  Make(10000);  // more than one write buffer
  const auto tables = FilesOf(path_, ".sst");
  ASSERT_GT(tables.size(), 1U);
  fs::resize_file(tables.back(), fs::file_size(tables.back()) / 2);
  ExpectRefusedUnchanged();
  const auto said = Store::Repair(path_);
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(*said, AllOf(HasSubstr("1 file could not be read and is in " + path_ + "/lost"),
                           HasSubstr("Counts may be lower than they were")));
  const auto store = MustOpen(path_);
  EXPECT_GT(FramesLeft(*store, 10000), 1000);
  EXPECT_LT(FramesLeft(*store, 10000), 10000);
  EXPECT_EQ(store->Get("c"), "c");
}

TEST_F(DamageTest, RepairFindsWhatAReadFound) {
  Make(1000);
  const fs::path table = FilesOf(path_, ".sst").front();
  std::string bytes = ReadFile(table);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFile(table, bytes);
  ASSERT_TRUE(Store::Repair(path_));
  const auto store = MustOpen(path_);
  std::vector<std::string> read;
  store->Scan("a", "z", [&](std::string_view key, std::string_view) {
    read.emplace_back(key);
    return true;
  });
  EXPECT_THAT(read, ElementsAre("a", "b", "c"));
  EXPECT_LT(FramesLeft(*store, 1000), 1000);  // does not throw
}

}  // namespace
}  // namespace detwatch::store
