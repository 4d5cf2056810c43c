#pragma once
// lib/client -- fire and forget, to the daemon's SUB socket. Nothing is acknowledged; the sequence numbers
// let the daemon count what never came.
//
// The socket is an XPUB, which speaks PUB on the wire and also hears the subscription: messages wait in the
// window until the daemon has subscribed, so the first ones are not lost, and a full socket is seen.

#include "lib/client/link.h"

namespace detwatch::client {

class PlainLink : public Link {
 public:
  PlainLink(const PublisherOptions& options, std::string name, Announcements announcements);
  ~PlainLink() override { Stop({}); }

 private:
  [[nodiscard]] Result<std::unique_ptr<Socket>> Connect() override;
  [[nodiscard]] bool Ready() const override { return counts_.connected; }
  [[nodiscard]] std::uint64_t OldestHeld() const override { return 0; }
  void OnSent(std::uint64_t sequence, Monotonic now) override;
  void Receive(Monotonic now) override;
  void Tick(Monotonic /*now*/) override {}
};

}  // namespace detwatch::client
