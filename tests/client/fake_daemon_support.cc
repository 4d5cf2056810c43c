#include "tests/client/fake_daemon_support.h"

#include <gtest/gtest.h>
#include <zmq.h>

#include <algorithm>
#include <array>

namespace detwatch::client::test {
namespace {

bool ReceivePart(void* socket, std::string& part) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  const bool good = zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0;
  if (good) {
    part.assign(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
  }
  zmq_msg_close(&message);
  return good;
}

bool WaitFor(void* socket, int milliseconds) {
  zmq_pollitem_t item{socket, 0, ZMQ_POLLIN, 0};
  return zmq_poll(&item, 1, milliseconds) > 0;
}

std::string LastEndpoint(void* socket) {
  std::array<char, 256> text{};
  std::size_t size = text.size();
  zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text.data(), &size);
  return text.data();
}

const FrameKey* FrameOf(const wire::Message& message) {
  if (const auto* predictions = std::get_if<Predictions>(&message)) {
    return &predictions->frame;
  }
  const auto* labels = std::get_if<Labels>(&message);
  return labels != nullptr ? &labels->frame : nullptr;
}

}  // namespace

bool Until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

std::vector<std::string> Taken::FrameIds() const {
  std::vector<std::string> ids;
  for (const wire::Message& message : messages) {
    if (const FrameKey* frame = FrameOf(message)) {
      ids.push_back(frame->frame_id);
    }
  }
  return ids;
}

std::size_t Taken::Hellos() const {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(), [](const Header& h) { return h.sequence == 0; }));
}

FakeDaemon::FakeDaemon(std::shared_ptr<Books> books, const std::string& endpoint, bool start)
    : books_(std::move(books)), decoder_(wire::WireLimits{}), received_(books_->durable) {
  static std::atomic<int> boots{0};
  boot_id_ = "boot-" + std::to_string(boots++);
  context_ = zmq_ctx_new();
  socket_ = zmq_socket(context_, ZMQ_ROUTER);
  const int zero = 0;
  zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_RCVHWM, &zero, sizeof zero);
  // The socket of the run before may still be closing.
  EXPECT_TRUE(Until([&] { return zmq_bind(socket_, endpoint.c_str()) == 0; }));
  endpoint_ = LastEndpoint(socket_);
  if (start) {
    Start();
  }
}

void FakeDaemon::Start() {
  thread_ = std::thread([this] { Run(); });
}

FakeDaemon::~FakeDaemon() {
  stop_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  zmq_close(socket_);
  zmq_ctx_term(context_);
}

Taken FakeDaemon::taken() const {
  MutexLock lock(mutex_);
  return taken_;
}

void FakeDaemon::Run() {
  while (!stop_) {
    if (!WaitFor(socket_, 5)) {
      continue;
    }
    std::string peer;
    std::string first;
    std::string payload;
    while (ReceivePart(socket_, peer) && ReceivePart(socket_, first) && ReceivePart(socket_, payload)) {
      const auto header = decoder_.DecodeHeader(first);
      ASSERT_TRUE(header) << header.error().detail;
      MutexLock lock(mutex_);
      OnMessage(peer, *header, payload);
    }
  }
}

