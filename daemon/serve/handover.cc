#include "daemon/serve/handover.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace detwatch::serve {

Handover::Handover() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_fd_ < 0) {
    throw std::system_error(errno, std::generic_category(), "eventfd");
  }
}

Handover::~Handover() {
  ::close(wake_fd_);
}

void Handover::Wake() const {
  const std::uint64_t one = 1;
  // A full counter wakes as well, so the only failure there is does not matter.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

void Handover::ClearWake() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &count, sizeof(count));
}

bool Handover::HasRoom() {
  const MutexLock lock(mutex_);
  return cut_ == nullptr && !abandoned_;
}

void Handover::Offer(std::unique_ptr<pipeline::Cut> cut, bool last) {
  const MutexLock lock(mutex_);
  while (cut_ != nullptr && !abandoned_) {
    changed_.wait(mutex_);
  }
  cut_ = std::move(cut);
  last_offered_ = last;
  changed_.notify_all();
}

std::vector<Durable> Handover::TakeDurable() {
  const MutexLock lock(mutex_);
  return std::exchange(durable_, {});
}

std::optional<config::Config> Handover::TakeReload() {
  const MutexLock lock(mutex_);
  return std::exchange(reload_, std::nullopt);
}

bool Handover::StopAsked() {
  const MutexLock lock(mutex_);
  return stop_;
}

void Handover::WaitUntilDrained() {
  const MutexLock lock(mutex_);
  while ((cut_ != nullptr || busy_) && !abandoned_) {
    changed_.wait(mutex_);
  }
}

std::unique_ptr<pipeline::Cut> Handover::Wait() {
  const MutexLock lock(mutex_);
  busy_ = false;
  changed_.notify_all();
  while (cut_ == nullptr && !last_offered_ && !abandoned_) {
    changed_.wait(mutex_);
  }
  if (cut_ == nullptr || abandoned_) {
    return nullptr;
  }
  busy_ = true;
  changed_.notify_all();
  return std::exchange(cut_, nullptr);
}

std::unique_ptr<pipeline::Cut> Handover::WaitFor(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const MutexLock lock(mutex_);
  while (cut_ == nullptr && !abandoned_) {
    if (changed_.wait_until(mutex_, deadline) == std::cv_status::timeout) {
      break;
    }
  }
  if (cut_ == nullptr || abandoned_) {
    return nullptr;
  }
  busy_ = true;
  changed_.notify_all();
  return std::exchange(cut_, nullptr);
}

bool Handover::Ended() {
  const MutexLock lock(mutex_);
  return abandoned_ || (last_offered_ && cut_ == nullptr);
}

void Handover::Post(Durable durable) {
  {
    const MutexLock lock(mutex_);
    durable_.push_back(std::move(durable));
  }
  Wake();
}

void Handover::AskStop() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  Wake();
}

void Handover::Reload(config::Config config) {
  {
    const MutexLock lock(mutex_);
    reload_ = std::move(config);
  }
  Wake();
}

void Handover::Abandon() {
  {
    const MutexLock lock(mutex_);
    abandoned_ = true;
    stop_ = true;
    changed_.notify_all();
  }
  Wake();
}

void Published::Set(std::shared_ptr<const snapshot::Snapshot> snapshot) {
  const MutexLock lock(mutex_);
  snapshot_.swap(snapshot);
}

std::shared_ptr<const snapshot::Snapshot> Published::Get() const {
  const MutexLock lock(mutex_);
  return snapshot_;
}

}  // namespace detwatch::serve
