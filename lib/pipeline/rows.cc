#include "lib/pipeline/rows.h"

#include <utility>

#include "lib/core/bytes.h"

namespace detwatch::pipeline {
namespace {

// The first byte of a row. Frozen: a new form is a new number, for all rows of this file.
constexpr std::uint8_t kVersion = 1;

tl::unexpected<Error> Damaged(const char* what) {
  return Fail(std::string("the store is damaged: ") + what + " cannot be read");
}

std::string Versioned() {
  return std::string(1, static_cast<char>(kVersion));
}

std::string Numbered(std::string_view prefix, std::uint32_t number) {
  std::string key(prefix);
  AppendFixed32(key, number);
  return key;
}
std::string Numbered(std::string_view prefix, std::uint64_t number) {
  std::string key(prefix);
  AppendFixed64(key, number);
  return key;
}

void AppendTags(std::string& out, const Tags& tags) {
  AppendVarint(out, tags.size());
  for (const auto& [key, value] : tags) {
    AppendText(out, key);
    AppendText(out, value);
  }
}

Tags ReadTags(ByteReader& in) {
  Tags tags;
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string key(in.Text());
    tags.emplace_back(std::move(key), in.Text());
  }
  return tags;
}

}  // namespace

namespace keys {

std::string ClassName(ClassId class_id) {
  return Numbered(kClassNames, Index(class_id));
}
std::string ClassList(ClassListHash hash) {
  return Numbered(kClassLists, static_cast<std::uint64_t>(hash));
}
std::string ClassSet(std::uint64_t set) {
  return Numbered(kClassSets, set);
}
std::string Model(std::uint32_t id) {
  return Numbered(kModels, id);
}
std::string Stream(std::string_view name) {
  return std::string(kStreams) + std::string(name);
}
std::string Publisher(Transport transport, std::string_view name) {
  return std::string(kPublishers) + static_cast<char>(transport) + std::string(name);
}
std::string Parked(std::uint64_t number) {
  return Numbered(kParkedMessages, number);
}
std::string Seen(std::string_view kind, std::uint64_t generation) {
  return Numbered(kind, generation);
}
std::string Seen(std::string_view kind, std::uint64_t generation, std::uint64_t cut) {
  std::string key = Seen(kind, generation);
  AppendFixed64(key, cut);
  return key;
}
std::uint32_t Number32(std::string_view key, std::string_view prefix) {
  return ByteReader(key.substr(prefix.size())).Fixed32();
}
std::uint64_t Number64(std::string_view key, std::string_view prefix) {
  return ByteReader(key.substr(prefix.size())).Fixed64();
}

}  // namespace keys

std::string Encode(const HeadRow& row) {
  std::string out = Versioned();
  AppendVarint(out, row.cut);
  AppendSigned(out, ToUnixNanos(row.taken));
  AppendVarint(out, row.next_ordinal);
  AppendVarint(out, row.next_model);
  AppendVarint(out, row.next_group);
  AppendVarint(out, row.next_class);
  AppendVarint(out, row.oldest_seen_predictions);
  AppendVarint(out, row.oldest_seen_labels);
  AppendVarint(out, row.cuts);
  return out;
}

Result<HeadRow> ParseHead(std::string_view bytes) {
  ByteReader in(bytes);
  HeadRow row;
  const bool ours = in.Byte() == kVersion;
  row.cut = in.Varint();
  row.taken = FromUnixNanos(in.Signed());
  row.next_ordinal = in.Varint();
  row.next_model = static_cast<std::uint32_t>(in.Varint());
  row.next_group = static_cast<std::uint32_t>(in.Varint());
  row.next_class = static_cast<std::uint32_t>(in.Varint());
  row.oldest_seen_predictions = in.Varint();
  row.oldest_seen_labels = in.Varint();
  row.cuts = in.Varint();
  return ours && in.AtEnd() ? Result<HeadRow>(row) : Damaged("its head");
}

std::string EncodeClassName(std::string_view name) {
  return Versioned() + std::string(name);
}

Result<std::string> ParseClassName(std::string_view bytes) {
  ByteReader in(bytes);
  const bool ours = in.Byte() == kVersion;
  return ours ? Result<std::string>(std::string(in.Raw(in.left()))) : Damaged("a class name");
}

std::string EncodeClassList(const judge::ClassEntries& entries) {
  std::string out = Versioned();
  for (const auto& [id, class_id] : entries) {
    AppendVarint(out, id);
    AppendVarint(out, Index(class_id));
  }
  return out;
}

Result<judge::ClassEntries> ParseClassList(std::string_view bytes) {
  ByteReader in(bytes);
  judge::ClassEntries entries;
  const bool ours = in.Byte() == kVersion;
  while (ours && in.ok() && in.left() > 0) {
    const auto id = static_cast<std::uint32_t>(in.Varint());
    entries.emplace_back(id, static_cast<ClassId>(in.Varint()));
  }
  return ours && in.ok() ? Result<judge::ClassEntries>(std::move(entries)) : Damaged("a class list");
}

std::string EncodeClassSet(const std::vector<ClassId>& classes) {
  std::string out = Versioned();
  for (const ClassId class_id : classes) {
    AppendVarint(out, Index(class_id));
  }
  return out;
}

