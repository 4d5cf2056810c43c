#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "lib/wire/encode.h"
#include "lib/wire/read.h"

namespace detwatch::wire {

namespace {

std::uint64_t ToNanos(Duration duration) {
  return static_cast<std::uint64_t>(std::max(duration, Duration{}).count());
}

// A daemon that says more is not believed; these are for people anyway.
Duration FromNanos(std::uint64_t nanos) {
  constexpr std::uint64_t kLongest = std::numeric_limits<std::int64_t>::max();
  return Duration(static_cast<std::int64_t>(std::min(nanos, kLongest)));
}

void Write(const WireLimits& from, pb::Limits& to) {
  to.set_message_bytes(from.message_bytes);
  to.set_boxes_per_frame(from.boxes_per_frame);
  to.set_classes_per_list(from.classes_per_list);
  to.set_batch_items(from.batch_items);
  to.set_tags(from.tags);
}

void Write(const ToldLimits& from, pb::Limits& to) {
  to.set_string_bytes(from.string_bytes);
  to.set_header_bytes(from.header_bytes);
  to.set_class_names(from.class_names);
  to.set_class_lists(from.class_lists);
  to.set_class_list_wait_ns(ToNanos(from.class_list_wait));
  to.set_class_list_waiting_bytes(from.class_list_waiting_bytes);
  to.set_models(from.models);
  to.set_streams(from.streams);
  to.set_groups(from.groups);
  to.set_publishers(from.publishers);
  to.set_cell_bytes(from.cell_bytes);
  to.set_retention_ns(ToNanos(from.retention));
  to.set_waiting_bytes(from.waiting_bytes);
  to.set_corrections_ns(ToNanos(from.corrections));
  to.set_corrections_bytes(from.corrections_bytes);
}

ToldLimits Told(const pb::Limits& from) {
  return {.string_bytes = from.string_bytes(),
          .header_bytes = from.header_bytes(),
          .class_names = from.class_names(),
          .class_lists = from.class_lists(),
          .class_list_waiting_bytes = from.class_list_waiting_bytes(),
          .models = from.models(),
          .streams = from.streams(),
          .groups = from.groups(),
          .publishers = from.publishers(),
          .cell_bytes = from.cell_bytes(),
          .waiting_bytes = from.waiting_bytes(),
          .corrections_bytes = from.corrections_bytes(),
          .class_list_wait = FromNanos(from.class_list_wait_ns()),
          .retention = FromNanos(from.retention_ns()),
          .corrections = FromNanos(from.corrections_ns())};
}

}  // namespace

std::string EncodeReply(const Reply& reply) {
  pb::Reply to;
  to.set_publisher(reply.publisher);
  to.set_epoch(reply.epoch);
  to.set_store_id(reply.acknowledgement.store_id);
  to.set_boot_id(reply.acknowledgement.boot_id);
  to.set_received(reply.acknowledgement.received);
  to.set_durable(reply.acknowledgement.durable);
  to.set_credit_bytes(reply.acknowledgement.credit_bytes);
  to.set_expected(reply.acknowledgement.expected);
  Write(reply.limits, *to.mutable_limits());
  Write(reply.told, *to.mutable_limits());
  for (const RejectedItem& item : reply.rejected) {
    pb::RejectedItem& rejected = *to.add_rejected();
    rejected.set_sequence(item.sequence);
    rejected.set_item(item.item);
    rejected.set_reason(item.reason);
    rejected.set_detail(item.detail);
  }
  to.set_stale_epoch(reply.stale_epoch);
  if (const LabelTally& tally = reply.acknowledgement.labels; tally != LabelTally{}) {
    pb::LabelTally& labels = *to.mutable_labels();
    labels.set_joined(tally.joined);
    labels.set_waiting(tally.waiting);
    labels.set_corrected(tally.corrected);
    labels.set_duplicate(tally.duplicate);
    labels.set_late(tally.late);
    labels.set_refused(tally.refused);
  }
  return to.SerializeAsString();
}

Result<Reply> DecodeReply(std::string_view bytes) {
  pb::Reply from;
  constexpr std::size_t kMost = WireLimits{}.message_bytes;
  if (bytes.size() > kMost || !from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail("reply: " + std::to_string(bytes.size()) + " bytes that are not a Reply");
  }
  Reply reply;
  reply.publisher = from.publisher();
  reply.epoch = from.epoch();
  reply.acknowledgement = {from.store_id(),
                           from.boot_id(),
                           from.received(),
                           from.durable(),
                           from.credit_bytes(),
                           from.expected(),
                           {from.labels().joined(), from.labels().waiting(), from.labels().corrected(),
                            from.labels().duplicate(), from.labels().late(), from.labels().refused()}};
  const pb::Limits& limits = from.limits();
  reply.limits = {limits.message_bytes(), limits.boxes_per_frame(), limits.classes_per_list(),
                  limits.batch_items(), limits.tags()};
  reply.told = Told(limits);
  for (const pb::RejectedItem& item : from.rejected()) {
    reply.rejected.push_back({item.sequence(), item.item(), item.reason(), item.detail()});
  }
  reply.stale_epoch = from.stale_epoch();
  return reply;
}

}  // namespace detwatch::wire
