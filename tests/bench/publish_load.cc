// Publishes the reference load as fast as it is taken, and the least that can take it, to compare with.
//
//   publish_load reliable ENDPOINT [--frames N] [--separate]   DEALER, within the credit, until all is
//   durable publish_load subscribe ENDPOINT [--frames N] [--separate]  PUB that waits instead of dropping
//   publish_load receive [--frames N] [--separate]             the daemon's sockets and decoder, and nothing
//   else
//
// A frame is one message with both halves, or with --separate one of predictions and one of labels. Payloads
// are encoded beforehand, and only their frame id changes. Prints one line of JSON: frames, messages, bytes,
// seconds from the first message until the last was sent and until it was durable, own processor seconds.

#include <zmq.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "daemon/serve/sockets.h"
#include "lib/wire/decode.h"
#include "lib/wire/encode.h"
#include "tests/bench/rig_support.h"
#include "tests/bench/traffic_support.h"

namespace detwatch::bench {
namespace {

struct Arguments {
  std::string way;
  std::string endpoint;
  std::uint64_t frames = 200'000;
  bool separate = false;
  [[nodiscard]] std::uint64_t messages() const { return 1 + frames * (separate ? 2 : 1); }
};

class Socket {
 public:
  Socket(int type, const std::string& endpoint) : socket_(zmq_socket(context_, type)) {
    if (type == ZMQ_PUB) {
      const int yes = 1;  // by default a PUB drops what a slower daemon cannot take yet
      zmq_setsockopt(socket_, ZMQ_XPUB_NODROP, &yes, sizeof(yes));
    }
    if (zmq_connect(socket_, endpoint.c_str()) != 0) {
      Die("cannot connect to " + endpoint);
    }
  }
  ~Socket() {
    zmq_close(socket_);
    zmq_ctx_term(context_);  // waits until all is sent
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void Send(const std::string& header, const std::string& payload) {
    while (zmq_send(socket_, header.data(), header.size(), ZMQ_SNDMORE) < 0 ||
           zmq_send(socket_, payload.data(), payload.size(), 0) < 0) {
      if (zmq_errno() != EINTR) {
        Die("cannot send");
      }
    }
  }
  // False when nothing came within so many milliseconds.
  bool Receive(wire::Reply& reply, int wait_ms) {
    zmq_pollitem_t item{socket_, 0, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, wait_ms) <= 0) {
      return false;
    }
    zmq_msg_t message;
    zmq_msg_init(&message);
    const int size = zmq_msg_recv(&message, socket_, 0);
    if (size < 0) {
      Die("cannot receive");
    }
    auto decoded =
        wire::DecodeReply({static_cast<const char*>(zmq_msg_data(&message)), static_cast<std::size_t>(size)});
    zmq_msg_close(&message);
    if (!decoded) {
      Die(decoded.error().message);
    }
    reply = std::move(*decoded);
    return true;
  }

