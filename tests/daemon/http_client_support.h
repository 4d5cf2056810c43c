#pragma once
// tests/daemon -- a client made of bare sockets, for a test must be able to send half a request.

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace detwatch::http {

struct Reply {
  int status = 0;                              // 0: no answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One TCP connection; every wait ends after `patience`, so that a test fails instead of hanging.
class Client {
 public:
  // "127.0.0.1:43121" or "[::1]:43121". `from` is the address to call from, any of 127.0.0.0/8.
  explicit Client(const std::string& address, const std::string& from = "");
  Client(Client&& other) noexcept : fd_(other.fd_), rest_(std::move(other.rest_)) { other.fd_ = -1; }
  Client& operator=(Client&&) = delete;
  ~Client();

  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  // False when the other side has hung up.
  bool Send(std::string_view bytes) const;
  // The next answer; `body` false for the answer to a HEAD.
  Reply Receive(bool body = true);
  Reply Get(const std::string& path, const std::string& headers = "");
  // True when the server ends the connection within the patience.
  [[nodiscard]] bool EndedByServer();

 private:
  bool Fill();  // reads more into rest_; false at the end

  int fd_ = -1;
  std::string rest_;
};

// "GET /x HTTP/1.1" with a Host and these headers ("Name: value\r\n").
[[nodiscard]] std::string RequestText(std::string_view method, const std::string& path,
                                      const std::string& headers = "");
[[nodiscard]] std::string Gunzip(const std::string& bytes);

}  // namespace detwatch::http
