#include "lib/delivery/sequence.h"

#include <algorithm>

namespace detwatch::delivery {
namespace {

// The lowest sequence the publisher can still send. A message in hand is at least as old as itself, and a
// hello that knows nothing says 0.
std::uint64_t OldestHeld(const Header& header) {
  return header.sequence == 0 ? header.oldest_held : std::min(header.oldest_held, header.sequence);
}

// An epoch is the time in ns at which the run began; one in the future is young.
bool OlderThan(std::uint64_t epoch, TimePoint now, Duration age) {
  const std::int64_t latest = ToUnixNanos(now) - age.count();
  return latest > 0 && epoch < static_cast<std::uint64_t>(latest);
}

}  // namespace

PublisherState Sequences::Begin(const Header& header, Transport transport, bool known) {
  PublisherState state;
  state.epoch = header.epoch;
  state.stranger = !known;
  if (transport == Transport::kSubscribe) {
    // A run of a publisher we already knew begins at 1; a stranger may have talked long before we listened.
    state.received = known ? 0 : header.sequence - 1;
    state.begun = true;
  }
  return state;
}

std::uint64_t Sequences::SetBaseline(PublisherState& state, const Header& header, bool forgotten) const {
  state.begun = true;
  const std::uint64_t oldest = OldestHeld(header);
  state.received = (oldest > 0 ? oldest : header.sequence) - 1;
  if ((state.names_store || header.store_id == store_id_) && oldest > 0 && !forgotten) {
    return state.received;  // the store was rolled back
  }
  // What it gave up between its hello and now.
  const bool dropped = state.hello_oldest > 0 && oldest > state.hello_oldest;
  return dropped ? oldest - state.hello_oldest : 0;
}

Verdict Sequences::Judge(PublisherState& state, const Header& header, Transport transport,
                         TimePoint now) const {
  const bool reliable = transport == Transport::kReliable;
  if (header.sequence == 0) {
    // The first hello tells what the run knew when it met us; a later one has read our answer.
    if (state.hello_oldest == 0) {
      state.names_store = header.store_id == store_id_;
      state.hello_oldest = header.oldest_held;
    } else if (header.oldest_held > 0) {
      state.hello_oldest = std::min(state.hello_oldest, header.oldest_held);
    }
    return {.kind = Verdict::Kind::kHello};
  }
  Verdict verdict;
  PublisherState next = state;
  if (!next.begun) {
    // A row that was forgotten looks like one that a rollback took. Only a run that began longer ago than the
    // idle time can have been forgotten, and of it we would call lost what we have counted.
    verdict.lost = SetBaseline(next, header, next.stranger && OlderThan(header.epoch, now, idle_));
  } else if (const std::uint64_t oldest = OldestHeld(header); reliable && oldest > next.received + 1) {
    verdict.lost = oldest - 1 - next.received;
    next.received = oldest - 1;
  }
  const std::uint64_t missing = header.sequence > next.received ? header.sequence - next.received - 1 : 0;
  if (verdict.lost > kMostStep || missing > kMostStep) {
    return {.kind = Verdict::Kind::kWildStep};
  }
  state = next;
  if (header.sequence <= state.received) {
    verdict.kind = Verdict::Kind::kDuplicate;
    return verdict;
  }
  if (missing > 0 && reliable) {
    verdict.kind = Verdict::Kind::kGap;
    // A clock that was set back must not silence us for as long as it went back.
    const bool asked_lately =
        state.gap_asked != TimePoint{} && now >= state.gap_asked && now - state.gap_asked < kAskEvery;
    if (!asked_lately) {
      verdict.expected = state.received + 1;
      state.gap_asked = now;
    }
    return verdict;
  }
  verdict.lost += missing;
  state.received = header.sequence;
  return verdict;
}

Verdict Sequences::OnHeader(const Header& header, Transport transport, TimePoint now) {
  if (transport == Transport::kSubscribe && header.sequence == 0) {
    return {.kind = Verdict::Kind::kHello};  // nobody answers there, and nothing follows from it
  }
  Rows& rows = Of(transport);
  auto found = rows.find(std::string_view(header.publisher));
  const bool known = found != rows.end();
  if (!known) {
    if (size() >= max_publishers_) {
      return {.kind = Verdict::Kind::kRefused};
    }
  } else if (header.epoch < found->second.state.epoch) {
    return {.kind = Verdict::Kind::kStaleEpoch};
  }
  const bool begins = !known || header.epoch > found->second.state.epoch;
  PublisherState next = begins ? Begin(header, transport, known) : found->second.state;
  const Verdict verdict = Judge(next, header, transport, now);
  if (verdict.kind == Verdict::Kind::kWildStep) {
    return verdict;
  }
  if (!known) {
    found = rows.emplace(header.publisher, Row{}).first;
  }
  Row& row = found->second;
  const bool advanced = row.state.epoch != next.epoch || row.state.received != next.received;
  row.state = next;
  row.state.last_seen = now;
  if (advanced) {
    Advanced(row, header, transport);
  }
  return verdict;
}

void Sequences::Advanced(Row& row, const Header& header, Transport transport) {
  if (!row.marked) {
    row.marked = true;
    advanced_.emplace_back(transport, header.publisher);
  }
}

const PublisherState* Sequences::Find(std::string_view publisher, Transport transport) const {
  const Rows& rows = rows_[static_cast<std::size_t>(transport)];
  const auto found = rows.find(publisher);
  return found == rows.end() ? nullptr : &found->second.state;
}

std::vector<Sequences::Mark> Sequences::TakeMarks() {
  std::vector<Mark> marks;
  marks.reserve(advanced_.size());
  for (auto& [transport, publisher] : advanced_) {
    Rows& rows = Of(transport);
    const auto found = rows.find(std::string_view(publisher));
    // A row may have expired, and even have come back, since it was noted.
    if (found != rows.end() && found->second.marked) {
      found->second.marked = false;
      const PublisherState& state = found->second.state;
      marks.push_back({std::move(publisher), transport, state.epoch, state.received});
    }
  }
  advanced_.clear();
  return marks;
}

void Sequences::Durable(const std::vector<Mark>& marks) {
  for (const Mark& mark : marks) {
    Rows& rows = Of(mark.transport);
    const auto found = rows.find(std::string_view(mark.publisher));
    if (found != rows.end() && found->second.state.epoch == mark.epoch) {
      PublisherState& state = found->second.state;
      state.durable = std::max(state.durable, mark.received);
    }
  }
}

void Sequences::Restore(const Mark& mark, TimePoint last_seen) {
  PublisherState state;
  state.epoch = mark.epoch;
  state.received = mark.received;
  state.durable = mark.received;
  state.begun = mark.received > 0 || mark.transport == Transport::kSubscribe;
  state.last_seen = last_seen;
  Of(mark.transport).insert_or_assign(mark.publisher, Row{state, false});
}

std::vector<std::pair<Transport, std::string>> Sequences::Expire(TimePoint now) {
  std::vector<std::pair<Transport, std::string>> forgotten;
  for (const Transport transport : {Transport::kSubscribe, Transport::kReliable}) {
    std::erase_if(Of(transport), [&](const auto& entry) {
      const PublisherState& state = entry.second.state;
      // A cut under way would else make durable for the next row what that row never received.
      const bool idle = now - state.last_seen > idle_ && state.durable == state.received;
      if (idle) {
        forgotten.emplace_back(transport, entry.first);
      }
      return idle;
    });
  }
  return forgotten;
}

}  // namespace detwatch::delivery
