#include "lib/wire/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace detwatch::wire {
namespace {

// A slow, obvious reading of RFC 3629: decode the number, then ask whether it was written in the shortest
// way and may be written at all.
bool OracleIsPlainText(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
    std::size_t length = 1;
    std::uint32_t code = lead;
    if (lead >= 0xF8 || (lead >= 0x80 && lead < 0xC0)) {
      return false;
    }
    if (lead >= 0xF0) {
      length = 4;
      code = lead - 0xF0;
    } else if (lead >= 0xE0) {
      length = 3;
      code = lead - 0xE0;
    } else if (lead >= 0xC0) {
      length = 2;
      code = lead - 0xC0;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if (i + k >= text.size()) {
        return false;
      }
      const auto next = static_cast<std::uint32_t>(static_cast<unsigned char>(text[i + k]));
      if (next < 0x80 || next > 0xBF) {
        return false;
      }
      code = code * 64 + (next - 0x80);
    }
    constexpr std::uint32_t kShortest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    if (code < kShortest[length] || code > 0x10FFFF || surrogate || control) {
      return false;
    }
    i += length;
  }
  return true;
}

TEST(TextTest, WordsOfManyScriptsArePlainText) {
  EXPECT_TRUE(IsPlainText(""));
  EXPECT_TRUE(IsPlainText("camera 7 / line A ~"));
  EXPECT_TRUE(
      IsPlainText("Stra\xC3\x9F"
                  "e"));
  EXPECT_TRUE(IsPlainText("\xE7\x9B\xB8\xE6\xA9\x9F"));  // two CJK characters
  EXPECT_TRUE(IsPlainText("ok \xF0\x9F\x93\xB7"));       // an emoji
}

TEST(TextTest, OverlongFormsSurrogatesAndControlsAreNot) {
  EXPECT_FALSE(IsPlainText("\xC0\xAF"));              // '/' in two bytes
  EXPECT_FALSE(IsPlainText("\xC1\xBF"));              // the last overlong two-byte form
  EXPECT_FALSE(IsPlainText("\xE0\x9F\xBF"));          // overlong in three
  EXPECT_FALSE(IsPlainText("\xF0\x8F\xBF\xBF"));      // overlong in four
  EXPECT_FALSE(IsPlainText("\xED\xA0\x80"));          // a surrogate
  EXPECT_FALSE(IsPlainText("\xF4\x90\x80\x80"));      // beyond U+10FFFF
  EXPECT_FALSE(IsPlainText("abc\xE2\x82"));           // cut short
  EXPECT_FALSE(IsPlainText("\x80"));                  // no lead
  EXPECT_FALSE(IsPlainText("tab\there"));             // C0
  EXPECT_FALSE(IsPlainText("12345678\x7F"));          // DEL
  EXPECT_FALSE(IsPlainText("\xC2\x85"));              // C1: next line
  EXPECT_FALSE(IsPlainText(std::string("a\0b", 3)));  // NUL
}

TEST(TextTest, EveryShortByteSequenceAgreesWithTheOracle) {
  // All one- and two-byte texts, and all three- and four-byte ones over the bytes where rules change.
  const unsigned char edges[] = {0x00, 0x1F, 0x20, 0x7E, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
                                 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  const auto check = [](const std::string& text) {
    ASSERT_EQ(IsPlainText(text), OracleIsPlainText(text)) << ::testing::PrintToString(text);
    // Once more where the eight-byte steps see it.
    const std::string padded = "01234567" + text + "01234567";
    ASSERT_EQ(IsPlainText(padded), OracleIsPlainText(padded)) << ::testing::PrintToString(text);
  };
  for (int a = 0; a < 256; ++a) {
    check(std::string{static_cast<char>(a)});
    for (int b = 0; b < 256; ++b) {
      check(std::string{static_cast<char>(a), static_cast<char>(b)});
    }
  }
  for (const auto a : edges) {
    for (const auto b : edges) {
      for (const auto c : edges) {
        check(std::string{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
        for (const auto d : edges) {
          check(std::string{static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                            static_cast<char>(d)});
        }
      }
    }
  }
}

TEST(TextTest, PrintableIsShortAsciiInQuotes) {
  EXPECT_EQ(Printable("abc"), "\"abc\"");
  EXPECT_EQ(Printable("a\"b\\c\n\x1b[31m"), "\"a?b?c??[31m\"");
  EXPECT_EQ(Printable(std::string(200, 'x')), "\"" + std::string(40, 'x') + "\"...");
}

TEST(TextTest, NumbersAreShownTheShortestWayWithoutTheLocale) {
  EXPECT_EQ(Show(0.1), "0.1");
  EXPECT_EQ(Show(-2.5), "-2.5");
  EXPECT_EQ(Show(std::nan("")), "nan");
  EXPECT_EQ(Show(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(TextTest, CheckStringNamesTheFieldAndShowsTheText) {
  EXPECT_FALSE(CheckString("model", std::string(kMaxStringBytes, 'm')));
  const auto longer = CheckString("model", std::string(kMaxStringBytes + 1, 'm'));
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->reason, RejectReason::kStringTooLong);
  EXPECT_NE(longer->detail.find("model: 129 bytes"), std::string::npos) << longer->detail;
  const auto invalid = CheckString("frame.stream", "a\nb");
  ASSERT_TRUE(invalid);
  EXPECT_EQ(invalid->reason, RejectReason::kStringInvalid);
  EXPECT_NE(invalid->detail.find("frame.stream"), std::string::npos);
  EXPECT_NE(invalid->detail.find("\"a?b\""), std::string::npos) << invalid->detail;
}

}  // namespace
}  // namespace detwatch::wire
