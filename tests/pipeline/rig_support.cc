#include "tests/pipeline/rig_support.h"

#include <algorithm>
#include <cmath>

namespace detwatch::test {

void CrashingKeyValue::Remember(std::string_view key) {
  if (before_.find(key) == before_.end()) {
    before_.emplace(key, now_.Get(key));
  }
}

void CrashingKeyValue::Put(std::string_view key, std::string_view value) {
  Remember(key);
  now_.Put(key, value);
}

void CrashingKeyValue::Delete(std::string_view key) {
  Remember(key);
  now_.Delete(key);
}

Result<void> CrashingKeyValue::Commit() {
  before_.clear();
  return {};
}

void CrashingKeyValue::Crash() {
  for (const auto& [key, value] : before_) {
    value ? now_.Put(key, *value) : now_.Delete(key);
  }
  before_.clear();
}

std::size_t CrashingKeyValue::Count(std::string_view prefix) const {
  std::size_t n = 0;
  now_.ScanPrefix(prefix, [&](std::string_view, std::string_view) {
    ++n;
    return true;
  });
  return n;
}

void Script::Send(const std::string& publisher, const wire::Message& message, TimePoint at,
                  Transport transport) {
  Header header;
  header.publisher = publisher;
  header.epoch = 1;
  header.oldest_held = 1;
  header.sequence = ++sequences_[{publisher, transport}];
  events.push_back(
      {Event::Kind::kMessage, at, transport, wire::EncodeHeader(header), wire::EncodePayload(message), true});
}

void Rig::Start(TimePoint now) {
  ingest.reset();
  state = std::make_unique<pipeline::State>(config, store);
  auto read = state->Restore(now);
  ASSERT_TRUE(read) << read.error().message;
  restored = std::move(*read);
  ingest = std::make_unique<pipeline::Ingest>(config, restored);
}

pipeline::Cut& Rig::Cut(TimePoint now, bool commit) {
  ingest->Tick(now);
  cut = ingest->TakeCut(now);
  absorbed = state->Absorb(*cut);
  late.insert(late.end(), absorbed.rejects.begin(), absorbed.rejects.end());
  if (commit) {
    EXPECT_TRUE(store.Commit());
    ingest->OnAbsorbed(absorbed);
  }
  return *cut;
}

pipeline::Reaction Rig::Send(const wire::Message& message, TimePoint now, const std::string& publisher) {
  Header header;
  header.publisher = publisher;
  header.epoch = 1;
  header.oldest_held = 1;
  header.sequence = ++sequences[publisher];
  return ingest->OnMessage(Transport::kReliable, wire::EncodeHeader(header), wire::EncodePayload(message),
                           now);
}

void Rig::Do(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kMessage:
      ingest->OnMessage(event.transport, event.header, event.payload, event.at);
      break;
    case Event::Kind::kCut:
      Cut(event.at, event.commit);
      break;
    case Event::Kind::kTake:
      taken.push_back(Take(event.at));
  }
}

int Play(const Script& script, Rig& rig, std::mt19937* random) {
  std::size_t committed = 0;  // everything before is durable
  std::size_t taken = 0;      // snapshots before that
  int crashes = 0;
  for (std::size_t i = 0; i < script.events.size();) {
    const Event& event = script.events[i];
    rig.Do(event);
    ++i;
    if (event.kind == Event::Kind::kCut && event.commit) {
      committed = i;
      taken = rig.taken.size();
    }
    if (random != nullptr && (*random)() % 50 == 0) {
      rig.Crash(committed == 0 ? script.events.front().at : script.events[committed - 1].at);
      rig.taken.resize(taken);
      i = committed;
      ++crashes;
    }
    if (testing::Test::HasFatalFailure()) {
      break;
    }
  }
  return crashes;
}

ClassList OtherClasses() {
  return MakeClassList({{3, "dog"}, {8, "cat"}, {9, "car"}});
}

}  // namespace detwatch::test
