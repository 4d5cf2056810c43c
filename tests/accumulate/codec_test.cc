// The stored forms: same value back, golden files of every version for ever, and no bytes that hurt.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "lib/accumulate/histogram.h"
#include "lib/accumulate/ring.h"
#include "lib/core/bytes.h"
#include "tests/accumulate/accumulate_support.h"

namespace detwatch::accumulate {
namespace {

// What the golden files hold. Must never change.
std::vector<Judged> GoldenFrames(const EvaluationParams& params) {
  Random random(20261122);
  std::vector<Judged> frames;
  for (int i = 0; i < 12; ++i) {
    frames.push_back(RandomJudged(random, params));
  }
  return frames;
}

Histogram GoldenHistogram() {
  const EvaluationParams params = ParamsWithPoints();
  Histogram histogram = HistogramOf(Shape::Coarse(params), params, GoldenFrames(params));
  histogram.AddTally(histogram.shape().Frames(), -40);  // corrections make tallies negative
  return histogram;
}

Ring GoldenRing() {
  const std::vector<RingRecord> records = RecordsOf(GoldenFrames(ParamsWithPoints()), (Ordinal{1} << 40) + 5);
  Ring ring(40);
  ring.Append(records);
  return ring;
}

// With DETWATCH_WRITE_GOLDEN set, a file that does not exist yet is written; one that exists is never
// changed.
std::string Golden(const std::string& name, const std::string& bytes_if_new) {
  const std::string path = std::string(DETWATCH_TESTS_DIR) + "/accumulate/golden/" + name;
  std::ifstream in(path, std::ios::binary);
  if (!in && std::getenv("DETWATCH_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << bytes_if_new;
    in.open(path, std::ios::binary);
  }
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<RingRecord> All(const Ring& ring) {
  std::vector<RingRecord> out;
  ring.CopyFrom(0, out);
  return out;
}

TEST(HistogramCodecTest, SerialisedFormIsTheSameValue) {
  Random random(31);
  const EvaluationParams params = ParamsWithPoints();
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Judged> frames;
    for (std::uint64_t i = random.Below(30); i > 0; --i) {
      frames.push_back(RandomJudged(random, params));
    }
    Histogram histogram =
        HistogramOf(trial % 2 == 0 ? Shape::Fine(params) : Shape::Coarse(params), params, frames);
    if (trial % 3 == 0) {
      Histogram negative(histogram.shape());
      negative.Subtract(histogram);
      histogram = negative;
    }
    const auto parsed = Histogram::Parse(histogram.Serialise());
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    ASSERT_EQ(*parsed, histogram);
    ASSERT_EQ(parsed->Serialise(), histogram.Serialise());
  }
}

TEST(HistogramCodecTest, ExtremeCountsAndAnEmptyShapeSurvive) {
  Histogram histogram(Shape::Fine(EvaluationParams::Coco()));
  histogram.AddTally(0, std::numeric_limits<std::int64_t>::max());
  histogram.AddTally(1, std::numeric_limits<std::int64_t>::min());
  histogram.AddTally(histogram.shape().tallies() - 1, -1);
  const auto parsed = Histogram::Parse(histogram.Serialise());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, histogram);
  const auto empty = Histogram::Parse(Histogram().Serialise());
  ASSERT_TRUE(empty.has_value());
  EXPECT_EQ(*empty, Histogram());
}

TEST(HistogramCodecTest, AnEmptyHistogramIsAFewBytes) {
  EXPECT_LT(Histogram(Shape::Fine(EvaluationParams::Coco())).Serialise().size(), 16U);
}

TEST(HistogramCodecTest, VersionTwoOfTheGoldenFileParsesForEver) {
  const Histogram expected = GoldenHistogram();
  const std::string bytes = Golden("histogram_v2.bin", expected.Serialise());
  const auto parsed = Histogram::Parse(bytes);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(*parsed, expected);
}

TEST(HistogramCodecTest, EveryTruncationIsAnError) {
  const std::string bytes = GoldenHistogram().Serialise();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(Histogram::Parse(bytes.substr(0, n)).has_value()) << n;
  }
  EXPECT_FALSE(Histogram::Parse(bytes + '\0').has_value());
}

TEST(HistogramCodecTest, ErrorsNameWhatIsWrong) {
  std::string bytes = GoldenHistogram().Serialise();
  const auto message = [](const std::string& text) {
    const auto parsed = Histogram::Parse(text);
    return parsed.has_value() ? std::string("no error") : parsed.error().message;
  };
  const auto with = [&](std::size_t at, int value) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(value);
    return changed;
  };
  EXPECT_EQ(message(""), "histogram: shape is cut short");
  EXPECT_EQ(message(with(0, 3)), "histogram: version 3 is unknown");
  EXPECT_EQ(message(with(0, 1)), "histogram: version 1 has no sums of scores and cannot be read any more");
  EXPECT_EQ(message(with(1, 17)), "histogram: shape is out of range");
  EXPECT_EQ(message(with(2, 5)), "histogram: shape is out of range");
  EXPECT_EQ(message(with(5, 10)), "histogram: shape is out of range");
  EXPECT_EQ(message(with(6, 0)), "histogram: layout is unknown");
  EXPECT_EQ(message(with(7, 5)), "histogram: layout is unknown");
  EXPECT_EQ(message(bytes + "xy"), "histogram: 2 bytes follow the counts");
  const std::string head = bytes.substr(0, 8);
  const std::string long_run = head + '\0' + std::string("\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
  EXPECT_EQ(message(long_run), "histogram: counts are cut short or a run of zeros is too long");
}

TEST(HistogramCodecTest, DamagedBytesNeverCrashNorGrowPastTheShape) {
  Random random(32);
  const std::string good = GoldenHistogram().Serialise();
  std::size_t accepted = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string bytes = good;
    for (std::uint64_t flips = 1 + random.Below(4); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    if (random.Chance(0.1)) {
      bytes.resize(random.Below(bytes.size()));
    }
    const auto parsed = Histogram::Parse(bytes);
    if (parsed.has_value()) {
      ++accepted;
      ASSERT_LT(parsed->bytes(), 2'000'000U);
      const auto again = Histogram::Parse(parsed->Serialise());
      ASSERT_TRUE(again.has_value());
      ASSERT_EQ(*again, *parsed);
    }
  }
  EXPECT_GT(accepted, 0U);  // a changed count is still a count
}

TEST(RingCodecTest, SerialisedFormIsTheSameValue) {
  Random random(33);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<Judged> frames;
    for (std::uint64_t i = random.Below(40); i > 0; --i) {
      frames.push_back(RandomJudged(random, ParamsWithPoints()));
    }
    Ring ring(100);
    ring.Append(RecordsOf(frames, random.Below(Ordinal{1} << 47)));
    const auto parsed = Ring::Parse(ring.Serialise(), 100);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    ASSERT_EQ(All(*parsed), All(ring));
    ASSERT_EQ(parsed->Serialise(), ring.Serialise());
  }
}

