#include "lib/join/seen.h"

#include <algorithm>
#include <utility>

#include "lib/core/bytes.h"

namespace detwatch::join {
namespace {

// 0 marks a free slot; the finaliser of splitmix64 spreads weak hashes over the table.
std::uint64_t Spread(std::uint64_t key) {
  key ^= key >> 30;
  key *= 0xbf58476d1ce4e5b9ULL;
  key ^= key >> 27;
  key *= 0x94d049bb133111ebULL;
  key ^= key >> 31;
  return key == 0 ? 1 : key;
}

// The content of a key that is not known after all: a table cannot lose a single entry.
constexpr std::uint64_t kNotKnown = UINT64_MAX;

}  // namespace

const Seen::Slot* Seen::Table::Find(std::uint64_t key) const {
  if (slots.empty()) {
    return nullptr;
  }
  const std::size_t mask = slots.size() - 1;
  for (std::size_t i = key & mask;; i = (i + 1) & mask) {
    if (slots[i].key == key) {
      return &slots[i];
    }
    if (slots[i].key == 0) {
      return nullptr;
    }
  }
}

void Seen::Table::Insert(std::uint64_t key, std::uint64_t content) {
  if ((size + 1) * 4 > slots.size() * 3) {
    Grow();
  }
  const std::size_t mask = slots.size() - 1;
  std::size_t i = key & mask;
  while (slots[i].key != 0 && slots[i].key != key) {
    i = (i + 1) & mask;
  }
  size += slots[i].key == 0 ? 1 : 0;
  slots[i] = {key, content};
}

void Seen::Table::Grow() {
  std::vector<Slot> old = std::exchange(slots, std::vector<Slot>(slots.empty() ? 1024 : slots.size() * 2));
  size = 0;
  for (const Slot& slot : old) {
    if (slot.key != 0) {
      Insert(slot.key, slot.content);
    }
  }
}

std::optional<std::uint64_t> Seen::Find(std::uint64_t key) const {
  key = Spread(key);
  for (const Table* table : {&current_, &previous_}) {
    if (const Slot* slot = table->Find(key)) {
      return slot->content == kNotKnown ? std::nullopt : std::optional(slot->content);
    }
  }
  return std::nullopt;
}

// What leaves now was inserted before the generation that stays.
void Seen::StartGeneration(std::uint64_t number, bool keep_current) {
  const bool forgets = !keep_current || previous_.size > 0;
  if (forgets) {
    complete_since_ = keep_current ? started_ : TimePoint::max();
  }
  previous_ = keep_current ? std::move(current_) : Table{};
  current_ = Table{};
  generation_ = number;
}

void Seen::Insert(std::uint64_t key, std::uint64_t content, TimePoint now) {
  if (current_.size == 0) {
    started_ = now;
  } else if (now - started_ >= horizon_ || current_.size >= limit_) {
    // Past two horizons nothing of the older generation could still be asked for.
    StartGeneration(generation_ + 1, now - started_ < 2 * horizon_);
    started_ = now;
    complete_since_ = std::min(complete_since_, now);
  }
  const Slot slot{Spread(key), content};
  current_.Insert(slot.key, slot.content);
  Note(changes_, generation_, started_, slot);
}

void Seen::PutBack(std::uint64_t key, std::optional<std::uint64_t> provisional,
                   std::optional<std::uint64_t> before, TimePoint now) {
  if (Find(key) == provisional) {
    Insert(key, before.value_or(kNotKnown), now);
  }
}

void Seen::PutBack(Changes& taken, std::uint64_t key, std::optional<std::uint64_t> before) {
  Note(taken.changes, taken.current, taken.started, {Spread(key), before.value_or(kNotKnown)});
}

// A change is when its generation began, and 16 bytes an entry.
void Seen::Note(std::vector<Change>& changes, std::uint64_t generation, TimePoint started, const Slot& slot) {
  if (changes.empty() || changes.back().generation != generation) {
    changes.push_back({generation, {}});
    AppendFixed64(changes.back().bytes, static_cast<std::uint64_t>(ToUnixNanos(started)));
  }
  AppendFixed64(changes.back().bytes, slot.key);
  AppendFixed64(changes.back().bytes, slot.content);
}

Seen::Changes Seen::TakeChanges() {
  Changes taken{previous_.size > 0 ? generation_ - 1 : generation_, generation_, started_,
                std::move(changes_)};
  changes_.clear();
  return taken;
}

Result<void> Seen::Restore(const Change& change) {
  ByteReader in(change.bytes);
  const auto started = static_cast<std::int64_t>(in.Fixed64());
  if (!in.ok() || in.left() % 16 != 0 || change.generation < generation_) {
    return Fail("dedup keys: " + std::to_string(change.bytes.size()) + " bytes of generation " +
                std::to_string(change.generation) + " are cut short or out of order");
  }
  if (change.generation > generation_) {
    const bool first = current_.size == 0 && previous_.size == 0;
    StartGeneration(change.generation, change.generation == generation_ + 1);
    if (first && change.generation > 1) {
      complete_since_ = FromUnixNanos(started);  // older ones were forgotten before
    }
  }
  started_ = FromUnixNanos(started);
  complete_since_ = std::min(complete_since_, started_);
  while (in.left() > 0) {
    const std::uint64_t key = in.Fixed64();
    current_.Insert(key, in.Fixed64());
  }
  return {};
}

std::size_t Seen::bytes() const {
  return (current_.slots.capacity() + previous_.slots.capacity()) * sizeof(Slot);
}

}  // namespace detwatch::join
