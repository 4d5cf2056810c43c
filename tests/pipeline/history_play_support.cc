#include "tests/pipeline/history_play_support.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>

#include "lib/wire/encode.h"

namespace detwatch::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostUncommitted = 2;
constexpr std::size_t kMostUnheard = 4;

TimePoint WholeSecond(TimePoint at) {
  return std::chrono::time_point_cast<Duration>(std::chrono::floor<seconds>(at));
}

std::string Problem(const History& history) {
  return HistoryPlayer(history).Play();
}

// Takes over what `change` makes of the history where that still differs from the rules.
bool Try(History& history, const std::function<bool(History&)>& change) {
  History next = history;
  if (!change(next) || Problem(next).empty()) {
    return false;
  }
  history = std::move(next);
  return true;
}

bool DropEvents(History& history, std::size_t many) {
  bool dropped = false;
  for (std::size_t first = 0; first < history.events.size();) {
    const bool done = Try(history, [&](History& next) {
      const auto from = next.events.begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t left = next.events.size() - first;
      next.events.erase(from, from + static_cast<std::ptrdiff_t>(std::min(many, left)));
      return true;
    });
    dropped = dropped || done;
    first += done ? 0 : many;
  }
  return dropped;
}

// Each of an event's particulars that is not needed goes.
void Simplify(History& history, std::size_t i) {
  for (std::size_t item = 0; item < history.events[i].said.size();) {
    const bool done = Try(history, [&](History& next) {
      std::vector<Said>& said = next.events[i].said;
      said.erase(said.begin() + static_cast<std::ptrdiff_t>(item));
      return !said.empty();
    });
    item += done ? 0 : 1;
  }
  const auto plain = [&](auto member, auto value) {
    Try(history, [&](History& next) {
      const bool differs = next.events[i].*member != value;
      next.events[i].*member = value;
      return differs;
    });
  };
  plain(&HistoryEvent::wall, 0);
  plain(&HistoryEvent::monotonic, 0);
  plain(&HistoryEvent::commit, true);
  plain(&HistoryEvent::answer, true);
  plain(&HistoryEvent::look, false);
  plain(&HistoryEvent::by_publisher, false);
}

}  // namespace

