#include "tests/delivery/daemon_support.h"

#include <algorithm>

namespace detwatch::delivery {

unsigned Counts::Judged(std::uint64_t epoch, std::uint64_t sequence) const {
  const auto run = runs.find(epoch);
  return run != runs.end() && sequence < run->second.judged.size() ? run->second.judged[sequence] : 0;
}

bool Counts::Counted(std::size_t content) const {
  return content < counted.size() && counted[content] != 0;
}

void SimulatedDaemon::Start(TimePoint now) {
  sequences_.emplace(100, store_id_, idle_);
  boot_id_ = "boot " + std::to_string(++boots_);
  counts_ = store_.counts;
  pending_.clear();
  peers_.clear();
  for (const auto& [publisher, mark] : store_.rows) {
    sequences_->Restore(mark, now);
  }
}

void SimulatedDaemon::OnMessage(const Message& message, const ConnectionPtr& from, TimePoint now) {
  const Header& header = message.header;
  const Verdict verdict = sequences_->OnHeader(header, Transport::kReliable, now);
  if (verdict.kind == Verdict::Kind::kStaleEpoch) {
    delivery::Answer answer;
    answer.epoch = header.epoch;
    answer.stale_epoch = true;
    Send(from, std::move(answer), now);
    return;
  }
  peers_[header.publisher] = from;
  Counts::Run& run = counts_.runs[header.epoch];
  run.lost += verdict.lost;
  if (verdict.kind == Verdict::Kind::kTake) {
    run.judged.resize(std::max<std::size_t>(run.judged.size(), header.sequence + 1));
    ++run.judged[header.sequence];
    const std::size_t content = std::stoul(message.payload);
    counts_.counted.resize(std::max(counts_.counted.size(), content + 1));
    counts_.counted[content] = 1;
  }
  if (verdict.kind == Verdict::Kind::kHello || verdict.expected != 0) {
    Answer(header.publisher, now, verdict.expected);
  }
}

void SimulatedDaemon::Answer(const std::string& publisher, TimePoint now, std::uint64_t expected) {
  const PublisherState* state = sequences_->Find(publisher, Transport::kReliable);
  const auto peer = peers_.find(publisher);
  if (state == nullptr || peer == peers_.end()) {
    return;
  }
  const auto row = store_.rows.find(publisher);
  const bool kept = row != store_.rows.end() && row->second.epoch == state->epoch;
  if (state->durable > state->received || (state->durable > (kept ? row->second.received : 0))) {
    broken_law_ = publisher + ": durable " + std::to_string(state->durable) + " runs ahead of the checkpoint";
  }
  const std::uint64_t credit = disk_full_ ? 0 : kCredit;
  Send(peer->second,
       {state->epoch, false, {store_id_, boot_id_, state->received, state->durable, credit, expected}, era_},
       now);
}

void SimulatedDaemon::Send(const ConnectionPtr& to, delivery::Answer answer, TimePoint now) {
  if (to->down && !to->broken) {
    to->to_publisher.push_back({now + to->delay, std::move(answer)});
  }
}

void SimulatedDaemon::Cut(TimePoint now) {
  if (pending_.size() < kCutsUnderWay) {
    sequences_->Expire(now);
    pending_.push_back({sequences_->TakeMarks(), counts_});
  }
}

void SimulatedDaemon::Durable(TimePoint now) {
  if (disk_full_ || pending_.empty()) {
    return;
  }
  Pending cut = std::move(pending_.front());
  pending_.pop_front();
  history_.push_back(store_);
  if (history_.size() > kHistory) {
    history_.pop_front();
  }
  store_.counts = std::move(cut.counts);
  for (const Sequences::Mark& mark : cut.marks) {
    store_.rows[mark.publisher] = mark;
  }
  sequences_->Durable(cut.marks);
  for (const Sequences::Mark& mark : cut.marks) {
    Answer(mark.publisher, now, 0);
  }
}

void SimulatedDaemon::Crash(TimePoint now) {
  Start(now);
}

void SimulatedDaemon::RollBack(std::size_t back, TimePoint now) {
  for (std::size_t i = 0; i < back && !history_.empty(); ++i) {
    store_ = std::move(history_.back());
    history_.pop_back();
  }
  ++era_;
  Start(now);
}

void SimulatedDaemon::ReplaceStore(TimePoint now) {
  store_ = {};
  history_.clear();
  store_id_ = "store " + std::to_string(++stores_);
  ++era_;
  Start(now);
}

}  // namespace detwatch::delivery
