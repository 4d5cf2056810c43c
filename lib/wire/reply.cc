#include <string>
#include <utility>

#include "lib/wire/encode.h"
#include "lib/wire/read.h"

namespace detwatch::wire {

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
  to.mutable_limits()->set_message_bytes(reply.limits.message_bytes);
  to.mutable_limits()->set_boxes_per_frame(reply.limits.boxes_per_frame);
  to.mutable_limits()->set_classes_per_list(reply.limits.classes_per_list);
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
  if (from.has_limits()) {
    reply.limits.message_bytes = from.limits().message_bytes();
    reply.limits.boxes_per_frame = from.limits().boxes_per_frame();
    reply.limits.classes_per_list = from.limits().classes_per_list();
  }
  for (const pb::RejectedItem& item : from.rejected()) {
    reply.rejected.push_back({item.sequence(), item.item(), item.reason(), item.detail()});
  }
  reply.stale_epoch = from.stale_epoch();
  return reply;
}

}  // namespace detwatch::wire