void FakeDaemon::OnMessage(const std::string& peer, const Header& header, const std::string& payload) {
  if (header.sequence != 0 && lose > 0) {
    --lose;
    return;
  }
  taken_.headers.push_back(header);
  const auto key = std::pair(header.publisher, header.epoch);
  std::uint64_t& received = received_[key];
  wire::Reply reply;
  reply.publisher = header.publisher;
  reply.epoch = header.epoch;
  reply.limits = limits;
  if (header.sequence != 0) {
    if (header.oldest_held > received + 1) {
      taken_.lost += header.oldest_held - received - 1;
      received = header.oldest_held - 1;
    }
    if (header.sequence > received + 1) {
      reply.acknowledgement.expected = received + 1;
    } else if (header.sequence == received + 1) {
      received = header.sequence;
      bytes_[header.sequence] = payload.size();
      Take(header.sequence, payload, reply);
    }
  }
  std::uint64_t& kept = books_->durable[key];
  if (durable) {
    kept = durable_frames < frame_sequences_.size() ? frame_sequences_[durable_frames] - 1 : received;
  }
  std::size_t held = 0;
  for (auto it = bytes_.upper_bound(kept); it != bytes_.end(); ++it) {
    held += it->second;
  }
  taken_.in_flight_high = std::max(taken_.in_flight_high, held);
  if (mute) {
    return;
  }
  Acknowledgement& ack = reply.acknowledgement;
  ack.store_id = books_->store_id;
  ack.boot_id = boot_id_;
  ack.received = received;
  ack.durable = kept;
  ack.credit_bytes = credit;
  ack.labels = tallies_[key];
  reply.stale_epoch = stale;
  std::string bytes = wire::EncodeReply(reply);
  if (hellos_wait_for_data) {
    bytes.swap(late_answer_);
    if (header.sequence == 0) {
      return;
    }
  }
  zmq_send(socket_, peer.data(), peer.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT);
  zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT);
}

void FakeDaemon::Take(std::uint64_t sequence, const std::string& payload, wire::Reply& reply) {
  std::vector<wire::Item> items;
  wire::Decoder decoder(wire::WireLimits{.batch_items = limits.batch_items});
  decoder.DecodePayload(payload, items);
  for (wire::Item& item : items) {
    if (!item) {
      ADD_FAILURE() << Name(item.error().reason) << ": " << item.error().detail;
      continue;
    }
    if (FrameOf(*item) != nullptr) {
      frame_sequences_.push_back(sequence);
    }
    LabelTally& tally = tallies_[{reply.publisher, reply.epoch}];
    if (const std::string reason = ReasonToReject(*item, tally); !reason.empty()) {
      reply.rejected.push_back({sequence, 0, reason, "frame " + FrameOf(*item)->frame_id});
    } else {
      taken_.messages.push_back(std::move(*item));
    }
  }
}

std::string FakeDaemon::ReasonToReject(const wire::Message& message, LabelTally& tally) const {
  const auto* labels = std::get_if<Labels>(&message);
  if (labels != nullptr && judge) {
    return judge(*labels, tally);
  }
  const FrameKey* frame = FrameOf(message);
  return frame != nullptr && !reject_frame.empty() && frame->frame_id == reject_frame ? "conflict" : "";
}

FakeSubscriber::FakeSubscriber() : decoder_(wire::WireLimits{}) {
  context_ = zmq_ctx_new();
  socket_ = zmq_socket(context_, ZMQ_SUB);
  const int zero = 0;
  zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_RCVHWM, &zero, sizeof zero);
  zmq_setsockopt(socket_, ZMQ_SUBSCRIBE, "", 0);
  EXPECT_EQ(zmq_bind(socket_, "tcp://127.0.0.1:*"), 0);
  endpoint_ = LastEndpoint(socket_);
}

FakeSubscriber::~FakeSubscriber() {
  zmq_close(socket_);
  zmq_ctx_term(context_);
}

bool FakeSubscriber::ReceiveRaw(std::string& header, std::string& payload) {
  if (!ReceivePart(socket_, header) && !(WaitFor(socket_, 10000) && ReceivePart(socket_, header))) {
    return false;
  }
  return ReceivePart(socket_, payload);
}

bool FakeSubscriber::Receive(Header& header, std::vector<wire::Message>& messages) {
  std::string first;
  std::string payload;
  if (!ReceiveRaw(first, payload)) {
    return false;
  }
  const auto decoded = decoder_.DecodeHeader(first);
  EXPECT_TRUE(decoded);
  header = *decoded;
  std::vector<wire::Item> items;
  decoder_.DecodePayload(payload, items);
  messages.clear();
  for (wire::Item& item : items) {
    EXPECT_TRUE(item) << item.error().detail;
    messages.push_back(std::move(*item));
  }
  return true;
}

}  // namespace detwatch::client::test