 private:
  void* context_ = zmq_ctx_new();
  void* socket_;
};

// Message n of a run: the class list, then frames.
const std::string& Payload(Traffic& traffic, const Arguments& arguments, std::uint64_t n) {
  if (n == 0) {
    return traffic.class_list;
  }
  if (!arguments.separate) {
    return traffic.Pair(n - 1);
  }
  return n % 2 == 1 ? traffic.Predictions((n - 1) / 2) : traffic.Labels((n - 1) / 2);
}

void Report(const Arguments& arguments, double bytes, double sent, double durable) {
  std::printf(
      "{\"frames\": %llu, \"messages\": %llu, \"bytes\": %.0f, \"sent_seconds\": %.4f, "
      "\"durable_seconds\": %.4f, \"cpu_seconds\": %.4f}\n",
      static_cast<unsigned long long>(arguments.frames),
      static_cast<unsigned long long>(arguments.messages()), bytes, sent, durable, ProcessSeconds());
  std::fflush(stdout);
}

Header NewHeader() {
  Header header;
  header.publisher = "bench-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  header.epoch = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  header.oldest_held = 1;
  return header;
}

void Reliable(const Arguments& arguments, Traffic& traffic) {
  Socket socket(ZMQ_DEALER, arguments.endpoint);
  Header header = NewHeader();
  socket.Send(wire::EncodeHeader(header), "");
  wire::Reply reply;
  if (!socket.Receive(reply, 10'000)) {
    Die("no answer to the hello");
  }
  std::vector<std::uint64_t> bytes_through{0};  // by sequence
  bytes_through.reserve(arguments.messages() + 1);
  const auto listen = [&](int wait_ms) {
    while (socket.Receive(reply, wait_ms)) {
      wait_ms = 0;
      if (!reply.rejected.empty() || reply.stale_epoch || reply.acknowledgement.expected != 0) {
        Die("a message was rejected or is missing");
      }
    }
  };
  const double start = WallSeconds();
  for (std::uint64_t n = 0; n < arguments.messages(); ++n) {
    const std::string& payload = Payload(traffic, arguments, n);
    ++header.sequence;
    header.oldest_held = reply.acknowledgement.durable + 1;
    const std::string head = wire::EncodeHeader(header);
    const std::uint64_t through = bytes_through.back() + head.size() + payload.size();
    while (through - bytes_through[reply.acknowledgement.durable] > reply.acknowledgement.credit_bytes) {
      listen(1000);
    }
    bytes_through.push_back(through);
    socket.Send(head, payload);
    if (n % 256 == 0) {
      listen(0);
    }
  }
  const double sent = WallSeconds() - start;
  while (reply.acknowledgement.durable < header.sequence) {
    listen(1000);
    if (WallSeconds() - start > 600) {
      Die("not durable after ten minutes");
    }
  }
  Report(arguments, static_cast<double>(bytes_through.back()), sent, WallSeconds() - start);
}

void Subscribe(const Arguments& arguments, Traffic& traffic) {
  double bytes = 0;
  double sent = 0;
  double start = 0;
  {
    Socket socket(ZMQ_PUB, arguments.endpoint);
    Header header = NewHeader();
    std::this_thread::sleep_for(std::chrono::seconds(1));  // before its subscription is here, all is dropped
    start = WallSeconds();
    for (std::uint64_t n = 0; n < arguments.messages(); ++n) {
      const std::string& payload = Payload(traffic, arguments, n);
      ++header.sequence;
      const std::string head = wire::EncodeHeader(header);
      socket.Send(head, payload);
      bytes += static_cast<double>(head.size() + payload.size());
    }
    sent = WallSeconds() - start;
  }
  Report(arguments, bytes, sent, WallSeconds() - start);
}

void Receive(const Arguments& arguments) {
  config::Ingest config;
  config.subscribe = {"tcp://127.0.0.1:0"};
  config.reliable = {"tcp://127.0.0.1:0"};
  auto sockets = serve::Sockets::Bind(config);
  if (!sockets) {
    Die(sockets.error().message);
  }
  std::printf("listening subscribe=%s reliable=%s\n", (*sockets)->subscribe_endpoints().front().c_str(),
              (*sockets)->reliable_endpoints().front().c_str());
  std::fflush(stdout);
  const wire::WireLimits limits;
  wire::Decoder decoder(limits);
  std::vector<wire::Item> items;
  std::uint64_t messages = 0;
  std::size_t bytes = 0;
  std::size_t unanswered = 0;
  double start = 0;
  while (messages < arguments.messages()) {
    (*sockets)->Wait(-1, 1000);
    (*sockets)->Receive(256, [&](const serve::Sockets::Message& message) {
      const auto header = decoder.DecodeHeader(message.header);
      if (!header) {
        Die("a header that cannot be read");
      }
      if (header->sequence > 0) {
        start = messages++ == 0 ? WallSeconds() : start;
        decoder.DecodePayload(message.payload, items);
        if (!items.front()) {
          Die("a payload that cannot be read");
        }
      }
      bytes += message.bytes;
      unanswered += message.bytes;
      if (message.transport == Transport::kReliable &&
          (header->sequence == 0 || unanswered > config.credit_bytes / 2 ||
           messages == arguments.messages())) {
        wire::Reply reply;
        reply.publisher = header->publisher;
        reply.epoch = header->epoch;
        reply.acknowledgement.received = header->sequence;
        reply.acknowledgement.durable = header->sequence;
        reply.acknowledgement.credit_bytes = config.credit_bytes;
        reply.limits = limits;
        (*sockets)->Answer(wire::EncodeReply(reply));
        unanswered = 0;
      }
    });
  }
  const double taken = WallSeconds() - start;
  Report(arguments, static_cast<double>(bytes), taken, taken);
}

int Run(int argc, char** argv) {
  Arguments arguments;
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--separate") {
      arguments.separate = true;
    } else if (word == "--frames" && i + 1 < argc) {
      arguments.frames = std::stoull(argv[++i]);
    } else {
      words.push_back(word);
    }
  }
  words.resize(2);
  arguments.way = words[0];
  arguments.endpoint = words[1];
  if (arguments.way == "receive") {
    Receive(arguments);
    return 0;
  }
  Traffic traffic(ReferenceLoad(), 2000, 1000);  // few enough to stay cheap for the processor's cache
  if (arguments.way == "reliable") {
    Reliable(arguments, traffic);
  } else if (arguments.way == "subscribe") {
    Subscribe(arguments, traffic);
  } else {
    Die("which: reliable ENDPOINT, subscribe ENDPOINT, receive");
  }
  return 0;
}

}  // namespace
}  // namespace detwatch::bench

int main(int argc, char** argv) {
  return detwatch::bench::Run(argc, argv);
}
