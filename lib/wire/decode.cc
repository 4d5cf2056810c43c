#include "lib/wire/decode.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "lib/wire/read.h"
#include "lib/wire/text.h"

namespace detwatch::wire {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Sequences beyond are a slip that would bend the counter of lost messages for ever.
constexpr std::uint64_t kMaxSequence = std::numeric_limits<std::int64_t>::max();

// Calls visit(field, bytes) for every length-delimited field on the outermost level of `message`, in order.
// False when that level is not well-formed. Builds nothing, so that items are decoded from where they lie
// and can be counted before they take memory: an empty item of two bytes would become an object of fifty.
// A field that is cut short is visited with what there is of it.
template <class Visit>
bool ForEachField(std::string_view message, Visit visit) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) {
        return false;
      }
      continue;
    }
    std::uint32_t length = 0;
    const bool fits =
        in.ReadVarint32(&length) && length <= message.size() - static_cast<std::size_t>(in.CurrentPosition());
    if (!fits) {
      visit(WireFormatLite::GetTagFieldNumber(tag),
            message.substr(static_cast<std::size_t>(in.CurrentPosition())));
      return false;
    }
    visit(WireFormatLite::GetTagFieldNumber(tag),
          message.substr(static_cast<std::size_t>(in.CurrentPosition()), length));
    if (!in.Skip(static_cast<int>(length))) {
      return false;
    }
  }
  return in.ConsumedEntireMessage();
}

// The kind a payload carries and the bytes of it; the last one counts, as everywhere in protobuf.
struct Kind {
  int field = 0;
  std::string_view body;
};

bool FindKind(std::string_view payload, Kind& kind) {
  return ForEachField(payload, [&](int field, std::string_view body) {
    if (field >= pb::Payload::kPredictions && field <= pb::Payload::kTombstone) {
      kind = {field, body};
    }
  });
}

// Adds one to `count` for each `field` on the outermost level.
bool CountField(std::string_view message, int field, std::size_t& count) {
  return ForEachField(message, [&](int number, std::string_view) { count += number == field ? 1U : 0U; });
}

// For the tally of labels, also of a message that is refused.
bool CarriesLabels(const Kind& kind) {
  std::size_t halves = 0;
  if (kind.field == pb::Payload::kFrame) {
    (void)CountField(kind.body, pb::Frame::kLabelsFieldNumber, halves);
  }
  return kind.field == pb::Payload::kLabels || halves > 0;
}

Reject Unreadable(std::string_view what) {
  return {RejectReason::kPayloadUnreadable, std::string(what) + ": not a message of this kind"};
}

Reject TooLarge(std::string_view what, std::size_t have, std::size_t most) {
  return {RejectReason::kOversized,
          std::string(what) + ": " + std::to_string(have) + ", at most " + std::to_string(most)};
}

Reject HeaderInvalid(std::string detail) {
  return {RejectReason::kHeaderInvalid, std::move(detail)};
}

}  // namespace

struct Decoder::Arena {
  // Large enough for a frame of 1000 boxes; what does not fit is allocated and given back.
  static constexpr std::size_t kBlock = 64U << 10;

  Arena() : block(kBlock), arena(block.data(), block.size()) {}

  template <class From, class To>
  std::optional<Reject> Parse(std::string_view what, std::string_view body, const WireLimits& limits,
                              To& out) {
    auto* from = google::protobuf::Arena::CreateMessage<From>(&arena);
    if (!from->ParseFromArray(body.data(), static_cast<int>(body.size()))) {
      return Unreadable(what);
    }
    return Read(*from, limits, out);
  }

  Item DecodeItem(const Kind& kind, const WireLimits& limits);

  std::vector<char> block;
  google::protobuf::Arena arena;
};

namespace {

// Entries of a list, counted before they are built.
std::optional<Reject> CheckCount(std::string_view what, std::string_view body, int field, std::size_t most,
                                 RejectReason reason) {
  std::size_t count = 0;
  if (!CountField(body, field, count)) {
    return Unreadable(what);
  }
  if (count > most) {
    return Reject{reason, std::string(what) + ": " + std::to_string(count) + " entries, at most " +
                              std::to_string(most)};
  }
  return std::nullopt;
}

template <class To>
To& Start(Item& item) {
  return item->emplace<To>();
}

}  // namespace