HistoryPlayer::HistoryPlayer(const History& history)
    : history_(history),
      rig_(history.config),
      model_(history.config),
      durable_{model_, {}, {}},
      wall_(At(1'700'000'000)) {
  ReadClock();
}

std::string HistoryPlayer::Play() {
  try {
    for (const HistoryEvent& event : history_.events) {
      Do(event);
      if (!problem_.empty()) {
        return problem_;
      }
    }
    HistoryEvent end;
    end.kind = HistoryEvent::Kind::kCut;
    end.look = true;
    Do(end);
    end.kind = HistoryEvent::Kind::kTime;
    end.monotonic = 3600;  // beyond all limits
    Do(end);
    end.kind = HistoryEvent::Kind::kCut;
    Do(end);
  } catch (const std::exception& thrown) {
    problem_ += std::string("   thrown: ") + thrown.what() + "\n";
  }
  return problem_;
}

void HistoryPlayer::Do(const HistoryEvent& event) {
  switch (event.kind) {
    case HistoryEvent::Kind::kSay:
      Say(event.said);
      break;
    case HistoryEvent::Kind::kCut:
      Cut(event);
      break;
    case HistoryEvent::Kind::kTime:
      if (uncut_) {
        Cut(event);
      }
      monotonic_ += seconds(event.monotonic);
      wall_ += seconds(event.monotonic + event.wall);
      ReadClock();
      break;
    case HistoryEvent::Kind::kHear:
      Hear();
      break;
    case HistoryEvent::Kind::kCrash:
      Crash(event);
  }
}

void HistoryPlayer::ReadClock() {
  now_ = std::max(now_, WholeSecond(clock_.Now(wall_, monotonic_)));
}

void HistoryPlayer::Say(const std::vector<Said>& all) {
  if (now_ - WholeSecond(now_) < milliseconds(400)) {
    now_ += milliseconds(20);
  }
  std::vector<Said> sent;
  std::vector<wire::Message> messages;
  for (const Said& said : all) {
    if (!(history_.Forgets() && model_.IsUncertain(said, now_)) && !model_.DependsOnTheCut(said)) {
      model_.Say(said, now_);
      sent.push_back(said);
      messages.push_back(MessageOf(said));
    }
  }
  if (sent.empty()) {
    return;
  }
  const std::string& publisher = sent.front().publisher;
  const Header header{publisher, 1, ++rig_.sequences[publisher], 1, {}};
  rig_.Do({Event::Kind::kMessage, now_, Transport::kReliable, wire::EncodeHeader(header),
           messages.size() == 1 ? wire::EncodePayload(messages.front()) : wire::EncodeBatch(messages), true});
  unacknowledged_.push_back(std::move(sent));
  uncut_ = true;
}

void HistoryPlayer::Cut(const HistoryEvent& event) {
  rig_.Cut(now_, false);
  uncommitted_.push_back(rig_.absorbed);
  model_.Cut(now_);
  uncut_ = false;
  for (const pipeline::State::Tally& tally : rig_.state->TakeTallies()) {
    tallies_[tally.publisher] = tally.labels;
  }
  if (event.commit || uncommitted_.size() > kMostUncommitted) {
    EXPECT_TRUE(rig_.store.Commit());
    durable_ = {model_, rig_.sequences, tallies_};
    unacknowledged_.clear();
    std::move(uncommitted_.begin(), uncommitted_.end(), std::back_inserter(unheard_));
    uncommitted_.clear();
    if (event.answer || unheard_.size() > kMostUnheard) {
      Hear();
    }
  }
  if (event.look) {
    Look();
  }
}

void HistoryPlayer::Hear() {
  for (const pipeline::Absorbed& absorbed : std::exchange(unheard_, {})) {
    rig_.ingest->OnAbsorbed(absorbed);
  }
}

void HistoryPlayer::Crash(const HistoryEvent& event) {
  wall_ += seconds(event.wall);
  uncommitted_.clear();
  unheard_.clear();
  rig_.Crash(wall_);
  model_ = durable_.model;
  rig_.sequences = durable_.sequences;
  tallies_ = durable_.tallies;
  uncut_ = false;
  clock_ = window::Clock(rig_.restored.taken);
  now_ = rig_.restored.taken;
  ReadClock();
  std::vector<std::vector<Said>> lost = std::exchange(unacknowledged_, {});
  if (event.by_publisher) {
    std::stable_sort(lost.begin(), lost.end(),
                     [](const auto& a, const auto& b) { return a.front().publisher < b.front().publisher; });
  }
  for (const std::vector<Said>& said : lost) {
    Say(said);
  }
}

Numbers HistoryPlayer::ObservedNow() {
  Numbers numbers = Observed(*rig_.Take(now_));
  for (const auto& [publisher, tally] : tallies_) {
    const auto add = [&, &name = publisher](const std::string& field, std::uint64_t n) {
      if (n != 0) {
        numbers[name + " labels " + field] = static_cast<std::int64_t>(n);
      }
    };
    // Those that met predictions which came after them, in the same cut, are joined; in the next, waiting.
    add("joined or waiting", tally.joined + tally.waiting);
    add("corrected", tally.corrected);
    add("duplicate", tally.duplicate);
    add("late", tally.late);
    add("refused", tally.refused);
  }
  return numbers;
}

void HistoryPlayer::Look() {
  problem_ += Differences(Expected(), ObservedNow());
}

History Shortened(History history) {
  for (std::size_t many = history.events.size() / 2; many > 0; many /= 2) {
    while (DropEvents(history, many)) {
    }
  }
  for (std::size_t i = 0; i < history.events.size(); ++i) {
    Simplify(history, i);
  }
  DropEvents(history, 1);
  return history;
}

}  // namespace detwatch::test
