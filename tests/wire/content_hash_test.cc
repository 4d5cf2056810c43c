#include "lib/wire/content_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <random>
#include <set>
#include <vector>

#include "tests/wire/wire_support.h"

namespace detwatch::wire {
namespace {

Labels SomeLabels() {
  Labels l;
  l.class_list = static_cast<ClassListHash>(7);
  l.boxes = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  l.areas = {12, 56, 132};
  l.class_ids = {1, 2, 3};
  l.crowd = {0, 1, 0};
  l.difficult = {0, 0, 1};
  l.partial = true;
  l.examined = {1, 2, 3};
  return l;
}

TEST(ContentHashTest, EverythingThatIsJudgedCounts) {
  const std::vector<std::function<void(Labels&)>> changes = {
      [](Labels& l) { l.class_list = static_cast<ClassListHash>(8); },
      [](Labels& l) { l.boxes[2].h = 12.5; },
      [](Labels& l) { std::swap(l.boxes[0], l.boxes[1]); },
      [](Labels& l) { l.areas[0] = 13; },
      [](Labels& l) { l.class_ids[1] = 9; },
      [](Labels& l) { l.crowd[0] = 1; },
      [](Labels& l) { l.crowd.clear(); },
      [](Labels& l) { std::swap(l.crowd, l.difficult); },
      [](Labels& l) { l.difficult[2] = 0; },
      [](Labels& l) { l.examined.pop_back(); },
      [](Labels& l) { l.partial = false; },
  };
  std::set<std::uint64_t> hashes = {ContentHash(SomeLabels())};
  for (const auto& change : changes) {
    Labels l = SomeLabels();
    change(l);
    hashes.insert(ContentHash(l));
  }
  EXPECT_EQ(hashes.size(), changes.size() + 1);
}

TEST(ContentHashTest, WordsAboutTheFrameDoNotCount) {
  Labels l = SomeLabels();
  l.frame = {"cam", "f"};
  l.capture_time = FromUnixNanos(5);
  l.source = LabelSource::kHuman;
  l.revision = 4;
  l.final = true;
  EXPECT_EQ(ContentHash(l), ContentHash(SomeLabels()));
}

TEST(ContentHashTest, EachSingleBitOfALongFrameCounts) {
  std::mt19937_64 random(3);
  Predictions p;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto value = [&] { return static_cast<double>(random() % 1000) / 8; };
    p.boxes.push_back({value(), value(), value(), value()});
    p.scores.push_back(0.5F);
    p.class_ids.push_back(static_cast<std::uint32_t>(random() % 80));
  }
  std::set<std::uint64_t> hashes = {ContentHash(p)};
  std::size_t changes = 0;
  for (Box& box : p.boxes) {
    for (double* value : {&box.x, &box.y, &box.w, &box.h}) {
      for (unsigned bit = 0; bit < 64; ++bit) {
        const double before = *value;
        *value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(before) ^ (std::uint64_t{1} << bit));
        hashes.insert(ContentHash(p));
        *value = before;
        ++changes;
      }
    }
  }
  for (std::uint32_t& id : p.class_ids) {
    for (unsigned bit = 0; bit < 32; ++bit) {
      id ^= std::uint32_t{1} << bit;
      hashes.insert(ContentHash(p));
      id ^= std::uint32_t{1} << bit;
      ++changes;
    }
  }
  EXPECT_EQ(hashes.size(), changes + 1);
}

TEST(ContentHashTest, ZerosAreNotWipedOut) {
  std::set<std::uint64_t> hashes;
  for (std::size_t n = 0; n < 50; ++n) {
    Predictions p;
    p.boxes.resize(n);
    p.scores.resize(n);
    p.class_ids.resize(n);
    hashes.insert(ContentHash(p));
  }
  EXPECT_EQ(hashes.size(), 50U);
}

TEST(ContentHashTest, FormatUnitAndPrecisionDoNotCount) {
  pb::Payload corners = GoodPredictions();
  pb::Boxes& boxes = *corners.mutable_predictions()->mutable_boxes();
  boxes.set_format(pb::BOX_FORMAT_XYXY);
  boxes.clear_float_values();
  for (const double v : {10.0, 20.0, 40.0, 60.0, 1.5, 2.5, 5.0, 7.0}) {
    boxes.add_double_values(v);
  }
  EXPECT_EQ(std::get<Predictions>(DecodeGood(corners.SerializeAsString())).content_hash,
            std::get<Predictions>(DecodeGood(GoodPredictions().SerializeAsString())).content_hash);
}

// Dedup keys outlive a release: these values are fixed.
TEST(ContentHashTest, ValuesAreFixedForEver) {
  EXPECT_EQ(ContentHash(Predictions{}), 10512429631857090561U);
  EXPECT_EQ(ContentHash(SomeLabels()), 16557941464937514953U);
  EXPECT_EQ(std::get<Predictions>(DecodeGood(GoodPredictions().SerializeAsString())).content_hash,
            14737542093660389466U);
}

}  // namespace
}  // namespace detwatch::wire
