#include "lib/join/joiner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

namespace detwatch::join {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kStart = FromUnixNanos(1'700'000'000'000'000'000);

Predictions MakePredictions(const std::string& frame, const std::string& model = "yolo",
                            std::uint64_t content = 1) {
  Predictions predictions;
  predictions.frame = {"gate", frame};
  predictions.model = {model, "1"};
  predictions.content_hash = content;
  return predictions;
}

Labels MakeLabels(const std::string& frame, std::uint32_t revision = 0, std::uint64_t content = 1) {
  Labels labels;
  labels.frame = {"gate", frame};
  labels.source = LabelSource::kHuman;
  labels.revision = revision;
  labels.content_hash = content;
  return labels;
}

class JoinerTest : public ::testing::Test {
 protected:
  Admission Predict(Predictions predictions, TimePoint now = kStart, bool labels_expected = true) {
    return joiner_->OnPredictions(std::move(predictions), labels_expected, now, joined_, expired_);
  }
  Admission Label(Labels labels, TimePoint now = kStart) {
    return joiner_->OnLabels(std::move(labels), now, joined_, expired_);
  }
  void Limit(const JoinLimits& limits) { joiner_ = std::make_unique<Joiner>(limits); }

  std::unique_ptr<Joiner> joiner_ = std::make_unique<Joiner>(JoinLimits{});
  std::vector<Joined> joined_;
  std::vector<Expired> expired_;
};

TEST_F(JoinerTest, PredictionsWaitForTheirLabels) {
  EXPECT_EQ(Predict(MakePredictions("a")), Admission::kAccepted);
  EXPECT_TRUE(joined_.empty());
  EXPECT_EQ(joiner_->pending_predictions(), 1U);
  EXPECT_EQ(Label(MakeLabels("a"), kStart + seconds(7)), Admission::kAccepted);
  ASSERT_EQ(joined_.size(), 1U);
  EXPECT_EQ(joined_[0].label_delay, seconds(7));
  EXPECT_EQ(joiner_->pending_predictions(), 0U);
}

TEST_F(JoinerTest, OrderOfHalvesDoesNotMatter) {
  Label(MakeLabels("a"));
  EXPECT_EQ(joiner_->pending_labels(), 1U);
  Predict(MakePredictions("a"), kStart + hours(3));
  ASSERT_EQ(joined_.size(), 1U);
  EXPECT_EQ(joined_[0].label_delay, seconds(0));
  EXPECT_EQ(joiner_->pending_labels(), 0U);
}

TEST_F(JoinerTest, LabelsServeEveryModelOfTheFrame) {
  Predict(MakePredictions("a", "yolo"));
  Predict(MakePredictions("a", "frcnn"));
  Label(MakeLabels("a"));
  EXPECT_EQ(joined_.size(), 2U);
  Predict(MakePredictions("a", "slow"), kStart + minutes(9));
  EXPECT_EQ(joined_.size(), 3U);
}

TEST_F(JoinerTest, LabelsLingerSoLongAfterTheirFirstUse) {
  Label(MakeLabels("a"));
  Predict(MakePredictions("a", "yolo"), kStart + hours(5));
  joiner_->Tick(kStart + hours(5) + minutes(10) - seconds(1), expired_);
  Predict(MakePredictions("a", "slow"), kStart + hours(5) + minutes(10) - seconds(1));
  EXPECT_EQ(joined_.size(), 2U);
  joiner_->Tick(kStart + hours(5) + minutes(10), expired_);
  Predict(MakePredictions("a", "slower"), kStart + hours(5) + minutes(10));
  EXPECT_EQ(joined_.size(), 2U);
  EXPECT_TRUE(expired_.empty());
  EXPECT_EQ(joiner_->pending_predictions(), 1U);
}

TEST_F(JoinerTest, AFrameSeenBeforeIsADuplicateAndOtherContentAConflict) {
  Predict(MakePredictions("a"));
  EXPECT_EQ(Predict(MakePredictions("a")), Admission::kDuplicate);
  EXPECT_EQ(Predict(MakePredictions("a", "yolo", 2)), Admission::kConflict);
  Label(MakeLabels("a"));
  EXPECT_EQ(Predict(MakePredictions("a")), Admission::kDuplicate);
  EXPECT_EQ(Label(MakeLabels("a")), Admission::kDuplicate);
  EXPECT_EQ(Label(MakeLabels("a", 0, 2)), Admission::kConflict);
  EXPECT_EQ(joined_.size(), 1U);
}

TEST_F(JoinerTest, AHigherRevisionReplacesLabelsThatWereNotUsed) {
  Label(MakeLabels("a", 1, 1));
  EXPECT_EQ(Label(MakeLabels("a", 0, 5)), Admission::kStale);
  EXPECT_EQ(Label(MakeLabels("a", 2, 7)), Admission::kAccepted);
  Predict(MakePredictions("a"));
  ASSERT_EQ(joined_.size(), 1U);
  EXPECT_EQ(joined_[0].labels->content_hash, 7U);
  EXPECT_EQ(Label(MakeLabels("a", 3, 8)), Admission::kTooLate);
}

TEST_F(JoinerTest, ARevisionOfLabelsThatAreGoneIsTooLateNotNew) {
  Predict(MakePredictions("a"));
  Label(MakeLabels("a", 0));
  joiner_->Tick(kStart + minutes(11), expired_);
  EXPECT_EQ(joiner_->bytes(), 0U);
  EXPECT_EQ(Label(MakeLabels("a", 1, 9), kStart + minutes(11)), Admission::kTooLate);
  EXPECT_EQ(Label(MakeLabels("a", 0, 1), kStart + minutes(11)), Admission::kDuplicate);
  EXPECT_EQ(joiner_->pending_labels(), 0U);
}

TEST_F(JoinerTest, LabelsOfAnotherSourceAreAConflictWhileTheFrameHoldsSome) {
  Label(MakeLabels("a"));
  Labels automatic = MakeLabels("a");
  automatic.source = LabelSource::kAuto;
  EXPECT_EQ(Label(automatic), Admission::kConflict);
}

TEST_F(JoinerTest, LabelsAfterTheHorizonAreCountedAsExpired) {
  Predict(MakePredictions("a"));
  Label(MakeLabels("b"));
  joiner_->Tick(kStart + hours(24) - seconds(1), expired_);
  EXPECT_TRUE(expired_.empty());
  joiner_->Tick(kStart + hours(24), expired_);
  ASSERT_EQ(expired_.size(), 2U);
  EXPECT_TRUE(expired_[0].labels_missing);
  EXPECT_EQ(expired_[0].model.model, "yolo");
  EXPECT_FALSE(expired_[1].labels_missing);
  EXPECT_EQ(joiner_->bytes(), 0U);
}

TEST_F(JoinerTest, ExpiryIsByWaitingTimeNotByFrameTime) {
  Predictions old = MakePredictions("a");
  old.capture_time = kStart - hours(24 * 30);
  Predict(std::move(old));
  joiner_->Tick(kStart + hours(23), expired_);
  EXPECT_TRUE(expired_.empty());
  Label(MakeLabels("a"), kStart + hours(23));
  EXPECT_EQ(joined_.size(), 1U);
}

TEST_F(JoinerTest, PredictionsThatExpectNoLabelsDoNotWait) {
  EXPECT_EQ(Predict(MakePredictions("a"), kStart, false), Admission::kAccepted);
  EXPECT_EQ(joiner_->pending_predictions(), 0U);
  EXPECT_EQ(joiner_->bytes(), 0U);
  EXPECT_EQ(Predict(MakePredictions("a"), kStart, false), Admission::kDuplicate);
}

TEST_F(JoinerTest, APairIsJoinedAtOnce) {
  const auto admission = joiner_->OnPair(MakePredictions("a"), MakeLabels("a"), kStart, joined_, expired_);
  EXPECT_EQ(admission.predictions, Admission::kAccepted);
  EXPECT_EQ(admission.labels, Admission::kAccepted);
  EXPECT_EQ(joined_.size(), 1U);
}

TEST_F(JoinerTest, ASecondModelsPairUsesTheLabelsThatWereFirst) {
  joiner_->OnPair(MakePredictions("a", "yolo"), MakeLabels("a", 0, 1), kStart, joined_, expired_);
  const auto admission =
      joiner_->OnPair(MakePredictions("a", "frcnn"), MakeLabels("a", 0, 2), kStart, joined_, expired_);
  EXPECT_EQ(admission.labels, Admission::kConflict);
  EXPECT_EQ(admission.predictions, Admission::kAccepted);
  ASSERT_EQ(joined_.size(), 2U);
  EXPECT_EQ(joined_[1].labels->content_hash, 1U);
}

TEST_F(JoinerTest, APairWhoseLabelsHaveLeftIsJoinedWithItsOwn) {
  joiner_->OnPair(MakePredictions("a", "yolo"), MakeLabels("a"), kStart, joined_, expired_);
  joiner_->Tick(kStart + minutes(30), expired_);
  const auto admission = joiner_->OnPair(MakePredictions("a", "frcnn"), MakeLabels("a"), kStart + minutes(30),
                                         joined_, expired_);
  EXPECT_EQ(admission.labels, Admission::kDuplicate);
  EXPECT_EQ(admission.predictions, Admission::kAccepted);
  EXPECT_EQ(joined_.size(), 2U);
  EXPECT_EQ(joiner_->pending_predictions(), 0U);
}

TEST_F(JoinerTest, UsedLabelsLeaveBeforeWhatStillWaits) {
  JoinLimits limits;
  limits.bytes = 8000;
  Limit(limits);
  joiner_->OnPair(MakePredictions("used"), MakeLabels("used"), kStart, joined_, expired_);
  for (int i = 0; i < 100 && expired_.empty(); ++i) {
    Predict(MakePredictions(std::to_string(i)), kStart + seconds(i));
  }
  ASSERT_EQ(expired_.size(), 1U);  // the first that waited, after the used labels had gone without a count
  EXPECT_TRUE(expired_[0].labels_missing);
  EXPECT_EQ(Label(MakeLabels("0"), kStart + minutes(5)), Admission::kAccepted);
  EXPECT_EQ(joiner_->pending_labels(), 1U);  // its predictions are gone, so it waits for another model's
}

TEST_F(JoinerTest, AMessageLargerThanTheLimitIsRefused) {
  JoinLimits limits;
  limits.bytes = 1000;
  Limit(limits);
  Predictions large = MakePredictions("a");
  large.boxes.resize(100);
  EXPECT_EQ(Predict(large), Admission::kMemory);
  EXPECT_EQ(Predict(large), Admission::kMemory);  // not a duplicate: it was never taken
}

// Random halves of random frames and models, in any order, with delays up to beyond the retention and a tight
// limit.
TEST_F(JoinerTest, EveryFrameLeavesOnce) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    JoinLimits limits;
    limits.bytes = seed % 2 == 0 ? 40'000 : 100'000'000;
    limits.dedup_horizon = hours(1000);
    Limit(limits);
    joined_.clear();
    expired_.clear();
    struct Half {
      std::string frame;
      int model;  // -1: labels
      int at;
    };
    std::vector<Half> halves;
    for (int frame = 0; frame < 300; ++frame) {
      const int base = static_cast<int>(random() % 100'000);
      for (int model = -1; model < 3; ++model) {
        if (random() % 5 != 0) {
          halves.push_back({std::to_string(frame), model, base + static_cast<int>(random() % 200'000)});
        }
      }
    }
    std::sort(halves.begin(), halves.end(), [](const Half& a, const Half& b) { return a.at < b.at; });
    std::size_t predictions = 0;
    std::size_t labels = 0;
    for (const Half& half : halves) {
      const TimePoint now = kStart + seconds(half.at);
      joiner_->Tick(now, expired_);
      if (half.model < 0) {
        ASSERT_EQ(Label(MakeLabels(half.frame), now), Admission::kAccepted);
        ++labels;
      } else {
        ASSERT_EQ(Predict(MakePredictions(half.frame, std::to_string(half.model)), now),
                  Admission::kAccepted);
        ++predictions;
      }
      ASSERT_LE(joiner_->bytes(), limits.bytes);
    }
    joiner_->Tick(kStart + hours(2000), expired_);
    std::map<std::string, int> seen;
    for (const Joined& joined : joined_) {
      EXPECT_EQ(++seen[joined.predictions.frame.frame_id + "/" + joined.predictions.model.model], 1);
      EXPECT_EQ(joined.labels->frame, joined.predictions.frame);
    }
    const auto without_labels = static_cast<std::size_t>(
        std::count_if(expired_.begin(), expired_.end(), [](const Expired& e) { return e.labels_missing; }));
    EXPECT_EQ(joined_.size() + without_labels, predictions);
    EXPECT_LE(expired_.size() - without_labels, labels);
    EXPECT_GT(joined_.size(), 0U);
    EXPECT_GT(without_labels, 0U);
    EXPECT_EQ(joiner_->bytes(), 0U);
    EXPECT_EQ(joiner_->pending_predictions() + joiner_->pending_labels(), 0U);
  }
}

TEST_F(JoinerTest, BytesNeverExceedTheLimit) {
  JoinLimits limits;
  limits.bytes = 50'000;
  Limit(limits);
  for (int i = 0; i < 5000; ++i) {
    Predictions predictions = MakePredictions(std::to_string(i));
    predictions.boxes.resize(static_cast<std::size_t>(i % 50));
    Predict(std::move(predictions), kStart + seconds(i));
    ASSERT_LE(joiner_->bytes(), limits.bytes);
  }
  EXPECT_GT(joiner_->pending_predictions(), 10U);
  EXPECT_EQ(joiner_->pending_predictions() + expired_.size(), 5000U);
}

}  // namespace
}  // namespace detwatch::join