Item Decoder::Arena::DecodeItem(const Kind& kind, const WireLimits& limits) {
  Item item;
  std::optional<Reject> wrong;
  switch (kind.field) {
    case pb::Payload::kPredictions:
      wrong = Parse<pb::Predictions>("predictions", kind.body, limits, Start<Predictions>(item));
      break;
    case pb::Payload::kLabels:
      wrong = Parse<pb::Labels>("labels", kind.body, limits, Start<Labels>(item));
      break;
    case pb::Payload::kFrame:
      wrong = Parse<pb::Frame>("frame", kind.body, limits, Start<FramePair>(item));
      break;
    case pb::Payload::kModelInfo:
      wrong = CheckCount("model_info.tags", kind.body, pb::ModelInfo::kTagsFieldNumber, limits.tags,
                         RejectReason::kTooManyTags);
      if (!wrong) {
        wrong = Parse<pb::ModelInfo>("model_info", kind.body, limits, Start<ModelInfo>(item));
      }
      break;
    case pb::Payload::kStreamInfo:
      wrong = CheckCount("stream_info.tags", kind.body, pb::StreamInfo::kTagsFieldNumber, limits.tags,
                         RejectReason::kTooManyTags);
      if (!wrong) {
        wrong = Parse<pb::StreamInfo>("stream_info", kind.body, limits, Start<StreamInfo>(item));
      }
      break;
    case pb::Payload::kClassList:
      wrong = CheckCount("class_list.entries", kind.body, pb::ClassList::kEntriesFieldNumber,
                         limits.classes_per_list, RejectReason::kTooManyClasses);
      if (!wrong) {
        wrong = Parse<pb::ClassList>("class_list", kind.body, limits, Start<ClassList>(item));
      }
      break;
    case pb::Payload::kTombstone:
      wrong = Parse<pb::Tombstone>("tombstone", kind.body, limits, Start<Tombstone>(item));
      break;
    case pb::Payload::kBatch:
      wrong = Reject{RejectReason::kNestedBatch, "batch.items: a batch holds no batches"};
      break;
    default:
      wrong = Reject{RejectReason::kPayloadEmpty, "payload: no kind that is known here"};
      break;
  }
  if (wrong) {
    wrong->carried_labels = CarriesLabels(kind);
    item = tl::unexpected<Reject>(std::move(*wrong));
  }
  return item;
}

Decoder::Decoder(WireLimits limits) : limits_(limits) {
  // protobuf counts bytes in int, and matching numbers boxes in 16 bits.
  limits_.message_bytes =
      std::min<std::size_t>(limits.message_bytes, std::numeric_limits<std::int32_t>::max());
  limits_.boxes_per_frame =
      std::min<std::size_t>(limits.boxes_per_frame, std::numeric_limits<std::uint16_t>::max());
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<Header, Reject> Decoder::DecodeHeader(std::string_view bytes) const {
  const auto fail = [](Reject reject) { return tl::unexpected<Reject>(std::move(reject)); };
  if (bytes.size() > kMaxHeaderBytes) {
    return fail(TooLarge("header bytes", bytes.size(), kMaxHeaderBytes));
  }
  pb::Header from;
  if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail({RejectReason::kHeaderUnreadable,
                 "header: " + std::to_string(bytes.size()) + " bytes that are not a Header"});
  }
  if (from.publisher().empty()) {
    return fail(HeaderInvalid("publisher: empty"));
  }
  if (auto wrong = CheckString("publisher", from.publisher())) {
    return fail(HeaderInvalid(std::move(wrong->detail)));
  }
  if (auto wrong = CheckString("store_id", from.store_id())) {
    return fail(HeaderInvalid(std::move(wrong->detail)));
  }
  if (from.epoch() == 0) {
    return fail(HeaderInvalid("epoch: 0"));
  }
  if (from.sequence() > kMaxSequence || from.oldest_held() > kMaxSequence) {
    return fail(HeaderInvalid("sequence: " + std::to_string(from.sequence()) +
                              ", oldest_held: " + std::to_string(from.oldest_held()) + ", at most 2^63 - 1"));
  }
  return Header{std::move(*from.mutable_publisher()), from.epoch(), from.sequence(), from.oldest_held(),
                std::move(*from.mutable_store_id())};
}

void Decoder::DecodePayload(std::string_view bytes, std::vector<Item>& items) {
  items.clear();
  const auto reject = [&](Reject why, const Kind& kind = {}) {
    why.carried_labels = CarriesLabels(kind);
    items.emplace_back(tl::unexpected<Reject>(std::move(why)));
  };
  Kind kind;
  if (bytes.size() > limits_.message_bytes) {
    (void)FindKind(bytes.substr(0, limits_.message_bytes), kind);
    return reject(TooLarge("payload bytes", bytes.size(), limits_.message_bytes), kind);
  }
  if (!arena_) {
    arena_ = std::make_unique<Arena>();
  }
  if (!FindKind(bytes, kind)) {
    return reject(Unreadable("payload"), kind);
  }
  if (kind.field != pb::Payload::kBatch) {
    items.push_back(arena_->DecodeItem(kind, limits_));
    arena_->arena.Reset();
    return;
  }
  std::size_t count = 0;
  if (!CountField(kind.body, pb::Batch::kItemsFieldNumber, count)) {
    return reject(Unreadable("batch"));
  }
  if (count == 0) {
    return reject({RejectReason::kPayloadEmpty, "batch.items: none"});
  }
  if (count > limits_.batch_items) {
    return reject(TooLarge("batch.items", count, limits_.batch_items));
  }
  items.reserve(count);
  // Its outcome is known from the count.
  (void)ForEachField(kind.body, [&](int field, std::string_view body) {
    if (field != pb::Batch::kItemsFieldNumber) {
      return;
    }
    Kind inner;
    if (FindKind(body, inner)) {
      items.push_back(arena_->DecodeItem(inner, limits_));
    } else {
      reject(Unreadable("batch.items"), inner);
    }
    arena_->arena.Reset();
  });
}

}  // namespace detwatch::wire
