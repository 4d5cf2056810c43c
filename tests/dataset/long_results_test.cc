// COCO results lists that are read piece by piece.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/dataset/coco.h"

namespace detwatch::dataset {
namespace {

using testing::HasSubstr;

// Longer than one piece of the chunked reader, so that it is cut between records.
class LongResultsTest : public testing::Test {
 protected:
  static constexpr int kRecords = 20000;
  // `extra(i)` goes into record i; scores count the records.
  template <class Extra>
  static std::string Make(const Extra& extra, std::string_view space = "") {
    std::string text = "[";
    for (int i = 0; i < kRecords; ++i) {
      text.append(i == 0 ? "" : ",").append(space);
      text += R"({"image_id": )" + std::string(i % 3 == 0 ? "7" : "9") +
              R"(, "category_id": 5, "bbox": [1, 2, 3, )" + std::to_string(i) + R"(], "score": 0.5)" +
              extra(i) + "}";
    }
    return text.append(space).append("]\n");
  }
  static void ExpectAllInOrder(const std::string& text) {
    Dataset data = GroundTruth();
    const auto read = ReadCocoResults("dt.json", text, data);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(data.Detections(), static_cast<std::size_t>(kRecords));
    std::vector<double> expected[2];
    for (int i = 0; i < kRecords; ++i) {
      expected[i % 3 == 0 ? 0 : 1].push_back(i);
    }
    for (std::size_t f = 0; f < 2; ++f) {
      std::vector<double> heights;
      for (const Box& box : data.frames[f].predictions.boxes) {
        heights.push_back(box.h);
      }
      EXPECT_EQ(heights, expected[f]);
    }
  }
  static Dataset GroundTruth() {
    return ReadCocoGroundTruth("gt.json", R"({"images": [{"id": 7}, {"id": 9}], "annotations": [],
                                             "categories": [{"id": 5, "name": "dog"}]})")
        .value();
  }
  static std::string ResultsError(std::string_view text) {
    Dataset data = GroundTruth();
    const auto read = ReadCocoResults("dt.json", text, data);
    return read ? "read without an error" : read.error().message;
  }
};

TEST_F(LongResultsTest, EveryRecordIsReadOnceAndInOrder) {
  ExpectAllInOrder(Make([](int) { return ""; }));
}

TEST_F(LongResultsTest, WhiteSpaceBetweenRecordsMayBeAnything) {
  ExpectAllInOrder(Make([](int) { return ""; }, "\r\n\t  "));
}

TEST_F(LongResultsTest, NestedListsOfObjectsAreNotTakenForRecords) {
  ExpectAllInOrder(Make([](int) { return R"(, "parts": [{"a": 1},{"a": {"b": []}},{"a": 3}])"; }));
}

TEST_F(LongResultsTest, TextThatLooksLikeTheEndOfARecordIsText) {
  ExpectAllInOrder(Make([](int) { return R"(, "caption": "\"},{\"},{ ]}[{", "more": "},{},{},{},{"  )"; }));
}

TEST_F(LongResultsTest, ARecordLongerThanAPieceIsRead) {
  const std::string filler = R"(, "mask": ")" + std::string(2000000, 'x') + "\"";
  ExpectAllInOrder(Make([&](int i) { return i == 17000 ? filler : std::string(); }));
}

TEST_F(LongResultsTest, AnErrorFarInTheFileNamesItsRecord) {
  const std::string text = Make([](int i) { return i == 19000 ? R"(, "score": 7)" : ""; });
  EXPECT_THAT(ResultsError(text), HasSubstr("dt.json: results[19000].score: 7 is not in [0, 1]"));
}

TEST_F(LongResultsTest, AFileThatBreaksOffIsAnErrorWithItsPlace) {
  const std::string text = Make([](int) { return ""; });
  EXPECT_THAT(ResultsError(text.substr(0, text.size() - 3)), HasSubstr("dt.json: not"));
  std::string broken = text;
  const std::size_t place = broken.find("\"bbox\"", broken.size() / 2);
  broken[place + 6] = ';';
  const std::string message = ResultsError(broken);
  EXPECT_THAT(message, HasSubstr("not valid JSON near byte "));
  const std::size_t byte = std::stoul(message.substr(message.find("byte ") + 5));
  EXPECT_NEAR(static_cast<double>(byte), static_cast<double>(place), 30);
}

TEST_F(LongResultsTest, HowAResultsListIsCutDoesNotMatter) {
  const std::string good = Make([](int) { return ""; });
  const std::string odd =
      Make([](int i) { return i % 1000 == 7 ? R"(, "parts": [{"a": 1},{"a": 2}])" : ""; });
  const std::string bad = Make([](int i) { return i == 15000 ? R"(, "score": 7)" : ""; });
  for (const std::string& text : {good, odd, bad, std::string("[]"), std::string("{}"), std::string()}) {
    Dataset whole = GroundTruth();
    const auto expected = ReadCocoResults("dt.json", text, whole);
    for (const std::size_t piece : {std::size_t{1} << 10, std::size_t{99991}, std::size_t{1} << 20}) {
      Dataset data = GroundTruth();
      CocoResults results("dt.json", data);
      std::string_view rest = text;
      while (!rest.empty() && results.Add(rest.substr(0, piece))) {
        rest.remove_prefix(std::min(piece, rest.size()));
      }
      Result<void> read;
      if (!rest.empty() || !results.End()) {
        read = results.ReadWhole(text);
      }
      ASSERT_EQ(read.has_value(), expected.has_value()) << piece;
      if (!read) {
        EXPECT_EQ(read.error().message, expected.error().message) << piece;
        continue;
      }
      for (std::size_t f = 0; f < data.frames.size(); ++f) {
        EXPECT_EQ(data.frames[f].predictions.boxes, whole.frames[f].predictions.boxes) << piece;
        EXPECT_EQ(data.frames[f].predictions.class_ids, whole.frames[f].predictions.class_ids) << piece;
      }
    }
  }
}

}  // namespace
}  // namespace detwatch::dataset
