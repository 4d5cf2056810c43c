// The HTTP server over real sockets on port 0.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "daemon/http/address.h"
#include "daemon/http/server.h"
#include "tests/daemon/http_client_support.h"

namespace detwatch::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::StartsWith;

std::string LargeText() {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "detwatch_frames_total{model=\"m" + std::to_string(i) + "\"} " + std::to_string(i * 7) + "\n";
  }
  return text;
}

Routes TestRoutes() {
  Routes routes;
  routes["/"] = [](const Request&) { return Response(200, kHtml, std::string("<p>hello</p>")); };
  routes["/large"] = [](const Request&) { return Response(200, kMetrics, LargeText()); };
  routes["/query"] = [](const Request& request) {
    std::string text;
    for (const auto& [name, value] : request.query) {
      text.append(name).append("=").append(value).append(";");
    }
    return Response(200, kText, text + std::string(request.Query("b").value_or("none")));
  };
  routes["/throws"] = [](const Request&) -> Response { throw std::runtime_error("no snapshot"); };
  routes["/not-ready"] = [](const Request&) { return Response(503, kText, std::string("starting\n")); };
  return routes;
}

std::unique_ptr<Server> MustStart(Options options = {}) {
  if (options.listen_address == Options{}.listen_address) {
    options.listen_address = "127.0.0.1:0";
  }
  Result<std::unique_ptr<Server>> server = Server::Start(options, TestRoutes());
  EXPECT_TRUE(server) << server.error().message;
  return *std::move(server);
}

TEST(HttpServerTest, AGetIsAnsweredByTheHandlerOfItsPath) {
  const auto server = MustStart();
  const Reply reply = Client(server->bound()).Get("/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "<p>hello</p>");
  EXPECT_EQ(reply.headers.at("content-type"), kHtml);
  EXPECT_EQ(reply.headers.at("cache-control"), "no-store");
}

TEST(HttpServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  const auto server = MustStart();
  Client client(server->bound());
  for (const std::string headers : {"", "Accept-Encoding: gzip\r\n"}) {
    const Reply get = client.Get("/large", headers);
    ASSERT_TRUE(client.Send(RequestText("HEAD", "/large", headers)));
    const Reply head = client.Receive(false);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-length"), get.headers.at("content-length"));
    EXPECT_EQ(head.headers.at("content-type"), kMetrics);
    // A body would be taken for the next answer.
    EXPECT_EQ(client.Get("/").body, "<p>hello</p>");
  }
}

TEST(HttpServerTest, ALargeBodyIsCompressedForWhoAcceptsIt) {
  const auto server = MustStart();
  Client client(server->bound());
  const Reply plain = client.Get("/large");
  EXPECT_EQ(plain.headers.count("content-encoding"), 0U);
  EXPECT_EQ(plain.headers.at("vary"), "Accept-Encoding");
  const Reply small = client.Get("/large", "Accept-Encoding: deflate, gzip;q=0.5\r\n");
  EXPECT_EQ(small.headers.at("content-encoding"), "gzip");
  EXPECT_LT(small.body.size(), plain.body.size() / 5);
  EXPECT_EQ(Gunzip(small.body), LargeText());
  EXPECT_EQ(plain.body, LargeText());
}

TEST(HttpServerTest, ASmallBodyOrQualityZeroIsNotCompressed) {
  const auto server = MustStart();
  Client client(server->bound());
  EXPECT_EQ(client.Get("/", "Accept-Encoding: gzip\r\n").headers.count("content-encoding"), 0U);
  EXPECT_EQ(client.Get("/large", "Accept-Encoding: gzip;q=0\r\n").headers.count("content-encoding"), 0U);
}

TEST(HttpServerTest, QueryParametersAreDecodedInTheirOrder) {
  const auto server = MustStart();
  EXPECT_EQ(Client(server->bound()).Get("/query?a=1&b=x%20y&b=2&c").body, "a=1;b=x y;b=2;c=;x y");
}

TEST(HttpServerTest, OtherMethodsGet405WithWhatIsAllowed) {
  const auto server = MustStart();
  for (const std::string method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    Client client(server->bound());
    ASSERT_TRUE(client.Send(RequestText(method, "/", "Content-Length: 5\r\n") + "hello"));
    const Reply reply = client.Receive();
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD");
    EXPECT_TRUE(client.EndedByServer());
  }
}

TEST(HttpServerTest, AGetWithABodyIsRefusedAndItsBodyIsNoRequest) {
  const auto server = MustStart();
  const std::string smuggled = RequestText("GET", "/");
  Client client(server->bound());
  ASSERT_TRUE(client.Send(
      RequestText("GET", "/", "Content-Length: " + std::to_string(smuggled.size()) + "\r\n") + smuggled));
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_EQ(client.Receive().status, 0);
}

TEST(HttpServerTest, UnknownPathsGet404WithWhatThereIs) {
  const auto server = MustStart();
  const Reply reply = Client(server->bound()).Get("/metric");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, HasSubstr("/metric"));
  EXPECT_THAT(reply.body, HasSubstr("/large"));
  EXPECT_EQ(reply.headers.at("content-type"), kText);
}

