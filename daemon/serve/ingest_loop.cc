#include "daemon/serve/ingest_loop.h"

#include <chrono>
#include <utility>

#include "daemon/serve/wiring.h"
#include "lib/wire/encode.h"

namespace detwatch::serve {
namespace {

// Halves in a cut beyond which it is handed over early.
constexpr std::size_t kCutBytes = std::size_t{64} << 20;
constexpr std::size_t kBatch = 256;  // messages of a socket between two looks at the clock
constexpr Duration kDrainLimit = std::chrono::seconds(5);
// Refused items that wait to be told to one publisher; beyond, the counters have to do.
constexpr std::size_t kMostRefused = 1000;

}  // namespace

IngestLoop::IngestLoop(std::unique_ptr<Sockets> sockets, const config::Config& config, Identity identity,
                       const pipeline::Restored& restored, const StorageHealth& health, HandoverTimes& times,
                       Handover& handover)
    : sockets_(std::move(sockets)),
      identity_(std::move(identity)),
      health_(health),
      times_(times),
      handover_(handover),
      checkpoint_(config.storage.checkpoint),
      credit_bytes_(config.ingest.credit_bytes),
      ingest_(ToPipeline(config, identity_.store_id), restored),
      clock_(restored.taken) {
  Tell(ToPipeline(config, identity_.store_id));
}

void IngestLoop::ReadClock() {
  steady_ = Steady::now();
  now_ = clock_.Now(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()),
                    steady_.time_since_epoch());
  if (clock_.holds() != holds_counted_) {
    log::Warn("the wall clock ran ahead of the monotonic one; expiry is held until it is believed");
  }
  if (clock_.set_backs() != set_backs_counted_) {
    log::Warn(
        "the wall clock was set back; windows and expiry go on at the steady pace until it has caught up",
        {{"seconds", std::to_string(ToSeconds(-clock_.wall_ahead()))}});
  }
  ingest_.CountClock(clock_.holds() - holds_counted_, clock_.set_backs() - set_backs_counted_);
  holds_counted_ = clock_.holds();
  set_backs_counted_ = clock_.set_backs();
}

void IngestLoop::Run() {
  ReadClock();
  next_cut_ = steady_ + checkpoint_;
  while (!handover_.StopAsked()) {
    ReadClock();
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next_cut_ - steady_);
    // Nothing to wait for when a cut is due; when the state is busy, its answer wakes us.
    const bool due = wait.count() <= 0;
    sockets_->Wait(handover_.wake_fd(), due ? 50 : static_cast<int>(wait.count()));
    handover_.ClearWake();
    ReadClock();
    Receive();
    Acknowledge();
    if (health_.Writable() != writable_) {
      TellCredit();
    }
    if (const auto config = handover_.TakeReload()) {
      Reload(*config);
    }
    cut_early_ = cut_early_ || ingest_.cut_bytes() > kCutBytes;
    if ((steady_ >= next_cut_ || cut_early_) && handover_.HasRoom()) {
      const auto started = Steady::now();
      ingest_.Tick(now_);
      OfferCut(false);
      times_.Observe(Steady::now() - started);
    }
  }
  // Still bound: zmq_unbind would also end the connections that were accepted there, and with them the way
  // back of the last acknowledgements.
  const auto give_up = Steady::now() + kDrainLimit;
  while (sockets_->Receive(kBatch, [this](const Sockets::Message& message) { OnMessage(message); }) > 0 &&
         Steady::now() < give_up) {
    ReadClock();
  }
  OfferCut(true);
  handover_.WaitUntilDrained();
  Acknowledge();
}

void IngestLoop::Receive() {
  sockets_->Receive(kBatch, [this](const Sockets::Message& message) { OnMessage(message); });
  TellRefused();
}

void IngestLoop::Refuse(const std::string& publisher, std::uint64_t epoch, RejectedItem item) {
  auto& [of_epoch, items] = refused_[publisher];
  if (of_epoch != epoch) {
    of_epoch = epoch;
    items.clear();
  }
  if (items.size() < kMostRefused) {
    items.push_back(std::move(item));
  }
}

void IngestLoop::TellRefused() {
  std::vector<std::string> publishers;
  publishers.reserve(refused_.size());
  for (const auto& [publisher, items] : refused_) {
    publishers.push_back(publisher);
  }
  for (const std::string& publisher : publishers) {
    Reply(publisher, nullptr);
  }
}

void IngestLoop::OnMessage(const Sockets::Message& message) {
  if (!message.two_parts) {
    ingest_.OnMalformed(message.transport, message.bytes);
    return;
  }
  pipeline::Reaction reaction = ingest_.OnMessage(message.transport, message.header, message.payload, now_);
  for (const RejectedItem& rejected : reaction.rejected) {
    LogReject(reaction.publisher, rejected.reason, rejected.detail);
  }
  if (message.transport != Transport::kReliable ||
      ingest_.Publisher(reaction.publisher, Transport::kReliable) == nullptr) {
    return;
  }
  if (!reaction.stale_epoch) {
    sockets_->Remember(reaction.publisher);
    std::size_t& bytes = unacknowledged_bytes_[reaction.publisher];
    bytes += message.bytes;
    cut_early_ = cut_early_ || bytes >= credit_bytes_ / 2;
  }
  if (reaction.reply && reaction.rejected.empty()) {
    Reply(reaction.publisher, &reaction);
  }
  for (RejectedItem& rejected : reaction.rejected) {
    Refuse(reaction.publisher, reaction.epoch, std::move(rejected));
  }
}

