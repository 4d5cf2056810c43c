// The ledger's laws, on random halves of random frames with restarts in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/join/ledger_support.h"

namespace detwatch::join {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Half {
  int at = 0;  // seconds
  int frame = 0;
  int model = -1;  // -1: labels
  std::uint32_t revision = 0;
  bool final = false;
  bool pair = false;  // labels that came with the predictions of model 9, and were used at once
};

// Frames of three models with up to four revisions of labels, delays from nothing to beyond the retention.
std::vector<Half> MakeHalves(std::mt19937& random, int frames) {
  std::vector<Half> halves;
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int frame = 0; frame < frames; ++frame) {
    const int base = below(300'000);
    const auto delay = [&] { return below(4) == 0 ? 0 : below(2) == 0 ? below(1200) : below(200'000); };
    for (int model = 0; model < 3; ++model) {
      if (below(5) != 0) {
        halves.push_back({base + delay(), frame, model, 0, false, false});
      }
    }
    const bool ends = below(3) == 0;
    const int revisions = below(5);
    int at = base + delay();
    for (int revision = 0; revision < revisions; ++revision) {
      halves.push_back({at, frame, -1, static_cast<std::uint32_t>(revision),
                        ends && revision + 1 == revisions, revision == 0 && below(4) == 0});
      at += delay();
    }
  }
  std::stable_sort(halves.begin(), halves.end(), [](const Half& a, const Half& b) { return a.at < b.at; });
  return halves;
}

class LedgerLawsTest : public LedgerTest {
 protected:
  using Name = std::pair<int, std::uint32_t>;  // frame, model

  // What a random half is, and what is to be true of what comes of it.
  void Play(const Half& half) {
    const TimePoint now = kStart + seconds(half.at);
    if (half.model >= 0) {
      const auto model = static_cast<std::uint32_t>(half.model);
      ++predicted_[model];
      const std::uint64_t waiting = totals().waiting_labels;
      const std::uint64_t content = Predict(half.frame, now, model);
      labels_used_ += waiting - totals().waiting_labels;
      if (content != 0) {
        Judged({half.frame, model}, content);
      }
      return;
    }
    auto labels = MakeLabels(half.revision, 100 + half.revision, 40 + 10 * half.revision);
    labels->final = half.final;
    const bool first = !labelled_[half.frame];
    labelled_[half.frame] = true;
    const bool used = half.pair && first;
    const std::uint64_t waited = totals().waiting_labels;
    const LabelFate fate = Label(half.frame, labels, now, used);
    // The first ones may find that everything of the frame has gone already.
    ASSERT_TRUE(Accepted(fate.verdict) || (!used && (!first || totals().gone > 0)));
    labels_waited_ += totals().waiting_labels - waited;
    if (used) {
      ++predicted_[9];
      Judged({half.frame, 9}, labels->content_hash);
      if (ledger_->Keeps(labels->final)) {
        ledger_->Keep(FrameOf(half.frame), 9, "pair", now);
      }
    }
    for (const HeldPredictions& joined : fate.joined) {
      Judged({half.frame, joined.model}, labels->content_hash);
    }
    for (const HeldPredictions& corrected : fate.corrected) {
      ++corrections_;
      std::uint64_t& by = judged_by_.at({half.frame, corrected.model});
      // Else the wrong outcome would be taken out.
      ASSERT_EQ(by, fate.before->content_hash);
      by = labels->content_hash;
    }
  }
  void Judged(Name name, std::uint64_t content) {
    ASSERT_TRUE(judged_by_.emplace(name, content).second) << "judged twice";
    ++joined_[name.second];
  }
  void Tick(TimePoint now) {
    for (const Expired& half : Expire(now)) {
      half.labels_missing ? ++expired_[half.model] : ++labels_expired_;
    }
    ASSERT_LE(totals().waiting_bytes, limits_.bytes);
    ASSERT_LE(totals().kept_bytes, limits_.corrections_bytes);
    ASSERT_LE(ledger_->lingering_bytes(), limits_.linger_bytes);
  }

  std::map<int, bool> labelled_;
  std::map<Name, std::uint64_t> judged_by_;
  std::map<std::uint32_t, std::uint64_t> predicted_, joined_, expired_;
  std::uint64_t labels_waited_ = 0, labels_used_ = 0, labels_expired_ = 0, corrections_ = 0;
};

TEST_F(LedgerLawsTest, EveryFrameLeavesOnce) {
  std::uint64_t corrections = 0;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    JoinLimits limits;
    if (seed % 2 == 0) {
      limits.bytes = 12'000;
      limits.linger_bytes = 1'000;
    }
    if (seed % 3 == 0) {
      limits.corrections_bytes = 9'000;
    }
    store_.DeletePrefix("F");
    store_.DeletePrefix("X");
    store_.DeletePrefix("j");
    Limit(limits);
    labelled_.clear();
    remembered_.clear();
    judged_by_.clear();
    for (auto* counts : {&predicted_, &joined_, &expired_}) {
      counts->clear();
    }
    labels_waited_ = labels_used_ = labels_expired_ = corrections_ = 0;
    for (const Half& half : MakeHalves(random, 250)) {
      Play(half);
      if (HasFatalFailure()) {
        return;
      }
      if (random() % 3 == 0) {
        Tick(kStart + seconds(half.at));
      }
      if (random() % 20 == 0) {
        Restart(kStart + seconds(half.at));
      }
      if (HasFailure()) {
        return;
      }
    }
    Tick(kStart + hours(2000));
    ledger_->Checkpoint(++checkpoint_);
    Tick(kStart + hours(4000));  // what was marked as gone just now
    EXPECT_EQ(joined_.size(), 4U);
    for (const auto& [model, n] : predicted_) {
      EXPECT_EQ(n, joined_[model] + expired_[model]) << model;
    }
    EXPECT_EQ(labels_waited_, labels_used_ + labels_expired_);
    EXPECT_GT(labels_used_, 0U);
    EXPECT_GT(labels_expired_, 0U);
    EXPECT_GT(expired_[0], 0U);
    corrections += corrections_;
    ledger_->Checkpoint(++checkpoint_);
    EXPECT_EQ(store_.size(), 1U);  // the totals
  }
  EXPECT_GT(corrections, 500U);
}

// Everything that a ledger answers, as text.
std::string Answer(const LabelFate& fate) {
  std::string text(Name(fate.verdict));
  for (const HeldPredictions& half : fate.joined) {
    text += " j" + std::to_string(half.model) + "@" + std::to_string(ToUnixNanos(half.since));
  }
  for (const HeldPredictions& half : fate.corrected) {
    text += " c" + std::to_string(half.model) + "@" + std::to_string(ToUnixNanos(half.since));
  }
  return text + (fate.before ? " before " + std::to_string(fate.before->content_hash) : "");
}

TEST_F(LedgerLawsTest, RestoredItAnswersTheSame) {
  for (unsigned seed = 21; seed <= 32; ++seed) {
    std::mt19937 random(seed);
    JoinLimits limits;
    limits.linger_bytes = seed % 2 == 0 ? 700 : 64U << 20;
    limits.bytes = seed % 3 == 0 ? 12'000 : 512U << 20;
    limits.corrections_bytes = seed % 4 == 0 ? 9'000 : 512U << 20;
    store_.DeletePrefix("F");
    store_.DeletePrefix("X");
    store_.DeletePrefix("j");
    Limit(limits);
    LastingKeyValue other_store;
    Ledger other(limits, other_store);
    remembered_.clear();
    const auto halves = MakeHalves(random, 250);
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const Half& half = halves[i];
      SCOPED_TRACE("seed " + std::to_string(seed) + " half " + std::to_string(i));
      const TimePoint now = kStart + seconds(half.at);
      const FrameHash frame = FrameOf(half.frame);
      if (half.model >= 0) {
        const auto model = static_cast<std::uint32_t>(half.model);
        const std::uint64_t content = Predict(half.frame, now, model);
        const auto labels = other.UseLabels(frame, now);
        ASSERT_EQ(content, labels == nullptr ? 0 : labels->content_hash);
        if (labels == nullptr) {
          (void)other.Wait(frame, model, std::string(40, 'p'), now);
        } else if (other.Keeps(labels->final)) {
          other.Keep(frame, model, std::string(40, 'p'), now);
        }
      } else {
        auto labels = MakeLabels(half.revision, 100 + half.revision, 40 + 10 * half.revision);
        labels->final = half.final;
        const auto remembered = Remembered(half.frame);
        const LabelFate ours = Label(half.frame, labels, now);
        const LabelFate theirs = other.OnLabels(frame, labels, {false, remembered}, now);
        for (const HeldPredictions& joined : theirs.joined) {
          if (other.Keeps(labels->final)) {
            other.Keep(frame, joined.model, joined.bytes, now);
          }
        }
        ASSERT_EQ(Answer(ours), Answer(theirs));
      }
      if (random() % 4 == 0) {
        const auto ours = Expire(now);
        std::vector<Expired> theirs;
        other.Expire(now, theirs);
        ASSERT_EQ(ours.size(), theirs.size());
        ASSERT_EQ(ledger_->lingering(), other.lingering());
        if (random() % 4 == 0) {
          Restart(now);
          ASSERT_EQ(ledger_->lingering(), other.lingering());
          ASSERT_EQ(ledger_->lingering_bytes(), other.lingering_bytes());
        }
      }
      ASSERT_EQ(totals().waiting_bytes, other.totals().waiting_bytes);
      ASSERT_EQ(totals().kept_bytes, other.totals().kept_bytes);
      ASSERT_EQ(totals().gone, other.totals().gone);
    }
  }
}

}  // namespace
}  // namespace detwatch::join
