#include "lib/client/link.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "lib/client/plain.h"
#include "lib/client/reliable.h"
#include "lib/wire/encode.h"

namespace detwatch::client {
namespace {

constexpr std::size_t kRecentRejects = 16;

int Milliseconds(Duration d) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

int TickMilliseconds(const Timing& timing) {
  const Duration shortest = std::min({timing.hello, timing.silence, timing.announce}) / 5;
  return std::clamp(Milliseconds(shortest), 1, 1000);
}

}  // namespace

Link::Link(const PublisherOptions& options, std::string name, Announcements announcements)
    : options_(options),
      window_(options.window_bytes),
      boxes_limit_(std::numeric_limits<std::size_t>::max()),
      classes_limit_(std::numeric_limits<std::size_t>::max()),
      wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      tick_ms_(TickMilliseconds(options.timing)),
      announcements_(std::move(announcements)) {
  header_.publisher = std::move(name);
  header_.epoch = static_cast<std::uint64_t>(
      ToUnixNanos(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())));
}

Result<std::unique_ptr<Link>> Link::Start(const PublisherOptions& options, std::string name,
                                          Announcements announcements) {
  std::unique_ptr<Link> link;
  if (options.reliable) {
    link = std::make_unique<ReliableLink>(options, std::move(name), std::move(announcements));
  } else {
    link = std::make_unique<PlainLink>(options, std::move(name), std::move(announcements));
  }
  auto socket = link->Connect();
  if (!socket) {
    return tl::unexpected<Error>(std::move(socket.error()));
  }
  if (link->wake_fd_ < 0) {
    return Fail("endpoint: the process has no file descriptors left");
  }
  link->socket_ = std::move(*socket);
  link->thread_ = std::thread([raw = link.get()] { raw->Run(); });
  return link;
}

Link::~Link() {
  assert(!thread_.joinable());
  if (wake_fd_ >= 0) {
    close(wake_fd_);
  }
}

void Link::Wake() {
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then the thread is awake.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

Result<std::uint64_t> Link::Offer(std::string payload) {
  bool wake = false;
  std::uint64_t number = 0;
  {
    MutexLock lock(mutex_);
    while (inbox_bytes_ > 0 && inbox_bytes_ + payload.size() > kInboxBytes && !stopping_) {
      changed_.wait(mutex_);
    }
    if (stopping_) {
      return Fail("the publisher is closed");  // nobody would send it any more
    }
    number = ++offered_;
    inbox_bytes_ += payload.size();
    inbox_.push_back(std::move(payload));
    wake = std::exchange(sleeping_, false);
  }
  if (wake) {
    Wake();
  }
  return number;
}

Result<std::uint64_t> Link::Refuse(const std::string& reason, std::string detail) {
  Reject({0, 0, reason, std::move(detail)});
  return Offer(wire::EncodePayload(Tombstone{reason, 1}));
}

bool Link::Announce(const wire::Message& message) {
  MutexLock lock(mutex_);
  if (!announcements_.Set(message)) {
    return false;
  }
  announcements_changed_ = true;
  if (std::exchange(sleeping_, false)) {
    Wake();
  }
  return true;
}

bool Link::Flush(Duration timeout) {
  // A deadline that is far beyond any life, so that adding it cannot overflow.
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  const Monotonic deadline = std::chrono::steady_clock::now() + std::min(timeout, kLongest);
  MutexLock lock(mutex_);
  const std::uint64_t target = offered_;
  while (settled_shown_ < target && !shown_.superseded && !stopping_) {
    if (changed_.wait_until(mutex_, deadline) == std::cv_status::timeout) {
      break;
    }
  }
  return settled_shown_ >= target && !shown_.superseded;
}

void Link::Stop(Duration linger) {
  if (!thread_.joinable()) {
    return;
  }
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  Wake();
  thread_.join();
  socket_->SetLinger(std::max(0, Milliseconds(std::min<Duration>(linger, std::chrono::hours(1)))));
  socket_.reset();
  context_.Close();
}

PublisherStats Link::Stats() const {
  MutexLock lock(mutex_);
  PublisherStats stats = rejects_;
  stats.sent = shown_.sent;
  stats.dropped = shown_.dropped;
  stats.resent = shown_.resent;
  stats.acknowledged_sequence = shown_.acknowledged_sequence;
  stats.labels = shown_.labels;
  stats.connected = shown_.connected;
  stats.superseded = shown_.superseded;
  stats.pending = offered_ - settled_shown_;
  stats.acknowledged = options_.reliable ? settled_shown_ - shown_.dropped : 0;
  return stats;
}

void Link::Warn(const std::string& what) const {
  if (options_.on_warning) {
    options_.on_warning("publisher " + header_.publisher + ": " + what);
  }
}

void Link::Reject(RejectedItem item) {
  const std::string what = item.reason + " (" + item.detail + ")";
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = ++rejects_.rejected[item.reason] == 1;
    rejects_.recent_rejects.push_back(std::move(item));
    if (rejects_.recent_rejects.size() > kRecentRejects) {
      rejects_.recent_rejects.erase(rejects_.recent_rejects.begin());
    }
  }
  if (first) {
    Warn("a message was rejected: " + what + "; later ones are only counted");
  }
}

}  // namespace detwatch::client
