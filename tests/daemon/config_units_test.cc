// Durations, sizes, endpoints and windows: what people write, and what they get wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "daemon/config/endpoint.h"
#include "daemon/config/units.h"
#include "daemon/config/window.h"

namespace detwatch::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(UnitsTest, DurationsAreReadAsPrometheusReadsThem) {
  const std::vector<std::pair<std::string, Duration>> expected = {{"30s", seconds(30)},
                                                                  {"5m", minutes(5)},
                                                                  {"1h", hours(1)},
                                                                  {"7d", hours(7 * 24)},
                                                                  {"2w", hours(336)},
                                                                  {"0", seconds(0)},
                                                                  {"1h30m", minutes(90)},
                                                                  {"1d12h", hours(36)},
                                                                  {"0s", seconds(0)},
                                                                  {"90m", minutes(90)},
                                                                  {"250ms", milliseconds(250)},
                                                                  {"1m500ms", milliseconds(60500)},
                                                                  {"106751d", hours(106751LL * 24)}};
  for (const auto& [text, duration] : expected) {
    const Result<Duration> read = ParseDuration(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, duration) << text;
  }
}

TEST(UnitsTest, GarbageIsNotADuration) {
  for (const std::string text : {"", "5", "m", "5 m", " 5m", "5m ", "-5m", "1.5h", "5min", "5M", "30m1h",
                                 "1h1h", "5m5", "1e3s", "h5", "5ms1s", "\xC2\xB5s"}) {
    const Result<Duration> read = ParseDuration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("\"" + text + "\" is not a duration"));
  }
}

TEST(UnitsTest, DurationsAndBytesThatOverflowAreRefused) {
  for (const std::string text : {"106752d", "300000w", "99999999999999999999s", "106751d24h", "15250w10d"}) {
    const Result<Duration> read = ParseDuration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("longer than 292 years"));
  }
  for (const std::string text :
       {"18446744073709551616", "16777216TiB", "17179869184GiB", "99999999999999999999KiB"}) {
    const Result<std::uint64_t> read = ParseBytes(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("larger than 16 EiB"));
  }
  EXPECT_EQ(*ParseBytes("18446744073709551615"), UINT64_MAX);
}

TEST(UnitsTest, FormatOfAParsedDurationParsesToTheSame) {
  for (const Duration duration :
       {Duration(seconds(0)), Duration(seconds(1)), Duration(minutes(90)), Duration(hours(31 * 24)),
        Duration(hours(336)), Duration(milliseconds(1)), Duration(milliseconds(123456789)),
        Duration(hours(100000) + milliseconds(999))}) {
    EXPECT_EQ(*ParseDuration(FormatDuration(duration)), duration) << FormatDuration(duration);
  }
  EXPECT_EQ(FormatDuration(hours(31 * 24)), "31d");
  EXPECT_EQ(FormatDuration(minutes(90)), "1h30m");
  EXPECT_EQ(FormatDuration(hours(336)), "2w");
}

TEST(UnitsTest, SizesHaveBinaryUnits) {
  EXPECT_EQ(*ParseBytes("1024"), 1024U);
  EXPECT_EQ(*ParseBytes("0B"), 0U);
  EXPECT_EQ(*ParseBytes("3KiB"), 3072U);
  EXPECT_EQ(*ParseBytes("512MiB"), 512 * kMiB);
  EXPECT_EQ(*ParseBytes("2GiB"), 2 * kGiB);
  EXPECT_EQ(*ParseBytes("1TiB"), 1024 * kGiB);
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{1}, kKiB, 3 * kMiB, 5 * kGiB + 1, UINT64_MAX}) {
    EXPECT_EQ(*ParseBytes(FormatBytes(bytes)), bytes) << FormatBytes(bytes);
  }
  EXPECT_EQ(FormatBytes(512 * kMiB), "512MiB");
}

TEST(UnitsTest, GarbageIsNotAUnit) {
  for (const std::string text : {"", "MiB", "-1", "1.5GiB", " 1", "64MB", "1 GiB", "1gib", "1GiB ", "5m"}) {
    EXPECT_THAT(ParseBytes(text).error().message,
                HasSubstr("\"" + text + "\" is not a size; write a whole number"));
  }
}

