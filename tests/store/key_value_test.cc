// The laws of KeyValue, for what is in memory and for what is on disk.
#include "lib/core/key_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/store_support.h"

namespace detwatch {
namespace {

using store::MustCommit;
using store::PutAndCommit;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class InMemory {
 public:
  KeyValue& kv() { return kv_; }
  void Again() {}

 private:
  MemoryKeyValue kv_;
};

class OnDisk {
 public:
  KeyValue& kv() { return *kv_; }
  // Closes and opens it: what was not committed is gone.
  void Again() {
    kv_.reset();
    kv_ = store::MustOpen(folder_.At("store"));
  }

 private:
  store::TempFolder folder_;
  std::unique_ptr<KeyValue> kv_ = store::MustOpen(folder_.At("store"));
};

template <class T>
class KeyValueTest : public testing::Test {
 protected:
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  KeyValue& kv() { return t_.kv(); }
  Pairs Scan(const std::string& from, const std::string& to) {
    Pairs pairs;
    kv().Scan(from, to, [&](std::string_view key, std::string_view value) {
      pairs.emplace_back(key, value);
      return true;
    });
    return pairs;
  }
  T t_;
};

// A number, as without it: what ctest makes its names of. It shows the type behind the test's name.
struct Names {
  template <class>
  static std::string GetName(int number) {
    return std::to_string(number);
  }
};
using Kinds = testing::Types<InMemory, OnDisk>;
TYPED_TEST_SUITE(KeyValueTest, Kinds, Names);

TYPED_TEST(KeyValueTest, WhatWasPutIsRead) {
  EXPECT_EQ(this->kv().Get("a"), std::nullopt);
  this->kv().Put("a", "1");
  this->kv().Put("empty", "");
  this->kv().Put(std::string("n\0l", 3), std::string("\0\xff", 2));
  EXPECT_EQ(this->kv().Get("a"), "1");
  EXPECT_EQ(this->kv().Get("empty"), "");
  EXPECT_EQ(this->kv().Get(std::string("n\0l", 3)), std::string("\0\xff", 2));
  EXPECT_EQ(this->kv().Get("n"), std::nullopt);
}

TYPED_TEST(KeyValueTest, ReadsSeeWhatWasPutBeforeTheCommit) {
  PutAndCommit(this->kv(), "b", "old");
  PutAndCommit(this->kv(), "d", "old");
  this->kv().Put("a", "1");
  this->kv().Put("b", "2");
  this->kv().Put("b", "3");
  this->kv().Delete("d");
  this->kv().Delete("never");
  EXPECT_EQ(this->kv().Get("b"), "3");
  EXPECT_EQ(this->kv().Get("d"), std::nullopt);
  EXPECT_THAT(this->Scan("a", "z"), ElementsAre(Pair("a", "1"), Pair("b", "3")));
  this->kv().Put("d", "again");
  EXPECT_EQ(this->kv().Get("d"), "again");
  MustCommit(this->kv());
  EXPECT_THAT(this->Scan("a", "z"), ElementsAre(Pair("a", "1"), Pair("b", "3"), Pair("d", "again")));
}

TYPED_TEST(KeyValueTest, AScanIsAscendingAndEndsBeforeItsEnd) {
  for (const std::string key : {"c", "a", "bb", "b", "\xff", "d"}) {
    this->kv().Put(key, key);
    MustCommit(this->kv());
  }
  EXPECT_THAT(this->Scan("a", "c"), ElementsAre(Pair("a", "a"), Pair("b", "b"), Pair("bb", "bb")));
  EXPECT_THAT(this->Scan("ab", "bb"), ElementsAre(Pair("b", "b")));
  EXPECT_THAT(this->Scan("d", std::string("\xff\xff")), ElementsAre(Pair("d", "d"), Pair("\xff", "\xff")));
  EXPECT_THAT(this->Scan("c", "c"), IsEmpty());
  EXPECT_THAT(this->Scan("d", "a"), IsEmpty());
}

TYPED_TEST(KeyValueTest, AScanStopsWhenItIsTold) {
  this->kv().Put("a", "");
  MustCommit(this->kv());
  this->kv().Put("b", "");
  std::string seen;
  this->kv().Scan("a", "z", [&](std::string_view key, std::string_view) {
    seen += key;
    return false;
  });
  EXPECT_EQ(seen, "a");
}

TYPED_TEST(KeyValueTest, APrefixIsScannedAndDeletedWhole) {
  for (const std::string key : {"G", "Ga", "Gz\xff", "H"}) {
    PutAndCommit(this->kv(), key, "v");
  }
  this->kv().Put("Gb", "v");
  std::string seen;
  this->kv().ScanPrefix("G", [&](std::string_view key, std::string_view) {
    seen += std::string(key) + " ";
    return true;
  });
  EXPECT_EQ(seen, "G Ga Gb Gz\xff ");
  this->kv().DeletePrefix("G");
  EXPECT_THAT(this->Scan("A", "Z"), ElementsAre(Pair("H", "v")));
}

TYPED_TEST(KeyValueTest, PendingBytesAreGoneAfterTheCommit) {
  EXPECT_EQ(this->kv().pending_bytes(), 0U);
  this->kv().Put("a", std::string(1000, 'x'));
  MustCommit(this->kv());
  EXPECT_EQ(this->kv().pending_bytes(), 0U);
  MustCommit(this->kv());  // of nothing
}

// A frame's keys share 17 bytes; scans within them go another way than all others.
TYPED_TEST(KeyValueTest, ManyRandomOperationsAreThoseOfAMap) {
  std::mt19937 random(1);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  // Few letters and lengths, so that keys meet, around the 17 bytes and with carries at 0xff.
  const auto key = [&] {
    const std::string_view letters("F\xff\xfe\0a", 5);
    const unsigned length = below(3) == 0 ? below(4) : 15 + below(5);
    std::string text = "F";
    for (unsigned i = 0; i < length; ++i) {
      text += i == 15 || i + 1 == length ? letters[below(5)] : letters[1];
    }
    return text;
  };
  std::map<std::string, std::string> model;
  for (int i = 0; i < 6000; ++i) {
    const std::string one = key();
    switch (below(8)) {
      case 0:
      case 1:
      case 2: {
        const std::string value = std::to_string(i) + std::string(below(3000), 'v');
        this->kv().Put(one, value);
        model[one] = value;
        break;
      }
      case 3:
        this->kv().Delete(one);
        model.erase(one);
        break;
      case 4:
        EXPECT_EQ(this->kv().Get(one), model.contains(one) ? std::optional(model[one]) : std::nullopt);
        break;
      case 5:
      case 6: {
        const std::string from = below(2) == 0 ? one.substr(0, std::min<std::size_t>(one.size(), 17)) : one;
        const std::string to = below(2) == 0 ? AfterPrefix(from) : key();
        const auto end = from < to ? model.lower_bound(to) : model.lower_bound(from);
        ASSERT_EQ(this->Scan(from, to), typename TestFixture::Pairs(model.lower_bound(from), end));
        break;
      }
      default:
        if (below(20) != 0) {
          break;
        }
        MustCommit(this->kv());
        if (below(4) == 0) {
          this->t_.Again();
        }
    }
  }
  MustCommit(this->kv());
  EXPECT_EQ(this->Scan("A", "Z"), typename TestFixture::Pairs(model.begin(), model.end()));
  EXPECT_GT(model.size(), 20U);
}

}  // namespace
}  // namespace detwatch
