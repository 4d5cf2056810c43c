// Limits on who is connected: the rules with socket pairs and given times, then the server under attack.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/connections.h"
#include "daemon/http/server.h"
#include "tests/daemon/http_client_support.h"

namespace detwatch::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A connection whose other end can tell whether it was ended.
struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    close(fds[0]);
    close(fds[1]);
  }
  [[nodiscard]] bool Ended() const {
    pollfd wanted{fds[1], POLLIN, 0};
    return poll(&wanted, 1, 0) > 0;
  }
  std::array<int, 2> fds{-1, -1};
};

Connections::Clock::time_point At(int ms) {
  return Connections::Clock::time_point(milliseconds(ms));
}

TEST(ConnectionsTest, TheLongestWaitingMakesRoom) {
  Connections connections({.total = 2, .per_client = 2, .timeout = seconds(1)});
  const std::array<Pair, 3> pairs;
  auto* first = connections.Opened(pairs[0].fds[0], "a", At(0));
  auto* second = connections.Opened(pairs[1].fds[0], "b", At(1));
  connections.Busy(first, At(2));
  connections.Waiting(first, At(3));  // was served later, so `second` waits longer
  auto* third = connections.Opened(pairs[2].fds[0], "c", At(4));
  EXPECT_FALSE(pairs[0].Ended());
  EXPECT_TRUE(pairs[1].Ended());
  EXPECT_FALSE(pairs[2].Ended());
  EXPECT_EQ(connections.counts().displaced, 1U);
  EXPECT_EQ(connections.counts().open, 2U);
  for (auto* entry : {first, second, third}) {
    connections.Closed(entry);
  }
  EXPECT_EQ(connections.counts().open, 0U);
}

TEST(ConnectionsTest, ABusyConnectionIsNeverDisplaced) {
  Connections connections({.total = 1, .per_client = 1, .timeout = seconds(1)});
  const std::array<Pair, 2> pairs;
  connections.Busy(connections.Opened(pairs[0].fds[0], "a", At(0)), At(0));
  static_cast<void>(connections.Opened(pairs[1].fds[0], "b", At(1)));
  EXPECT_FALSE(pairs[0].Ended());
  EXPECT_TRUE(pairs[1].Ended());
  EXPECT_EQ(connections.counts().refused, 1U);
}

TEST(ConnectionsTest, OneAddressCannotTakeAll) {
  Connections connections({.total = 10, .per_client = 2, .timeout = seconds(1)});
  const std::array<Pair, 4> pairs;
  static_cast<void>(connections.Opened(pairs[0].fds[0], "b", At(0)));
  static_cast<void>(connections.Opened(pairs[1].fds[0], "a", At(1)));
  static_cast<void>(connections.Opened(pairs[2].fds[0], "a", At(2)));
  static_cast<void>(connections.Opened(pairs[3].fds[0], "a", At(3)));
  EXPECT_FALSE(pairs[0].Ended());
  EXPECT_TRUE(pairs[1].Ended());
  EXPECT_FALSE(pairs[3].Ended());
}

TEST(ConnectionsTest, EveryStepEndsAfterTheTimeout) {
  Connections connections({.total = 10, .per_client = 10, .timeout = milliseconds(100)});
  const std::array<Pair, 3> pairs;
  static_cast<void>(connections.Opened(pairs[0].fds[0], "a", At(0)));
  auto* answering = connections.Opened(pairs[1].fds[0], "a", At(0));
  auto* idle = connections.Opened(pairs[2].fds[0], "a", At(0));
  connections.Busy(answering, At(50));
  connections.Busy(idle, At(50));
  connections.Waiting(idle, At(60));
  EXPECT_EQ(connections.EndOverdue(At(99)), At(100));
  EXPECT_FALSE(pairs[0].Ended());
  EXPECT_EQ(connections.EndOverdue(At(100)), At(150));
  EXPECT_TRUE(pairs[0].Ended());
  EXPECT_EQ(connections.EndOverdue(At(150)), At(160));
  EXPECT_TRUE(pairs[1].Ended());
  EXPECT_EQ(connections.EndOverdue(At(160)), At(260));
  EXPECT_TRUE(pairs[2].Ended());
  EXPECT_EQ(connections.counts().timed_out, 3U);
}

TEST(ConnectionsTest, StepsOfAnEndedConnectionChangeNothing) {
  Connections connections({.total = 10, .per_client = 10, .timeout = milliseconds(100)});
  const Pair pair;
  auto* entry = connections.Opened(pair.fds[0], "a", At(0));
  connections.EndOverdue(At(200));
  connections.Busy(entry, At(201));
  connections.Waiting(entry, At(202));
  EXPECT_EQ(connections.counts().open, 0U);
  connections.Closed(entry);
  EXPECT_EQ(connections.counts().timed_out, 1U);
}