TEST(HttpServerTest, AHandlerThatThrowsGives500AndTheServerGoesOn) {
  const auto server = MustStart();
  Client client(server->bound());
  const Reply reply = client.Get("/throws");
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, HasSubstr("no snapshot"));
  EXPECT_EQ(client.Get("/").status, 200);
}

TEST(HttpServerTest, RequestsAreCountedByCode) {
  const auto server = MustStart();
  Client client(server->bound());
  client.Get("/");
  client.Get("/");
  client.Get("/not-ready");
  client.Get("/nowhere");
  const Counters counters = server->counters();
  EXPECT_EQ(counters.requests_by_code, (std::map<int, std::uint64_t>{{200, 2}, {404, 1}, {503, 1}}));
  EXPECT_EQ(counters.connections.open, 1U);
}

TEST(HttpServerTest, AnOversizedHeaderIsRefusedAndTheServerGoesOn) {
  const auto server = MustStart();
  Client client(server->bound());
  client.Send("GET / HTTP/1.1\r\nHost: test\r\nX-Long: " + std::string(256 << 10, 'x'));
  const int status = client.Receive().status;
  EXPECT_TRUE(status == 431 || status == 413 || status == 0) << status;
  EXPECT_TRUE(client.EndedByServer());
  EXPECT_EQ(Client(server->bound()).Get("/").status, 200);
}

TEST(HttpServerTest, GarbageIsNoRequestAndTheServerGoesOn) {
  const auto server = MustStart();
  Client client(server->bound());
  client.Send(std::string("\x16\x03\x01\x02\x00\x01", 6) + "\r\n\r\n\r\n");
  const int status = client.Receive().status;
  EXPECT_TRUE(status == 400 || status == 0) << status;
  EXPECT_EQ(Client(server->bound()).Get("/").status, 200);
}

TEST(HttpServerTest, ManyClientsAtOnceAllGetTheirAnswer) {
  const auto server = MustStart();
  const std::string expected = LargeText();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Client client(server->bound());
      for (int i = 0; i < 10; ++i) {
        good += Gunzip(client.Get("/large", "Accept-Encoding: gzip\r\n").body) == expected ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(good, 40);
}

TEST(HttpServerTest, ABodyBeyondTheSocketBufferArrivesWhole) {
  Options options;
  options.listen_address = "127.0.0.1:0";
  const auto huge = std::make_shared<const std::string>(std::size_t{8} << 20, 'x');
  Routes routes;
  routes["/"] = [&](const Request&) { return Response(200, kText, huge); };
  const auto server = Server::Start(options, routes);
  ASSERT_TRUE(server);
  Client client((*server)->bound());
  ASSERT_TRUE(client.Send(RequestText("GET", "/")));
  EXPECT_EQ(client.Receive().body, *huge);
}

TEST(HttpServerTest, StopDoesNotWaitForIdleClients) {
  auto server = MustStart();
  Client idle(server->bound());
  Client kept_alive(server->bound());
  Client dripping(server->bound());
  EXPECT_EQ(kept_alive.Get("/").status, 200);
  dripping.Send("GET / HT");
  const std::string address = server->bound();
  const auto start = steady_clock::now();
  server.reset();
  EXPECT_LT(steady_clock::now() - start, seconds(2));
  EXPECT_TRUE(idle.EndedByServer());
  EXPECT_TRUE(kept_alive.EndedByServer());
  EXPECT_FALSE(Client(address).connected());
}

bool HasIpv6() {
  return Listen("[::1]:0").has_value();
}

TEST(HttpAddressTest, Ipv6IsServed) {
  if (!HasIpv6()) {
    GTEST_SKIP() << "this machine has no IPv6";
  }
  Options options;
  options.listen_address = "[::1]:0";
  const auto server = MustStart(options);
  EXPECT_THAT(server->bound(), StartsWith("[::1]:"));
  EXPECT_EQ(Client(server->bound()).Get("/").status, 200);
}

TEST(HttpAddressTest, EveryAddressMeansBothIpVersions) {
  Options options;
  options.listen_address = ":0";
  const auto server = MustStart(options);
  const std::string port = server->bound().substr(server->bound().rfind(':'));
  EXPECT_EQ(Client("127.0.0.1" + port).Get("/").status, 200);
  if (HasIpv6()) {
    EXPECT_EQ(Client("[::1]" + port).Get("/").status, 200);
  }
}

TEST(HttpAddressTest, AFailedBindNamesTheAddressAndTheReason) {
  const auto server = MustStart();
  Options options;
  options.listen_address = server->bound();
  const auto second = Server::Start(options, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot listen on " + server->bound() + ": Address already in use");
  options.listen_address = "192.0.2.1:80";
  EXPECT_THAT(Server::Start(options, {}).error().message, StartsWith("cannot listen on 192.0.2.1:80: "));
}

TEST(HttpAddressTest, AddressesThatAreNotAreRefused) {
  for (const std::string text :
       {"", "localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:80", "[::1:80", "[]:80", "[localhost]:80", "a b:80"}) {
    const auto address = ParseAddress(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message, HasSubstr("\"" + text + "\" is not host:port"));
  }
  EXPECT_EQ(ParseAddress("[fe80::1]:80")->host, "fe80::1");
  EXPECT_EQ(ParseAddress(":9977")->host, "");
  EXPECT_EQ(ParseAddress("localhost:65535")->port, 65535);
}

}  // namespace
}  // namespace detwatch::http
