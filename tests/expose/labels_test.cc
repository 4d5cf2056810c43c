#include "lib/expose/labels.h"

#include <gtest/gtest.h>

#include <charconv>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

#include "lib/core/evaluation.h"

namespace detwatch::expose {
namespace {

std::string Text(double value) {
  std::string out;
  AppendNumber(out, value);
  return out;
}

TEST(LabelSetTest, QuoteBackslashAndLineBreakAreEscapedInTextOnly) {
  LabelSet labels("class", "a\"b\\c\nd");
  labels.Add("iou", "0.50");
  EXPECT_EQ(labels.text(), R"(class="a\"b\\c\nd",iou="0.50")");
  EXPECT_EQ(labels.pairs().front().value, "a\"b\\c\nd");
}

TEST(LabelSetTest, WithLeavesTheOriginalAlone) {
  const LabelSet base("view", "default");
  EXPECT_EQ(base.With("window", "5m").text(), R"(view="default",window="5m")");
  EXPECT_EQ(base.text(), R"(view="default")");
}

TEST(NumberTextTest, WholeNumbersHaveNoExponent) {
  EXPECT_EQ(Text(0), "0");
  EXPECT_EQ(Text(1000000), "1000000");
  EXPECT_EQ(Text(-3), "-3");
  EXPECT_EQ(Text(9007199254740991), "9007199254740991");
}

TEST(NumberTextTest, EveryValueReadsBackAsItself) {
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5, 1763800000.25, 9.1e17}) {
    const std::string text = Text(value);
    double back = 0;
    std::from_chars(text.data(), text.data() + text.size(), back);
    EXPECT_EQ(back, value) << text;
  }
  EXPECT_EQ(Text(0.1), "0.1");
  EXPECT_EQ(Text(std::numeric_limits<double>::infinity()), "+Inf");
}

// Decimal comma and grouped thousands, as in many countries.
class Continental : public std::numpunct<char> {
  [[nodiscard]] char do_decimal_point() const override { return ','; }
  [[nodiscard]] char do_thousands_sep() const override { return '.'; }
  [[nodiscard]] std::string do_grouping() const override { return "\3"; }
};

TEST(NumberTextTest, TheLocaleHasNoSay) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Continental));
  std::ostringstream stream;
  stream << 1234.5;
  EXPECT_EQ(stream.str(), "1.234,5") << "the locale is not in force";
  EXPECT_EQ(Text(1234.5), "1234.5");
  EXPECT_EQ(IouText(0.5), "0.50");
  std::locale::global(before);
}

TEST(LabelTextTest, ThresholdsHaveTwoDecimals) {
  const auto thresholds = CocoIouThresholds();
  EXPECT_EQ(IouText(thresholds[0]), "0.50");
  EXPECT_EQ(IouText(thresholds[8]), "0.90");
  EXPECT_EQ(IouRangeText(thresholds), "0.50:0.95");
}

TEST(LabelTextTest, ConfidencesAreTheShortestDecimalOfTheirFloat) {
  EXPECT_EQ(ConfidenceText(0.5F), "0.5");
  EXPECT_EQ(ConfidenceText(0.05F), "0.05");
  EXPECT_EQ(ConfidenceText(0.1F), "0.1");
  EXPECT_EQ(ConfidenceText(1.0F), "1");
}

TEST(LabelTextTest, NoTruncationIsUnlimited) {
  EXPECT_EQ(MaxDetsText(100), "100");
  EXPECT_EQ(MaxDetsText(std::numeric_limits<std::uint32_t>::max()), "unlimited");
}

}  // namespace
}  // namespace detwatch::expose