TEST(ConnectionsTest, Ipv6ClientsCountByTheirNetwork) {
  const auto key = [](int family, const char* text) {
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    v6.sin6_family = AF_INET6;
    v4.sin_family = AF_INET;
    inet_pton(family, text, family == AF_INET6 ? static_cast<void*>(&v6.sin6_addr) : &v4.sin_addr);
    return ClientKey(family == AF_INET6 ? reinterpret_cast<const sockaddr*>(&v6)
                                        : reinterpret_cast<const sockaddr*>(&v4));
  };
  EXPECT_EQ(key(AF_INET6, "2001:db8::1"), key(AF_INET6, "2001:db8::ffff:2"));
  EXPECT_NE(key(AF_INET6, "2001:db8::1"), key(AF_INET6, "2001:db8:0:1::1"));
  EXPECT_EQ(key(AF_INET6, "::ffff:192.0.2.1"), key(AF_INET, "192.0.2.1"));
  EXPECT_NE(key(AF_INET, "192.0.2.2"), key(AF_INET, "192.0.2.1"));
}

std::unique_ptr<Server> StartWith(const Connections::Limits& limits) {
  Options options;
  options.listen_address = "127.0.0.1:0";
  options.connections = limits;
  Routes routes;
  routes["/"] = [](const Request&) { return Response(200, kText, std::string("alive")); };
  Result<std::unique_ptr<Server>> server = Server::Start(options, routes);
  EXPECT_TRUE(server);
  return *std::move(server);
}

// Clients that never finish their request, from as many addresses as needed.
std::vector<Client> Dripping(const Server& server, int count) {
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(server.bound(), "127.0.1." + std::to_string(1 + i % 200));
    clients.back().Send("GET / HTTP/1.1\r\nX-Drip: ");
  }
  return clients;
}

TEST(HttpLimitsTest, HundredsOfDrippingClientsDoNotDelayAGet) {
  const auto server = StartWith({.total = 512, .per_client = 128, .timeout = seconds(30)});
  const std::vector<Client> dripping = Dripping(*server, 400);
  for (int round = 0; round < 10; ++round) {
    for (const Client& client : dripping) {
      client.Send("x");
    }
    const auto start = steady_clock::now();
    EXPECT_EQ(Client(server->bound()).Get("/").body, "alive");
    EXPECT_LT(steady_clock::now() - start, seconds(1));
  }
}

TEST(HttpLimitsTest, MoreDrippingClientsThanTheLimitStillDoNotKeepAGetOut) {
  const auto server = StartWith({.total = 100, .per_client = 100, .timeout = seconds(30)});
  const std::vector<Client> dripping = Dripping(*server, 400);
  const auto start = steady_clock::now();
  EXPECT_EQ(Client(server->bound()).Get("/").body, "alive");
  EXPECT_LT(steady_clock::now() - start, seconds(1));
  EXPECT_LE(server->counters().connections.open, 100U);
  EXPECT_GE(server->counters().connections.displaced, 300U);
}

TEST(HttpLimitsTest, ADrippingClientIsEndedAlthoughItNeverIdles) {
  const auto server = StartWith({.total = 10, .per_client = 10, .timeout = milliseconds(150)});
  Client client(server->bound());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nX-Drip: "));
  const auto start = steady_clock::now();
  while (server->counters().connections.timed_out == 0 && steady_clock::now() - start < seconds(2)) {
    client.Send("x");
    std::this_thread::yield();
  }
  EXPECT_TRUE(client.EndedByServer());
  EXPECT_EQ(server->counters().connections.open, 0U);
}

TEST(HttpLimitsTest, AClientThatDoesNotReadItsAnswerIsEnded) {
  Options options;
  options.listen_address = "127.0.0.1:0";
  options.connections = {.total = 10, .per_client = 10, .timeout = milliseconds(150)};
  const auto huge = std::make_shared<const std::string>(std::size_t{32} << 20, 'x');
  Routes routes;
  routes["/"] = [&](const Request&) { return Response(200, kText, huge); };
  const auto server = Server::Start(options, routes);
  ASSERT_TRUE(server);
  const Client client((*server)->bound());
  ASSERT_TRUE(client.Send(RequestText("GET", "/")));
  const auto start = steady_clock::now();
  while ((*server)->counters().connections.timed_out == 0 && steady_clock::now() - start < seconds(2)) {
    std::this_thread::yield();
  }
  EXPECT_EQ((*server)->counters().connections.timed_out, 1U);
}

TEST(HttpLimitsTest, AKeptAliveConnectionMakesRoomForANewOne) {
  const auto server = StartWith({.total = 2, .per_client = 2, .timeout = seconds(30)});
  Client first(server->bound());
  Client second(server->bound());
  EXPECT_EQ(first.Get("/").status, 200);
  EXPECT_EQ(second.Get("/").status, 200);
  EXPECT_EQ(Client(server->bound()).Get("/").status, 200);
  EXPECT_EQ(server->counters().connections.displaced, 1U);
  EXPECT_EQ(server->counters().connections.refused, 0U);
}

}  // namespace
}  // namespace detwatch::http
