// A torn write-ahead log and a damaged one, told apart.
#include "lib/store/log_tail.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/store/store_support.h"

namespace detwatch::store {
namespace {

// The log of a store with one commit for each of these sizes; incompressible, and not flushed.
std::string LogOf(const std::vector<std::size_t>& sizes) {
  const TempFolder folder;
  const auto store = MustOpen(folder.At("s"));
  std::mt19937 random(1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::string value(sizes[i], ' ');
    for (char& byte : value) {
      byte = static_cast<char>(random());
    }
    PutAndCommit(*store, "k" + std::to_string(i), value);
  }
  return ReadFile(FilesOf(folder.At("s"), ".log").back());
}

std::string Flip(std::string log, std::size_t at) {
  log[at] = static_cast<char>(log[at] ^ 0x10);
  return log;
}

TEST(LogTailTest, ALogAsWrittenIsWhole) {
  EXPECT_EQ(StateOf(""), LogState::kWhole);
  EXPECT_EQ(StateOf(LogOf({10, 20, 70000, 5})), LogState::kWhole);
  // A block that ends with too few bytes for another header.
  for (std::size_t size = 32600; size < 32768; ++size) {
    ASSERT_EQ(StateOf(LogOf({size, 10})), LogState::kWhole) << size;
    size += 12;
  }
}

TEST(LogTailTest, AnyLengthOfALogIsWholeOrCutOff) {
  const std::string log = LogOf({10, 300, 20});
  int whole = 0;
  for (std::size_t length = 0; length <= log.size(); ++length) {
    const LogState state = StateOf(std::string_view(log).substr(0, length));
    ASSERT_TRUE(state == LogState::kWhole || state == LogState::kCutOff) << length;
    whole += state == LogState::kWhole ? 1 : 0;
  }
  EXPECT_EQ(whole, 5);  // empty, and behind each of four records: the format and three
}

TEST(LogTailTest, AnyFlippedBitBeforeTheLastRecordIsDamage) {
  const std::string log = LogOf({10, 300, 20});
  const std::size_t last = LogOf({10, 300}).size();
  for (std::size_t at = 0; at < last; ++at) {
    ASSERT_EQ(StateOf(Flip(log, at)), LogState::kDamaged) << at;
  }
}

TEST(LogTailTest, AFlippedBitInTheLastRecordIsATornOne) {
  const std::string log = LogOf({10, 300, 20});
  for (std::size_t at = LogOf({10, 300}).size(); at < log.size(); ++at) {
    const LogState state = StateOf(Flip(log, at));
    ASSERT_TRUE(state == LogState::kTorn || state == LogState::kCutOff) << at;
  }
}

TEST(LogTailTest, PagesOfTheLastRecordThatWereNotWrittenAreTorn) {
  const std::string log = LogOf({10, 100000});
  for (const std::size_t page : {4096U, 32768U, 40960U, 65536U, 90112U}) {
    std::string torn = log;
    torn.replace(page, 4096, 4096, '\0');
    EXPECT_EQ(StateOf(torn), LogState::kTorn) << page;
  }
  // The same in the middle of the log.
  std::string damaged = LogOf({10, 100000, 10});
  damaged.replace(40960, 4096, 4096, '\0');
  EXPECT_EQ(StateOf(damaged), LogState::kDamaged);
}

TEST(LogTailTest, SpaceThatWasReservedBehindTheEndIsNotDamage) {
  const std::string log = LogOf({10, 300});
  EXPECT_EQ(StateOf(log + std::string(100000, '\0')), LogState::kCutOff);
}

}  // namespace
}  // namespace detwatch::store