TEST(RingCodecTest, WhatWasEvictedStaysEvictedInASmallerRingToo) {
  const Ring ring = GoldenRing();
  const Ordinal oldest = All(ring).front().ordinal();
  const auto same = Ring::Parse(ring.Serialise(), 40);
  ASSERT_TRUE(same.has_value());
  EXPECT_TRUE(same->Covers(oldest));
  EXPECT_FALSE(same->Covers(oldest - 1));
  const auto smaller = Ring::Parse(ring.Serialise(), 5);
  ASSERT_TRUE(smaller.has_value());
  EXPECT_LE(smaller->size(), 5U);
  EXPECT_FALSE(smaller->Covers(oldest));
}

TEST(RingCodecTest, VersionOneOfTheGoldenFileParsesForEver) {
  const Ring expected = GoldenRing();
  const std::string bytes = Golden("ring_v1.bin", expected.Serialise());
  const auto parsed = Ring::Parse(bytes, 40);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(All(*parsed), All(expected));
  EXPECT_EQ(parsed->Serialise(), expected.Serialise());
}

TEST(RingCodecTest, EveryTruncationIsAnError) {
  const std::string bytes = GoldenRing().Serialise();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(Ring::Parse(bytes.substr(0, n)).has_value()) << n;
  }
  EXPECT_FALSE(Ring::Parse(bytes + '\0').has_value());
}

