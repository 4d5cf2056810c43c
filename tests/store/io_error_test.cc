// Writes that fail for another reason than a full disk: here, because the process may not write files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>

#include "tests/store/store_support.h"

namespace detwatch::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// While it lives, no file of this process can have a byte written; the error is "File too large".
class NoWrites {
 public:
  NoWrites() {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoWrites() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoWrites(const NoWrites&) = delete;
  NoWrites& operator=(const NoWrites&) = delete;

 private:
  void (*handler_)(int) = nullptr;
  rlimit before_{};
};

TEST(IoErrorTest, AStoreThatCannotBeWrittenIsStillReadAndGoesOnLater) {
  const TempFolder folder;
  const auto store = MustOpen(folder.At("s"));
  for (int i = 0; i < 1000; ++i) {
    store->Put("k" + std::to_string(i), std::string(1000, 'v'));
  }
  MustCommit(*store);
  store->Put("late", "1");
  store->Delete("k0");
  std::string failure, late, old;
  Trouble trouble = Trouble::kNone;
  std::size_t seen = 0;
  {
    const NoWrites none;  // gtest itself may be writing to a file: nothing is expected in here
    for (int i = 0; i < 3; ++i) {
      const auto committed = store->Commit();
      failure = committed ? "" : committed.error().message;
    }
    trouble = store->trouble();
    late = store->Get("late").value_or("");
    old = store->Get("k999").value_or("");
    store->ScanPrefix("k", [&](std::string_view, std::string_view) { return ++seen > 0; });
  }
  EXPECT_THAT(failure, AllOf(HasSubstr("cannot be written: "), HasSubstr("File too large"),
                             HasSubstr("; check the disk, nothing is lost and it is tried again")));
  EXPECT_EQ(trouble, Trouble::kOther);
  EXPECT_EQ(late, "1");
  EXPECT_EQ(old, std::string(1000, 'v'));
  EXPECT_EQ(seen, 999U);

  MustCommit(*store);
  EXPECT_EQ(store->trouble(), Trouble::kNone);
  PutAndCommit(*store, "after", "2");
  CopyFolder(folder.At("s"), folder.At("image"));
  const auto image = MustOpen(folder.At("image"));
  EXPECT_EQ(image->Get("late"), "1");
  EXPECT_EQ(image->Get("k0"), std::nullopt);
  EXPECT_EQ(image->Get("k1"), std::string(1000, 'v'));
  EXPECT_EQ(image->Get("after"), "2");
}

}  // namespace
}  // namespace detwatch::store