void IngestLoop::OfferCut(bool last) {
  auto cut = ingest_.TakeCut(now_);
  cut->wall_ahead = clock_.wall_ahead();
  cut->early = cut_early_;
  cut->last = last;
  handover_.Offer(std::move(cut), last);
  next_cut_ = steady_ + checkpoint_;
  cut_early_ = false;
  unacknowledged_bytes_.clear();
}

void IngestLoop::Acknowledge() {
  for (const Durable& durable : handover_.TakeDurable()) {
    const pipeline::Absorbed& absorbed = durable.absorbed;
    ingest_.OnAbsorbed(absorbed);
    for (const pipeline::State::Tally& tally : durable.labels) {
      labels_[tally.publisher] = {tally.epoch, tally.labels};
    }
    for (const pipeline::LateReject& late : absorbed.rejects) {
      TellLate(late);
    }
    for (const auto& mark : absorbed.marks) {
      if (mark.transport == Transport::kReliable) {
        Reply(mark.publisher, nullptr);
      }
    }
  }
  TellRefused();
}

void IngestLoop::TellLate(const pipeline::LateReject& late) {
  const std::string reason(Name(late.reject.reason));
  LogReject(late.sender.publisher, reason, late.reject.detail);
  const auto* state = ingest_.Publisher(late.sender.publisher, Transport::kReliable);
  if (late.sender.transport == Transport::kReliable && state != nullptr &&
      state->epoch == late.sender.epoch) {
    Refuse(late.sender.publisher, late.sender.epoch,
           {late.sender.sequence, late.sender.item, reason, late.reject.detail});
  }
}

void IngestLoop::TellCredit() {
  writable_ = health_.Writable();
  for (const std::string& publisher : sockets_->Remembered()) {
    Reply(publisher, nullptr);
  }
}

void IngestLoop::LogReject(const std::string& publisher, const std::string& reason,
                           const std::string& detail) {
  if (reject_log_.Pass(steady_)) {
    log::Warn("rejected", {{"publisher", publisher},
                           {"reason", reason},
                           {"detail", detail},
                           {"held_back", std::to_string(reject_log_.TakeHeldBack())}});
  }
}

void IngestLoop::Reply(const std::string& publisher, const pipeline::Reaction* reaction) {
  const delivery::PublisherState* state = ingest_.Publisher(publisher, Transport::kReliable);
  if (state == nullptr) {
    sockets_->Forget(publisher);
    labels_.erase(publisher);
    refused_.erase(publisher);
    return;
  }
  wire::Reply reply;
  reply.publisher = publisher;
  reply.epoch = state->epoch;
  reply.acknowledgement.store_id = identity_.store_id;
  reply.acknowledgement.boot_id = identity_.boot_id;
  reply.acknowledgement.received = state->received;
  reply.acknowledgement.durable = state->durable;
  reply.acknowledgement.credit_bytes = writable_ ? credit_bytes_ : 0;
  const auto refused = refused_.find(publisher);
  if (refused != refused_.end() && refused->second.first == state->epoch) {
    reply.rejected = refused->second.second;
  }
  if (const auto labels = labels_.find(publisher); labels != labels_.end()) {
    if (labels->second.first == state->epoch) {
      reply.acknowledgement.labels = labels->second.second;
    }
  }
  reply.limits = wire_limits_;
  reply.told = told_limits_;
  if (reaction != nullptr) {
    reply.epoch = reaction->epoch;
    reply.acknowledgement.expected = reaction->expected;
    reply.stale_epoch = reaction->stale_epoch;
  }
  if (reply.stale_epoch) {
    reply.rejected.clear();
    sockets_->Answer(wire::EncodeReply(reply));  // the name's connection is that of the later run
    return;
  }
  switch (sockets_->Reply(publisher, wire::EncodeReply(reply))) {
    case Sockets::Sent::kYes:
      refused_.erase(publisher);
      break;
    case Sockets::Sent::kLater:
      break;
    case Sockets::Sent::kGone:
      sockets_->Forget(publisher);  // it says hello when it is back
      refused_.erase(publisher);
  }
}

void IngestLoop::Reload(const config::Config& config) {
  const pipeline::PipelineConfig next = ToPipeline(config, identity_.store_id);
  ingest_.Reload(next);
  Tell(next);
  credit_bytes_ = config.ingest.credit_bytes;
}

void IngestLoop::Tell(const pipeline::PipelineConfig& config) {
  wire_limits_ = config.wire;
  told_limits_ = ToTold(config);
}

}  // namespace detwatch::serve