TEST(RingCodecTest, ErrorsNameWhatIsWrong) {
  const auto message = [](const std::string& text) {
    const auto parsed = Ring::Parse(text);
    return parsed.has_value() ? std::string("no error") : parsed.error().message;
  };
  const auto bytes = [](std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) {
      out.push_back(static_cast<char>(value));
    }
    return out;
  };
  EXPECT_EQ(message(""), "ring: head is cut short or out of range");
  EXPECT_EQ(message(bytes({9, 0, 0})), "ring: version 9 is unknown");
  EXPECT_EQ(message(bytes({1, 0, 0, 7})), "ring: 1 bytes follow the records");
  // A count far beyond what the bytes could hold is refused before any memory is taken.
  EXPECT_EQ(message(bytes({1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0})),
            "ring: head is cut short or out of range");
  EXPECT_EQ(message(bytes({1, 0, 1, 3, 0, 0, 0, 0, 0xc0, 0})), "ring: record 0 is out of range");  // score -2
  EXPECT_EQ(message(bytes({1, 0, 1, 3, 0, 0, 0, 0xc0, 0x7f, 0})), "ring: record 0 is out of range");  // NaN
  EXPECT_EQ(message(bytes({1, 0, 1, 3, 0, 0, 0, 0, 0, 1})), "ring: record 0 is cut short");  // mask missing
  EXPECT_EQ(message(bytes({1, 0, 1, 3, 0, 0, 0, 0, 0, 0})), "no error");
}

TEST(RingCodecTest, DamagedBytesNeverCrash) {
  Random random(34);
  const std::string good = GoldenRing().Serialise();
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string bytes = good;
    for (std::uint64_t flips = 1 + random.Below(4); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    const auto parsed = Ring::Parse(bytes, 64);
    if (parsed.has_value()) {
      ASSERT_LE(parsed->size(), 64U);
      const auto again = Ring::Parse(parsed->Serialise(), 64);
      ASSERT_TRUE(again.has_value());
      ASSERT_EQ(All(*again), All(*parsed));
    }
  }
}

TEST(VarintTest, EverySizeOfNumberComesBack) {
  for (int bits = 0; bits <= 64; ++bits) {
    for (const std::int64_t nudge : {-1, 0, 1}) {
      const std::uint64_t value =
          (bits == 64 ? 0 : std::uint64_t{1} << bits) + static_cast<std::uint64_t>(nudge);
      std::string bytes;
      AppendVarint(bytes, value);
      ByteReader reader(bytes);
      EXPECT_EQ(reader.Varint(), value);
      EXPECT_TRUE(reader.ok() && reader.left() == 0);
      EXPECT_EQ(UnZigZag(ZigZag(static_cast<std::int64_t>(value))), static_cast<std::int64_t>(value));
    }
  }
}

TEST(VarintTest, MoreThanSixtyFourBitsAreAnError) {
  ByteReader eleven(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));
  EXPECT_EQ(eleven.Varint(), 0U);
  EXPECT_FALSE(eleven.ok());
  ByteReader tenth_too_large(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  EXPECT_EQ(tenth_too_large.Varint(), 0U);
  EXPECT_FALSE(tenth_too_large.ok());
}

}  // namespace
}  // namespace detwatch::accumulate
