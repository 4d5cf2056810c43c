// How ingest takes a message: its place in the sequence, its payload, and the wait for a class list.

#include <string>
#include <utility>

#include "lib/pipeline/ingest.h"
#include "lib/wire/encode.h"

namespace detwatch::pipeline {
namespace {

using delivery::Verdict;

std::size_t At(Transport transport) {
  return static_cast<std::size_t>(transport);
}

Sender SenderOf(const Header& header, Transport transport, std::size_t item) {
  return {transport, header.publisher, header.epoch, header.sequence, static_cast<std::uint32_t>(item)};
}

bool CarriesLabels(const wire::Message& message) {
  return std::holds_alternative<Labels>(message) || std::holds_alternative<wire::FramePair>(message);
}

// Both lists of a pair, one of anything else.
std::pair<ClassListHash, ClassListHash> ListsOf(const wire::Message& message) {
  if (const auto* predictions = std::get_if<Predictions>(&message)) {
    return {predictions->class_list, predictions->class_list};
  }
  if (const auto* labels = std::get_if<Labels>(&message)) {
    return {labels->class_list, labels->class_list};
  }
  const auto& pair = std::get<wire::FramePair>(message);
  return {pair.predictions.class_list, pair.labels.class_list};
}

}  // namespace

// A message whose place in the sequence says that it is not taken.
void Ingest::OnNotTaken(const Header& header, const Verdict& verdict, Transport transport,
                        Reaction& reaction) {
  IngestCounters& counters = cut_->counters;
  switch (verdict.kind) {
    case Verdict::Kind::kHello:
      reaction.reply = true;
      return;
    case Verdict::Kind::kDuplicate:
      ++counters.duplicate_messages[At(transport)];
      return;
    case Verdict::Kind::kGap:
      reaction.expected = verdict.expected;
      reaction.reply = verdict.expected != 0;
      return;
    case Verdict::Kind::kStaleEpoch:
      ++counters.stale_epochs[At(transport)];
      reaction.stale_epoch = true;
      reaction.reply = true;
      return;
    case Verdict::Kind::kRefused:
      CountReject(transport, {RejectReason::kTooManyPublishers, {}});
      return;
    case Verdict::Kind::kWildStep: {
      Reject reject{RejectReason::kSequenceInvalid,
                    "sequence: " + std::to_string(header.sequence) + ", oldest_held: " +
                        std::to_string(header.oldest_held) + ": further ahead than can have been sent"};
      CountReject(transport, reject);
      reaction.reply = true;
      reaction.rejected.push_back(
          {header.sequence, 0, std::string(Name(reject.reason)), std::move(reject.detail)});
      return;
    }
    case Verdict::Kind::kTake:
      return;
  }
}

Reaction Ingest::OnMessage(Transport transport, std::string_view header_bytes, std::string_view payload,
                           TimePoint now) {
  IngestCounters& counters = cut_->counters;
  ++counters.messages[At(transport)];
  counters.bytes[At(transport)] += header_bytes.size() + payload.size();
  Reaction reaction;
  const auto header = decoder_.DecodeHeader(header_bytes);
  if (!header) {
    CountReject(transport, header.error());
    return reaction;
  }
  reaction.publisher = header->publisher;
  reaction.epoch = header->epoch;
  const Verdict verdict = sequences_.OnHeader(*header, transport, now);
  AddSaturating(counters.lost_messages[At(transport)], verdict.lost);
  if (verdict.kind != Verdict::Kind::kTake) {
    OnNotTaken(*header, verdict, transport, reaction);
    return reaction;
  }
  decoder_.DecodePayload(payload, items_);
  const std::size_t bytes = payload.size() / items_.size();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Outcome outcome;
    if (items_[i]) {
      const Sender sender = SenderOf(*header, transport, i);
      outcome = Process(std::move(*items_[i]), sender, now, bytes);
    } else {
      if (items_[i].error().carried_labels) {
        ++cut_->label_tallies.Of(SenderOf(*header, transport, i)).refused;
      }
      outcome = tl::unexpected(std::move(items_[i].error()));
    }
    if (!outcome) {
      CountReject(transport, outcome.error());
      reaction.reply = true;
      reaction.rejected.push_back({header->sequence, static_cast<std::uint32_t>(i),
                                   std::string(Name(outcome.error().reason)),
                                   std::move(outcome.error().detail)});
    }
  }
  return reaction;
}