Result<std::vector<ClassId>> ParseClassSet(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<ClassId> classes;
  const bool ours = in.Byte() == kVersion;
  while (ours && in.ok() && in.left() > 0) {
    classes.push_back(static_cast<ClassId>(in.Varint()));
  }
  return ours && in.ok() ? Result<std::vector<ClassId>>(std::move(classes)) : Damaged("a set of classes");
}

std::string Encode(const ModelRow& row) {
  std::string out = Versioned();
  AppendText(out, row.values.key.model);
  AppendText(out, row.values.key.version);
  AppendTags(out, row.tags);
  out.push_back(row.labels_expected ? 1 : 0);
  AppendFixed64(out, static_cast<std::uint64_t>(row.class_list));
  AppendDouble(out, static_cast<double>(row.values.score_threshold));
  AppendSigned(out, row.values.max_detections);
  AppendSigned(out, ToUnixNanos(row.values.last_frame));
  AppendSigned(out, ToUnixNanos(row.values.last_label));
  AppendVarint(out, row.values.frames);
  AppendVarint(out, row.values.judged);
  AppendVarint(out, row.values.expired);
  return out;
}

Result<ModelRow> ParseModel(std::string_view bytes) {
  ByteReader in(bytes);
  ModelRow row;
  const bool ours = in.Byte() == kVersion;
  row.values.key.model = in.Text();
  row.values.key.version = in.Text();
  row.tags = ReadTags(in);
  row.labels_expected = in.Byte() != 0;
  row.class_list = static_cast<ClassListHash>(in.Fixed64());
  row.values.score_threshold = static_cast<float>(in.Double());
  row.values.max_detections = in.Signed();
  row.values.last_frame = FromUnixNanos(in.Signed());
  row.values.last_label = FromUnixNanos(in.Signed());
  row.values.frames = in.Varint();
  row.values.judged = in.Varint();
  row.values.expired = in.Varint();
  return ours && in.AtEnd() ? Result<ModelRow>(std::move(row)) : Damaged("a model");
}

std::string EncodeStream(const Tags& tags) {
  std::string out = Versioned();
  AppendTags(out, tags);
  return out;
}

Result<Tags> ParseStream(std::string_view bytes) {
  ByteReader in(bytes);
  const bool ours = in.Byte() == kVersion;
  Tags tags = ReadTags(in);
  return ours && in.AtEnd() ? Result<Tags>(std::move(tags)) : Damaged("a stream");
}

std::string Encode(const PublisherRow& row) {
  std::string out = Versioned();
  AppendVarint(out, row.mark.epoch);
  AppendVarint(out, row.mark.received);
  AppendSigned(out, ToUnixNanos(row.last_seen));
  AppendVarint(out, row.labels_epoch);
  for (const std::uint64_t n : {row.labels.joined, row.labels.waiting, row.labels.corrected,
                                row.labels.duplicate, row.labels.late, row.labels.refused}) {
    AppendVarint(out, n);
  }
  return out;
}

Result<PublisherRow> ParsePublisher(std::string_view key, std::string_view bytes) {
  ByteReader in(bytes);
  PublisherRow row;
  const bool ours = in.Byte() == kVersion && key.size() >= 2;
  if (ours) {
    row.mark.transport = key[1] == 0 ? Transport::kSubscribe : Transport::kReliable;
    row.mark.publisher = key.substr(2);
  }
  row.mark.epoch = in.Varint();
  row.mark.received = in.Varint();
  row.last_seen = FromUnixNanos(in.Signed());
  row.labels_epoch = in.Varint();
  for (std::uint64_t* n : {&row.labels.joined, &row.labels.waiting, &row.labels.corrected,
                           &row.labels.duplicate, &row.labels.late, &row.labels.refused}) {
    *n = in.Varint();
  }
  return ours && in.AtEnd() ? Result<PublisherRow>(std::move(row)) : Damaged("a publisher");
}

std::string Encode(const ParkedRow& row) {
  std::string out = Versioned();
  out.push_back(static_cast<char>(row.sender.transport));
  AppendText(out, row.sender.publisher);
  AppendVarint(out, row.sender.epoch);
  AppendVarint(out, row.sender.sequence);
  AppendVarint(out, row.sender.item);
  AppendSigned(out, ToUnixNanos(row.since));
  AppendText(out, row.payload);
  return out;
}

Result<ParkedRow> ParseParked(std::string_view bytes) {
  ByteReader in(bytes);
  ParkedRow row;
  const bool ours = in.Byte() == kVersion;
  row.sender.transport = in.Byte() == 0 ? Transport::kSubscribe : Transport::kReliable;
  row.sender.publisher = in.Text();
  row.sender.epoch = in.Varint();
  row.sender.sequence = in.Varint();
  row.sender.item = static_cast<std::uint32_t>(in.Varint());
  row.since = FromUnixNanos(in.Signed());
  row.payload = in.Text();
  return ours && in.AtEnd() ? Result<ParkedRow>(std::move(row))
                            : Damaged("a message that waits for its classes");
}

std::string EncodeSeen(std::string_view change) {
  return Versioned() + std::string(change);
}

Result<std::string> ParseSeen(std::string_view bytes) {
  const bool ours = !bytes.empty() && bytes.front() == static_cast<char>(kVersion) && bytes.size() % 16 == 9;
  return ours ? Result<std::string>(std::string(bytes.substr(1))) : Damaged("dedup keys");
}

}  // namespace detwatch::pipeline
