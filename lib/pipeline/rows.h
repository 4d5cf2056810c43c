#pragma once
// lib/pipeline -- what the store holds beside counts (lib/cells/rows.h) and waiting frames
// (lib/join/ledger_rows.h): every key and row of this room, with what writes a row beside what reads it.
//
//   u                       store id
//   z                       head: checkpoint, time, next ordinal and ids
//   i                       ingest counters
//   n <class 4>             class names
//   l <hash 8>              class lists
//   e <set 8>               sets of classes that frames are counted by
//   m <model 4>             models: what was announced, and their counts
//   s <name>                streams with tags
//   q <transport 1> <name>  publishers: epoch, received, label tally
//   p <number 8>            messages that wait for their class list
//   d <p or l> <generation 8> <checkpoint 8>   dedup keys of predictions and labels
//
// Numbers in keys are big-endian, so that a scan is in their order. The first byte of a row is its version.
// Frozen by golden files: a change here is a new version of the row, and a new format of the store with a
// migration (daemon/serve/migrations.h lists them).
//
// Laws (tests of the same name): ReadingWhatWasWrittenGivesTheSame, EveryRowIsFrozen.
// Threads: none. Errors: Result; a row that was cut or changed is told from ours.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/accumulate/ring.h"
#include "lib/core/envelope.h"
#include "lib/core/frame.h"
#include "lib/core/result.h"
#include "lib/core/time.h"
#include "lib/delivery/sequence.h"
#include "lib/judge/class_registry.h"
#include "lib/settle/arrivals.h"
#include "lib/snapshot/snapshot.h"

namespace detwatch::pipeline {

// Of the whole store: what a start checks first.
inline constexpr std::uint32_t kStoreFormat = 2;

namespace keys {

inline constexpr std::string_view kStoreId = "u";
inline constexpr std::string_view kHead = "z";
inline constexpr std::string_view kCounters = "i";
inline constexpr std::string_view kClassNames = "n";
inline constexpr std::string_view kClassLists = "l";
inline constexpr std::string_view kClassSets = "e";
inline constexpr std::string_view kModels = "m";
inline constexpr std::string_view kStreams = "s";
inline constexpr std::string_view kPublishers = "q";
inline constexpr std::string_view kParkedMessages = "p";
inline constexpr std::string_view kSeenPredictions = "dp";
inline constexpr std::string_view kSeenLabels = "dl";

[[nodiscard]] std::string ClassName(ClassId class_id);
[[nodiscard]] std::string ClassList(ClassListHash hash);
[[nodiscard]] std::string ClassSet(std::uint64_t set);
[[nodiscard]] std::string Model(std::uint32_t id);
[[nodiscard]] std::string Stream(std::string_view name);
[[nodiscard]] std::string Publisher(Transport transport, std::string_view name);
[[nodiscard]] std::string Parked(std::uint64_t number);
// `kind`: kSeenPredictions or kSeenLabels. All of one generation, or what one checkpoint added to it.
[[nodiscard]] std::string Seen(std::string_view kind, std::uint64_t generation);
[[nodiscard]] std::string Seen(std::string_view kind, std::uint64_t generation, std::uint64_t cut);

// The number behind the prefix of a key.
[[nodiscard]] std::uint32_t Number32(std::string_view key, std::string_view prefix);
[[nodiscard]] std::uint64_t Number64(std::string_view key, std::string_view prefix);

}  // namespace keys

struct HeadRow {
  std::uint64_t cut = 0;
  TimePoint taken;
  accumulate::Ordinal next_ordinal = 1;
  std::uint32_t next_model = 0;
  std::uint32_t next_group = 0;
  std::uint32_t next_class = 0;
  std::uint64_t oldest_seen_predictions = 0;  // generations below are deleted
  std::uint64_t oldest_seen_labels = 0;
  std::uint64_t cuts = 0;  // absorbed
};
[[nodiscard]] std::string Encode(const HeadRow& row);
[[nodiscard]] Result<HeadRow> ParseHead(std::string_view bytes);

[[nodiscard]] std::string EncodeClassName(std::string_view name);
[[nodiscard]] Result<std::string> ParseClassName(std::string_view bytes);

// The hash is in the key.
[[nodiscard]] std::string EncodeClassList(const judge::ClassEntries& entries);
[[nodiscard]] Result<judge::ClassEntries> ParseClassList(std::string_view bytes);

[[nodiscard]] std::string EncodeClassSet(const std::vector<ClassId>& classes);
[[nodiscard]] Result<std::vector<ClassId>> ParseClassSet(std::string_view bytes);

struct ModelRow {
  snapshot::Model values;
  Tags tags;
  bool labels_expected = true;
  ClassListHash class_list{};  // announced; 0: none
};
[[nodiscard]] std::string Encode(const ModelRow& row);
[[nodiscard]] Result<ModelRow> ParseModel(std::string_view bytes);

[[nodiscard]] std::string EncodeStream(const Tags& tags);
[[nodiscard]] Result<Tags> ParseStream(std::string_view bytes);

// Publisher and transport are in the key.
struct PublisherRow {
  delivery::Sequences::Mark mark;
  TimePoint last_seen;
  std::uint64_t labels_epoch = 0;  // the run that `labels` are of
  LabelTally labels;
};
[[nodiscard]] std::string Encode(const PublisherRow& row);
[[nodiscard]] Result<PublisherRow> ParsePublisher(std::string_view key, std::string_view bytes);

// A message that waits for its class list.
struct ParkedRow {
  settle::Sender sender;
  TimePoint since;
  std::string payload;  // wire::EncodePayload
};
[[nodiscard]] std::string Encode(const ParkedRow& row);
[[nodiscard]] Result<ParkedRow> ParseParked(std::string_view bytes);

// join::Seen::Change::bytes, which join::Seen reads again.
[[nodiscard]] std::string EncodeSeen(std::string_view change);
[[nodiscard]] Result<std::string> ParseSeen(std::string_view bytes);

}  // namespace detwatch::pipeline
