// Who takes gzip, and that it is gzip.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "daemon/http/gzip.h"
#include "tests/daemon/http_client_support.h"

namespace detwatch::http {
namespace {

std::string LargeText() {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "detwatch_frames_total{model=\"m" + std::to_string(i) + "\"} " + std::to_string(i * 7) + "\n";
  }
  return text;
}

TEST(GzipTest, QualityZeroMeansNo) {
  for (const std::string yes : {"gzip", "GZip", "x-gzip", "deflate, gzip", "gzip;q=0.001", "gzip; q=1.0", "*",
                                "br;q=1.0, *;q=0.1", "*;q=0, gzip", "gzip;level=0"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const std::string no : {"", "identity", "deflate", "gzip;q=0", "gzip ; q = 0.000", "gzip;Q=0.",
                               "*;q=0", "gzip;q=0, *", "gzipped", "gz", ",,;;"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

TEST(GzipTest, GunzipOfGzipIsTheSame) {
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 300000; ++i) {
    state = state * 1664525U + 1013904223U;
    noise.push_back(static_cast<char>(state >> 24));
  }
  for (const std::string& text : {std::string(), std::string("x"), LargeText(), noise}) {
    EXPECT_EQ(Gunzip(Gzip(text)), text);
  }
}

TEST(GzipTest, TheSameBodyIsCompressedOnce) {
  GzipCache cache;
  const auto body = std::make_shared<const std::string>(LargeText());
  const auto first = cache.Compressed(body);
  EXPECT_EQ(cache.Compressed(body), first);
  const auto other = std::make_shared<const std::string>(LargeText() + "more");
  EXPECT_EQ(Gunzip(*cache.Compressed(other)), *other);
}

}  // namespace
}  // namespace detwatch::http
