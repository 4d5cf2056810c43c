#include "lib/core/counters.h"

#include <map>

namespace detwatch {
namespace {

// Every number of the counters under its stored name. Names are frozen.
template <class Counters, class Visit>
void ForEach(Counters& counters, Visit visit) {
  const auto by_transport = [&](const std::string& name, auto& values) {
    for (std::size_t t = 0; t < kTransports; ++t) {
      visit(name + "/" + std::string(Name(static_cast<Transport>(t))), values[t]);
    }
  };
  by_transport("messages", counters.messages);
  by_transport("bytes", counters.bytes);
  by_transport("frames", counters.frames);
  by_transport("labels", counters.labels);
  by_transport("duplicate_frames", counters.duplicate_frames);
  by_transport("duplicate_labels", counters.duplicate_labels);
  by_transport("lost_messages", counters.lost_messages);
  by_transport("duplicate_messages", counters.duplicate_messages);
  by_transport("stale_epochs", counters.stale_epochs);
  by_transport("tombstones", counters.tombstones);
  for (std::size_t r = 0; r < kRejectReasons; ++r) {
    by_transport("rejected/" + std::string(Name(static_cast<RejectReason>(r))), counters.rejected[r]);
  }
  visit("judged_frames", counters.judged_frames);
  visit("unjudged_ground_truths", counters.unjudged_ground_truths);
  visit("unjudged_detections", counters.unjudged_detections);
  visit("corrected_frames", counters.corrected_frames);
  visit("retracted_unjudged_ground_truths", counters.retracted_unjudged_ground_truths);
  visit("retracted_unjudged_detections", counters.retracted_unjudged_detections);
  visit("filtered_labels", counters.filtered_labels);
  visit("expired_labels_missing", counters.expired_labels_missing);
  visit("expired_predictions_missing", counters.expired_predictions_missing);
  visit("never_expected", counters.never_expected);
  visit("groups_refused", counters.groups_refused);
  visit("groups_restarted", counters.groups_restarted);
  visit("clock_holds", counters.clock_holds);
  visit("clock_set_backs", counters.clock_set_backs);
  for (std::size_t i = 0; i < counters.label_delay.counts.size(); ++i) {
    visit("label_delay/" + std::to_string(i), counters.label_delay.counts[i]);
  }
}

}  // namespace

IngestCounters& IngestCounters::operator+=(const IngestCounters& other) {
  std::map<std::string, const std::uint64_t*> from;
  ForEach(other, [&](const std::string& name, const std::uint64_t& value) { from[name] = &value; });
  ForEach(*this, [&](const std::string& name, std::uint64_t& value) { AddSaturating(value, *from[name]); });
  label_delay.sum += other.label_delay.sum;
  return *this;
}

std::string Serialise(const IngestCounters& counters) {
  std::string out;
  AppendDouble(out, counters.label_delay.sum);
  ForEach(counters, [&](const std::string& name, const std::uint64_t& value) {
    if (value != 0) {
      AppendText(out, name);
      AppendVarint(out, value);
    }
  });
  return out;
}

Result<IngestCounters> ParseIngestCounters(std::string_view bytes) {
  IngestCounters counters;
  std::map<std::string, std::uint64_t*, std::less<>> known;
  ForEach(counters, [&](const std::string& name, std::uint64_t& value) { known[name] = &value; });
  ByteReader in(bytes);
  counters.label_delay.sum = in.Double();
  while (in.ok() && in.left() > 0) {
    const std::string_view name = in.Text();
    const std::uint64_t value = in.Varint();
    if (const auto at = known.find(name); at != known.end()) {
      *at->second = value;
    }
  }
  if (!in.ok()) {
    return Fail("the store is damaged: its counters cannot be read");
  }
  return counters;
}

}  // namespace detwatch
