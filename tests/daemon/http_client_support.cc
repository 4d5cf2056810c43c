#include "tests/daemon/http_client_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>

#include "daemon/http/address.h"

namespace detwatch::http {
namespace {

constexpr int kPatienceMs = 5000;

bool WaitFor(int fd, short events) {
  pollfd wanted{fd, events, 0};
  return poll(&wanted, 1, kPatienceMs) > 0;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Client::Client(const std::string& address, const std::string& from) {
  const Result<Address> where = ParseAddress(address);
  if (!where) {
    return;
  }
  const bool v6 = where->host.find(':') != std::string::npos;
  sockaddr_in v4_to{};
  sockaddr_in6 v6_to{};
  v4_to.sin_family = AF_INET;
  v4_to.sin_port = htons(where->port);
  v6_to.sin6_family = AF_INET6;
  v6_to.sin6_port = htons(where->port);
  inet_pton(AF_INET, where->host.c_str(), &v4_to.sin_addr);
  inet_pton(AF_INET6, where->host.c_str(), &v6_to.sin6_addr);
  fd_ = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!from.empty()) {
    sockaddr_in v4_from{};
    v4_from.sin_family = AF_INET;
    inet_pton(AF_INET, from.c_str(), &v4_from.sin_addr);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&v4_from), sizeof v4_from) != 0) {
      close(fd_);
      fd_ = -1;
      return;
    }
  }
  const auto* to = v6 ? reinterpret_cast<const sockaddr*>(&v6_to) : reinterpret_cast<const sockaddr*>(&v4_to);
  if (connect(fd_, to, v6 ? sizeof v6_to : sizeof v4_to) != 0) {
    close(fd_);
    fd_ = -1;
  }
}

Client::~Client() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

bool Client::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::Fill() {
  std::array<char, 65536> buffer{};
  if (!WaitFor(fd_, POLLIN)) {
    return false;
  }
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    return false;
  }
  rest_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

Reply Client::Receive(bool body) {
  Reply reply;
  std::size_t end = 0;
  while ((end = rest_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) {
      return reply;
    }
  }
  const std::string head = rest_.substr(0, end + 2);
  rest_.erase(0, end + 4);
  reply.status = std::atoi(head.substr(head.find(' ') + 1, 3).c_str());
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    reply.headers[Lower(head.substr(at, colon - at))] = head.substr(colon + 2, line_end - colon - 2);
    at = line_end + 2;
  }
  const std::size_t size = std::strtoul(reply.headers["content-length"].c_str(), nullptr, 10);
  while (body && rest_.size() < size) {
    if (!Fill()) {
      return {};
    }
  }
  if (body) {
    reply.body = rest_.substr(0, size);
    rest_.erase(0, size);
  }
  return reply;
}

Reply Client::Get(const std::string& path, const std::string& headers) {
  return Send(RequestText("GET", path, headers)) ? Receive() : Reply{};
}

bool Client::EndedByServer() {
  std::array<char, 4096> buffer{};
  while (WaitFor(fd_, POLLIN)) {
    if (recv(fd_, buffer.data(), buffer.size(), 0) <= 0) {
      return true;
    }
  }
  return false;
}

std::string RequestText(std::string_view method, const std::string& path, const std::string& headers) {
  return std::string(method) + " " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
}

std::string Gunzip(const std::string& bytes) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string text;
  std::array<char, 65536> piece{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END ? text : "not gzip";
}

}  // namespace detwatch::http