TEST(UnitsTest, NumbersAreReadWithoutTheLocaleAndToTheEnd) {
  EXPECT_EQ(*ParseNumber("0.5"), 0.5);
  EXPECT_EQ(*ParseNumber("1e10"), 1e10);
  EXPECT_EQ(*ParseNumber("-3"), -3);
  for (const std::string text : {"", "0,5", "0.5x", "nan", "inf", ".inf", "1e999", "+1", "0x10"}) {
    EXPECT_FALSE(ParseNumber(text)) << text;
  }
  EXPECT_EQ(*ParseCount("18446744073709551615"), UINT64_MAX);
  EXPECT_THAT(ParseCount("18446744073709551616").error().message, HasSubstr("too large"));
  for (const std::string text : {"", "-1", "1.0", "1e3", "ten", "4_000"}) {
    EXPECT_THAT(ParseCount(text).error().message, HasSubstr("not a whole number")) << text;
  }
  EXPECT_EQ(FormatNumber(0.1), "0.1");
  EXPECT_EQ(FormatNumber(0.25F), "0.25");
}

TEST(WindowTest, LengthsBecomePanes) {
  struct Expected {
    std::string text;
    Duration pane;
    std::int64_t panes;
  };
  for (const Expected& e :
       {Expected{"5m", seconds(15), 20}, Expected{"1h", seconds(60), 60}, Expected{"24h", minutes(15), 96},
        Expected{"1d", minutes(15), 96}, Expected{"300s", seconds(15), 20}, Expected{"10s", seconds(1), 10},
        Expected{"96s", seconds(1), 96}, Expected{"100s", seconds(5), 20}, Expected{"10m", seconds(15), 40},
        Expected{"30m", seconds(60), 30}, Expected{"2h", minutes(5), 24}, Expected{"12h", minutes(15), 48},
        Expected{"2d", hours(1), 48}, Expected{"7d", hours(6), 28}, Expected{"24d", hours(6), 96},
        Expected{"31d", hours(12), 62}}) {
    const Result<WindowSpec> window = MakeWindow(e.text);
    ASSERT_TRUE(window) << window.error().message;
    EXPECT_EQ(window->name, e.text);
    EXPECT_EQ(window->pane, e.pane) << e.text;
    EXPECT_EQ(window->panes, e.panes) << e.text;
  }
}

TEST(WindowTest, APaneDividesItsWindowAndThereAreAtMost96) {
  int made = 0;
  for (std::int64_t s = 10; s <= 31LL * 86400; s += s < 10000 ? 1 : 300) {
    const Result<WindowSpec> window = MakeWindow(std::to_string(s) + "s");
    if (window) {
      ++made;
      ASSERT_EQ(Length(*window), Duration(seconds(s)));
      ASSERT_LE(window->panes, kMaxPanes);
      ASSERT_GE(window->panes, 1);
    } else {
      ASSERT_THAT(window.error().message, HasSubstr("is not a multiple of its pane of"));
      // What is proposed instead works.
      const std::string& message = window.error().message;
      ASSERT_TRUE(MakeWindow(message.substr(message.rfind(' ') + 1))) << message;
    }
  }
  EXPECT_GT(made, 300);
}

TEST(WindowTest, WindowsOutOfRangeAreRefused) {
  EXPECT_EQ(MakeWindow("9s").error().message, "9s is shorter than 10s");
  EXPECT_EQ(MakeWindow("32d").error().message, "32d is longer than 31d");
  EXPECT_EQ(MakeWindow("97s").error().message, "97s is not a multiple of its pane of 5s; try 1m35s");
  EXPECT_THAT(MakeWindow("today").error().message, HasSubstr("is not a duration"));
}

TEST(EndpointTest, OnlyLoopbackAndIpcAreClosed) {
  for (const std::string text :
       {"tcp://127.0.0.1:5556", "tcp://127.9.9.9:1", "tcp://[::1]:5556", "tcp://localhost:0",
        "tcp://[::ffff:127.0.0.1]:5556", "tcp://127.0.0.1:*", "ipc:///run/detwatch.sock"}) {
    const Result<Endpoint> endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_FALSE(endpoint->open) << text;
  }
  for (const std::string text :
       {"tcp://*:5556", "tcp://0.0.0.0:5556", "tcp://192.168.1.5:5556", "tcp://[::]:5556", "tcp://eth0:5556",
        "tcp://example.org:*", "tcp://[::ffff:10.0.0.1]:5556", "tcp://localhost.example.org:5556",
        "tcp://128.0.0.1:1"}) {
    const Result<Endpoint> endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_TRUE(endpoint->open) << text;
  }
}

TEST(EndpointTest, WhatIsNotAnEndpointIsNamed) {
  for (const std::string text :
       {"", "127.0.0.1:5556", "udp://127.0.0.1:5556", "inproc://x", "tcp://", "tcp://:5556",
        "tcp://127.0.0.1", "tcp://127.0.0.1:65536", "tcp://::1:5556", "ipc://", "TCP://a:1"}) {
    const Result<Endpoint> endpoint = ParseEndpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_THAT(endpoint.error().message, HasSubstr("\"" + text + "\""));
  }
}

}  // namespace
}  // namespace detwatch::config