Ingest::Outcome Ingest::Process(wire::Message&& message, const Sender& sender, TimePoint now,
                                std::size_t bytes) {
  if (const auto* list = std::get_if<ClassList>(&message)) {
    return OnClassList(*list, now);
  }
  if (const auto* model = std::get_if<ModelInfo>(&message)) {
    if (Outcome announced = routes_.Announce(*model, now, *cut_); !announced) {
      return announced;
    }
    if (classes_.Use(model->class_list, now) != nullptr) {
      routes_.LearnList(model->class_list, now, *cut_);
    }
    return {};
  }
  if (const auto* stream = std::get_if<StreamInfo>(&message)) {
    return routes_.Announce(*stream, now, *cut_);
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&message)) {
    ++cut_->counters.tombstones[At(sender.transport)];
    AddSaturating(cut_->counters.lost_messages[At(sender.transport)], tombstone->frames);
    return {};
  }
  const auto parked = Park(message, sender, now, bytes);
  if (!parked) {
    cut_->label_tallies.Of(sender).refused += CarriesLabels(message) ? 1 : 0;
    return tl::unexpected(parked.error());
  }
  if (*parked) {
    return {};
  }
  if (auto* predictions = std::get_if<Predictions>(&message)) {
    return OnPredictions(std::move(*predictions), sender, now);
  }
  if (auto* labels = std::get_if<Labels>(&message)) {
    Outcome outcome = OnLabels(std::move(*labels), sender, now);
    cut_->label_tallies.Of(sender).refused += outcome ? 0 : 1;
    return outcome;
  }
  return OnPair(std::move(std::get<wire::FramePair>(message)), sender, now);
}

Result<bool, Reject> Ingest::Park(wire::Message& message, const Sender& sender, TimePoint now,
                                  std::size_t bytes) {
  const auto [first, second] = ListsOf(message);
  const bool known = classes_.Use(first, now) != nullptr;
  if (known && classes_.Use(second, now) != nullptr) {
    return false;
  }
  // Decoded vectors are about twice the size of the wire form.
  const std::size_t held = 2 * bytes + 512;
  if (parked_bytes_ + held > config_.limits.class_list_waiting_bytes) {
    return tl::unexpected(Reject{RejectReason::kClassListUnknown,
                                 "class_list_hash: not announced, and too much waits for its list"});
  }
  // Its sequence is used up, so a restart must have it again.
  cut_->parked.push_back({next_parked_, Encode(ParkedRow{sender, now, wire::EncodePayload(message)})});
  parked_.push_back({next_parked_++, std::move(message), sender, now, held});
  parked_bytes_ += held;
  return true;
}

void Ingest::Unpark(const Parked& parked) {
  parked_bytes_ -= parked.bytes;
  cut_->parked.push_back({parked.number, {}});
}

Ingest::Outcome Ingest::OnClassList(const ClassList& list, TimePoint now) {
  const auto announced = classes_.Announce(list, now);
  if (!announced) {
    return tl::unexpected(announced.error());
  }
  if (!*announced) {
    return {};
  }
  routes_.LearnList(list.hash, now, *cut_);
  for (auto it = parked_.begin(); it != parked_.end();) {
    const auto [first, second] = ListsOf(it->message);
    if (classes_.Use(first, now) == nullptr || classes_.Use(second, now) == nullptr) {
      ++it;
      continue;
    }
    Parked parked = std::move(*it);
    Unpark(parked);
    it = parked_.erase(it);
    if (Outcome outcome = Process(std::move(parked.message), parked.sender, now, parked.bytes); !outcome) {
      RefuseLate(parked.sender, false, std::move(outcome.error()));
    }
  }
  return {};
}

void Ingest::ExpireParked(TimePoint now) {
  while (!parked_.empty() && now - parked_.front().since >= config_.limits.class_list_wait) {
    const Parked& parked = parked_.front();
    RefuseLate(parked.sender, CarriesLabels(parked.message),
               {RejectReason::kClassListUnknown, "class_list_hash: the list was never announced"});
    Unpark(parked);
    parked_.pop_front();
  }
}

}  // namespace detwatch::pipeline
