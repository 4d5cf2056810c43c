#include "lib/core/bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace detwatch {
namespace {

std::vector<std::uint64_t> Numbers() {
  std::vector<std::uint64_t> numbers = {0, std::numeric_limits<std::uint64_t>::max()};
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    numbers.insert(numbers.end(), {power - 1, power, power + 1});
  }
  return numbers;
}

TEST(BytesTest, EveryNumberIsReadAsItWasWritten) {
  std::string bytes;
  for (const std::uint64_t n : Numbers()) {
    AppendVarint(bytes, n);
    AppendSigned(bytes, static_cast<std::int64_t>(n));
    AppendFixed32(bytes, static_cast<std::uint32_t>(n));
    AppendFixed64(bytes, n);
  }
  ByteReader in(bytes);
  for (const std::uint64_t n : Numbers()) {
    EXPECT_EQ(in.Varint(), n);
    EXPECT_EQ(in.Signed(), static_cast<std::int64_t>(n));
    EXPECT_EQ(in.Fixed32(), static_cast<std::uint32_t>(n));
    EXPECT_EQ(in.Fixed64(), n);
  }
  EXPECT_TRUE(in.AtEnd());
}

TEST(BytesTest, DoublesAndTextsAreReadAsTheyWereWritten) {
  const std::string text("a\0\xff", 3);
  std::string bytes;
  AppendDouble(bytes, -0.0);
  AppendText(bytes, text);
  AppendText(bytes, "");
  AppendDouble(bytes, std::numeric_limits<double>::denorm_min());
  ByteReader in(bytes);
  EXPECT_TRUE(std::signbit(in.Double()));
  EXPECT_EQ(in.Text(), text);
  EXPECT_EQ(in.Text(), "");
  EXPECT_EQ(in.Double(), std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(in.AtEnd());
}

TEST(BytesTest, TheFormIsFrozen) {
  std::string bytes;
  AppendVarint(bytes, 300);
  AppendSigned(bytes, -2);
  AppendFixed32(bytes, 0x01020304);
  AppendText(bytes, "ab");
  EXPECT_EQ(bytes,
            "\xac\x02\x03\x01\x02\x03\x04\x02"
            "ab");
}

TEST(BytesTest, FixedNumbersSortAsTheyAre) {
  std::vector<std::uint64_t> numbers = Numbers();
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> keys;
  for (const std::uint64_t n : numbers) {
    AppendFixed64(keys.emplace_back(), n);
  }
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
}

TEST(BytesTest, WhatIsCutShortIsToldAndGivesZerosFromThenOn) {
  std::string bytes;
  AppendVarint(bytes, 1'000'000);
  AppendFixed64(bytes, UINT64_MAX);
  AppendText(bytes, "text");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ByteReader in(std::string_view(bytes).substr(0, length));
    const std::uint64_t first = in.Varint();
    const std::uint64_t second = in.Fixed64();
    const std::string_view third = in.Text();
    EXPECT_FALSE(in.ok()) << length;
    EXPECT_FALSE(in.AtEnd());
    EXPECT_TRUE(first == 1'000'000 || first == 0);
    EXPECT_TRUE(second == UINT64_MAX || second == 0);
    EXPECT_TRUE(third.empty());
    EXPECT_EQ(in.Byte(), 0);
    EXPECT_EQ(in.Varint(), 0U);
    EXPECT_EQ(in.Raw(0), "");
    EXPECT_FALSE(in.ok());
  }
}

TEST(BytesTest, ALengthBeyondTheEndIsRefused) {
  std::string bytes;
  AppendVarint(bytes, UINT64_MAX);
  bytes += "abc";
  ByteReader in(bytes);
  EXPECT_EQ(in.Text(), "");
  EXPECT_FALSE(in.ok());
}

TEST(BytesTest, ANumberOfMoreThan64BitsIsRefused) {
  ByteReader most(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10));
  EXPECT_EQ(most.Varint(), UINT64_MAX);
  EXPECT_TRUE(most.AtEnd());
  ByteReader more(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  EXPECT_EQ(more.Varint(), 0U);
  EXPECT_FALSE(more.ok());
  ByteReader longer(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11));
  EXPECT_EQ(longer.Varint(), 0U);
  EXPECT_FALSE(longer.ok());
}

TEST(BytesTest, RandomBytesNeverLeadBeyondTheEnd) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) {
      c = static_cast<char>(random());
    }
    ByteReader in(bytes);
    while (in.ok() && in.left() > 0) {
      switch (random() % 5) {
        case 0:
          (void)in.Varint();
          break;
        case 1:
          (void)in.Signed();
          break;
        case 2:
          (void)in.Text();
          break;
        case 3:
          (void)in.Fixed64();
          break;
        default:
          (void)in.Byte();
      }
      ASSERT_LE(in.left(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace detwatch
