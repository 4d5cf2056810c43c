#pragma once
// lib/client -- acknowledged delivery: a DEALER to the daemon's ROUTER.
//
// After each connection a hello asks what was received, and nothing is sent before its answer, which says
// where to go on, how many bytes may be under way and how large a message may be. A hello goes out also
// after 5 s without traffic; 15 s without any answer replace the socket. What is sent again is decided by
// delivery::SendWindow.

#include <cstddef>
#include <random>
#include <utility>

#include "lib/client/link.h"
#include "lib/wire/encode.h"

namespace detwatch::client {

class ReliableLink : public Link {
 public:
  ReliableLink(const PublisherOptions& options, std::string name, Announcements announcements);
  ~ReliableLink() override { Stop({}); }

 private:
  [[nodiscard]] Result<std::unique_ptr<Socket>> Connect() override;
  [[nodiscard]] bool Ready() const override { return synced_; }
  [[nodiscard]] std::uint64_t OldestHeld() const override { return window_.oldest_held(); }
  void OnSent(std::uint64_t sequence, Monotonic now) override;
  void Receive(Monotonic now) override;
  void Tick(Monotonic now) override;

  void OnConnection(bool joined, Monotonic now);
  void OnReply(const wire::Reply& reply, Monotonic now);
  // `asked`: everything sent before is answered for, so what is not received then is gone.
  void Hello(bool asked, Monotonic now);
  // A reload may change them at any time.
  void KeepLimits(const wire::WireLimits& told);

  bool joined_ = false;  // the connection stands
  bool synced_ = false;  // and a hello on it was answered
  bool asked_ = false;   // nothing was sent since the last hello: its answer tells what is missing
  std::pair<std::size_t, std::size_t> checked_;  // classes of a list and tags that were told last
  Monotonic said_hello_;
  Monotonic heard_;
  Monotonic last_sent_;
  Duration patience_{};
  std::minstd_rand random_;
};

}  // namespace detwatch::client
